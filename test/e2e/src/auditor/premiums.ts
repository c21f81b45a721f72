import { draw } from './account.ts';
import { balanceOf, bindingRefusal, pauseRefusal, payerAccountRefusal } from './cascade.ts';
import { shanghaiDate } from './dates.ts';
import { min, toFen, toYuan } from './fen.ts';
import { reviewZeroBalance } from './sharing.ts';
import type { Fields } from './wire.ts';
import type { Binding, World } from './world.ts';

/** The premium tests in their order; a binding passes as many as come before its code. */
const TESTS = [
  'NOT_A_SHARING_BINDING',
  'SELF_BINDING',
  ['BINDING_PENDING', 'BINDING_REJECTED', 'BINDING_REVOKED'],
  ['BINDING_NOT_YET_EFFECTIVE', 'BINDING_EXPIRED'],
  'PREMIUM_NOT_ENABLED',
  'RELATION_NOT_ALLOWED',
  'PAYER_NOT_EMPLOYEE_INSURED',
  ['PAYER_ACCOUNT_FROZEN', 'PAYER_ACCOUNT_CLOSED'],
  'PREMIUM_NOT_REGISTERED',
  'PAYER_IN_ARREARS',
  'PAYER_RESUME_WAITING',
  'PAUSED_BY_USER',
  'PREMIUM_AMOUNT_MISMATCH',
  'BELOW_SHARE_THRESHOLD',
  'PREMIUM_INSUFFICIENT_BALANCE',
];

/** Answers a premium that was never seen before: all of the amount from one payer's account, or a refusal. */
export function answerPremium(world: World, premium: Fields): void {
  const date = shanghaiDate(premium.instant('at').ms);
  const amount = premium.all.get('amount');
  const isValid = typeof amount === 'bigint' && amount > 0n;
  const chosen = isValid ? choose(world, premium, date) : null;
  const code = isValid ? (chosen?.code ?? (chosen === null ? 'BINDING_NOT_FOUND' : null)) : 'PREMIUM_AMOUNT_INVALID';
  const value = {
    premium_id: premium.text('premium_id'),
    payer: premium.text('payer'),
    beneficiary: premium.text('beneficiary'),
    binding_id: chosen?.binding.binding_id ?? null,
    year: premium.int('year'),
    amount: typeof amount === 'bigint' ? toYuan(amount) : null,
    status: code === null ? 'SETTLED' : 'REFUSED',
    code,
  };
  const unknowable = isValid ? [] : ['amount', 'binding_id'];
  const type = code === null ? 'premium.settled' : 'premium.refused';
  world.publish('settlements', premium.text('beneficiary'), type, value, unknowable);
  if (code === null && chosen !== null) pay(world, premium, chosen.binding, date);
}

function pay(world: World, premium: Fields, binding: Binding, date: string): void {
  const payer = world.person(binding.payer);
  if (payer.account === null) throw new Error('a payer who passed every test has an account');
  const rules = world.policy(payer, date);
  const amount = premium.fen('amount');
  const uses_authorised = rules.sharablePortion === 'PRIOR_YEAR_AUTHORISED';
  const parts = draw(payer.account, date, amount, rules, false);
  if (uses_authorised) binding.authorised_amount = (binding.authorised_amount ?? 0n) - amount;
  world.settled.set(premium.text('premium_id'), {
    kind: 'premium',
    psn_no: premium.text('beneficiary'),
    date,
    debits: [{ source: 'RELATIVE', account: payer.psn_no, binding, uses_authorised, parts }],
    cash: 0n,
    cash_returned: 0n,
  });
  reviewZeroBalance(world, payer, date, { ce_type: 'premium.submitted', id: premium.text('premium_id') });
}

/** Of several bindings the one that passes most tests, then the latest bound, then the first by id; null where there is none. */
function choose(world: World, premium: Fields, date: string): { binding: Binding; code: string | null } | null {
  const judged = world
    .bindingsOf(premium.text('payer'))
    .filter((binding) => binding.beneficiary === premium.text('beneficiary'))
    .map((binding) => ({ binding, code: premiumRefusal(world, premium, binding, date) }));
  const passed = (code: string | null) =>
    code === null ? TESTS.length : TESTS.findIndex((test) => test.includes(code));
  judged.sort((one, other) => passed(other.code) - passed(one.code) || other.binding.bound_at - one.binding.bound_at);
  return judged[0] ?? null;
}

function premiumRefusal(world: World, premium: Fields, binding: Binding, date: string): string | null {
  const payer = world.person(binding.payer);
  const rules = world.policy(payer, date);
  const bindingCode = bindingRefusal(binding, date);
  if (bindingCode !== null) return bindingCode;
  if (!rules.premiumEnabled) return 'PREMIUM_NOT_ENABLED';
  if (!rules.premiumRelations.includes(binding.relation)) return 'RELATION_NOT_ALLOWED';
  const accountCode = payerAccountRefusal(payer);
  if (accountCode !== null) return accountCode;
  if (rules.premiumRequiresRegistration && !binding.premium_registered) return 'PREMIUM_NOT_REGISTERED';
  const pauseCode = pauseRefusal(payer, binding, rules, date);
  if (pauseCode !== null) return pauseCode;
  const amount = premium.fen('amount');
  const tiers = rules.residentPremium[String(premium.int('year'))];
  if (tiers !== undefined && !tiers.some((tier) => toFen(String(tier)) === amount)) return 'PREMIUM_AMOUNT_MISMATCH';
  const balance = balanceOf(world, payer, date);
  if (rules.shareThreshold !== null && balance <= rules.shareThreshold) return 'BELOW_SHARE_THRESHOLD';
  const isAuthorised = rules.sharablePortion === 'PRIOR_YEAR_AUTHORISED';
  const free = balance - rules.minRemaining;
  const usable = isAuthorised ? min(free, binding.authorised_amount ?? 0n) : free;
  return usable < amount ? 'PREMIUM_INSUFFICIENT_BALANCE' : null;
}

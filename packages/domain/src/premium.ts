import { type CalendarDate, dateOf, type Instant, yearOf } from './calendar.ts';
import {
  compareCodePoints,
  drawOrder,
  type RelativeAllocation,
  type RulesUsed,
  rulesUsed,
  usesAuthorisation,
} from './cascade.ts';
import type { PremiumRefusalCode } from './codes.ts';
import type { FamilyView } from './family.ts';
import { compareMoney, equalMoney, type Money, subtract, ZERO } from './money.ts';
import { type Binding, EMPLOYEE_INSURANCE, type Person } from './person.ts';
import type { Policy, PolicyLookup } from './policy.ts';
import { foldTo, sharableOf, splitDraw } from './purse.ts';
import { bindingObstacle, pauseObstacle } from './relative-account.ts';

/** A payer's order to pay a relative's resident premium (代缴城乡居民医保) of one year, exactly `amount` yuan. */
export interface Premium {
  readonly premiumId: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly year: number;
  readonly at: Instant;
  readonly amount: Money | 'INVALID';
}

export interface PremiumDecision {
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: PremiumRefusalCode | null;
  readonly bindingId: string | null;
  readonly on: CalendarDate;
  readonly allocation: RelativeAllocation | null;
  /** The payer's rules; null where none were applied. */
  readonly rules: RulesUsed | null;
}

/** Decides a premium by the payer's policy: all or nothing, no cascade, no daily limit (rule 8). Pure. */
export function decidePremium(premium: Premium, family: FamilyView, policyOf: PolicyLookup): PremiumDecision {
  const on = dateOf(premium.at);
  const refused = (
    code: PremiumRefusalCode,
    by: Pick<PremiumDecision, 'bindingId' | 'rules'> = { bindingId: null, rules: null },
  ): PremiumDecision => ({ status: 'REFUSED', code, on, allocation: null, ...by });
  if (premium.amount === 'INVALID') return refused('PREMIUM_AMOUNT_INVALID');
  const { amount } = premium;
  const payer = family.person(premium.payer);
  const bindings = family.bindingsFor(premium.beneficiary).filter((binding) => binding.payer === premium.payer);
  if (payer === undefined || bindings.length === 0) return refused('BINDING_NOT_FOUND');
  const policy = policyOf(payer.insuredArea, on);

  const answers = bindings.map((binding) => {
    const code = obstacle({ ...premium, amount }, binding, payer, policy, on);
    return { binding, code, passed: code === null ? TESTS.length : TESTS.findIndex((test) => test.includes(code)) };
  });
  const [best] = answers.sort(
    (a, b) =>
      b.passed - a.passed ||
      b.binding.boundAt - a.binding.boundAt ||
      compareCodePoints(a.binding.bindingId, b.binding.bindingId),
  );
  if (best === undefined) return refused('BINDING_NOT_FOUND');
  const by = { bindingId: best.binding.bindingId, rules: rulesUsed(payer.insuredArea, policy) };
  if (best.code !== null) return refused(best.code, by);
  if (payer.purse === null) return refused('PAYER_NOT_EMPLOYEE_INSURED', by);

  const order = drawOrder(policy);
  const allocation: RelativeAllocation = {
    source: 'RELATIVE',
    account: payer.personNo,
    bindingId: best.binding.bindingId,
    relation: best.binding.relation,
    amount,
    order,
    authorised: usesAuthorisation(policy),
    ...splitDraw(foldTo(payer.purse, yearOf(on)), amount, order),
  };
  return { status: 'SETTLED', code: null, on, allocation, ...by };
}

/** The codes of each test, in order. Of several bindings, the one that passes the most tests is used. */
const TESTS: readonly (readonly PremiumRefusalCode[])[] = [
  ['NOT_A_SHARING_BINDING'],
  ['SELF_BINDING'],
  ['BINDING_PENDING', 'BINDING_REJECTED', 'BINDING_REVOKED'],
  ['BINDING_NOT_YET_EFFECTIVE', 'BINDING_EXPIRED'],
  ['PREMIUM_NOT_ENABLED'],
  ['RELATION_NOT_ALLOWED'],
  ['PAYER_NOT_EMPLOYEE_INSURED'],
  ['PAYER_ACCOUNT_FROZEN', 'PAYER_ACCOUNT_CLOSED'],
  ['PREMIUM_NOT_REGISTERED'],
  ['PAYER_IN_ARREARS'],
  ['PAYER_RESUME_WAITING'],
  ['PAUSED_BY_USER'],
  ['PREMIUM_AMOUNT_MISMATCH'],
  ['BELOW_SHARE_THRESHOLD'],
  ['PREMIUM_INSUFFICIENT_BALANCE'],
];

function obstacle(
  premium: Premium & { amount: Money },
  binding: Binding,
  payer: Person,
  policy: Policy,
  on: CalendarDate,
): PremiumRefusalCode | null {
  const bound = bindingObstacle(binding, on);
  if (bound !== null) return bound;
  if (!policy.premiumEnabled) return 'PREMIUM_NOT_ENABLED';
  if (!policy.premiumRelations.has(binding.relation)) return 'RELATION_NOT_ALLOWED';
  if (payer.purse === null || payer.insuranceKind !== EMPLOYEE_INSURANCE) return 'PAYER_NOT_EMPLOYEE_INSURED';
  if (payer.status === 'FROZEN') return 'PAYER_ACCOUNT_FROZEN';
  if (payer.status === 'CLOSED') return 'PAYER_ACCOUNT_CLOSED';
  if (policy.premiumRequiresRegistration && !binding.premiumRegistered) return 'PREMIUM_NOT_REGISTERED';
  const paused = pauseObstacle(binding, payer, on, policy);
  if (paused !== null) return paused;
  const tiers = policy.residentPremium.get(premium.year);
  if (tiers !== undefined && !tiers.some((tier) => equalMoney(tier, premium.amount))) return 'PREMIUM_AMOUNT_MISMATCH';
  const sharable = sharableOf(foldTo(payer.purse, yearOf(on)), policy);
  if (policy.shareThreshold !== null && compareMoney(sharable, policy.shareThreshold) <= 0) {
    return 'BELOW_SHARE_THRESHOLD';
  }
  if (compareMoney(subtract(sharable, policy.minRemaining), premium.amount) < 0) return 'PREMIUM_INSUFFICIENT_BALANCE';
  const authorised = binding.authorisedAmount ?? ZERO;
  if (usesAuthorisation(policy) && compareMoney(authorised, premium.amount) < 0) return 'PREMIUM_INSUFFICIENT_BALANCE';
  return null;
}

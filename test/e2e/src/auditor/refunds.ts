import { fold, heldOf } from './account.ts';
import { shanghaiDate, yearOf } from './dates.ts';
import { min, sum, toYuan } from './fen.ts';
import { reviewZeroBalance } from './sharing.ts';
import type { WireObject } from './types.ts';
import type { Fields } from './wire.ts';
import { type Debit, type Settled, usageKey, type World } from './world.ts';

/** Answers a refund that was never seen before: cash first, then the relatives last debited first, then the own account. */
export function answerRefund(world: World, refund: Fields): void {
  const settled = world.settled.get(refund.text('claim_id'));
  const { amount, code } = judge(refund, settled);
  const returned = code === null && settled !== undefined ? returnMoney(world, refund, settled, amount) : [];
  const back = (source: string) => -sum(returned.filter((each) => each.source === source).map((each) => each.amount));
  const isAsked = refund.has('amount') && typeof refund.all.get('amount') === 'bigint';
  const value = {
    refund_id: refund.text('refund_id'),
    claim_id: refund.text('claim_id'),
    psn_no: refund.text('psn_no'),
    status: code === null ? 'REFUNDED' : 'REFUSED',
    code,
    refd_setl_flag: '1',
    amount: code === null || isAsked ? toYuan(amount) : null,
    returned: returned.map(({ amount: given, ...rest }): WireObject => ({ ...rest, amount: toYuan(given) })),
    acct_pay: toYuan(back('OWN')),
    acct_mulaid_pay: toYuan(back('RELATIVE')),
    psn_cash_pay: toYuan(back('CASH')),
  };
  const unknowable = value.amount === null || code === 'REFUND_AMOUNT_INVALID' ? ['amount'] : [];
  const type = code === null ? 'refund.settled' : 'refund.refused';
  world.publish('settlements', refund.text('psn_no'), type, value, unknowable);
  const date = shanghaiDate(refund.instant('at').ms);
  const cause = { ce_type: 'claim.refunded', id: refund.text('refund_id') };
  const credited = returned.filter((each) => each.account !== undefined && each.manual !== true);
  for (const account of new Set(credited.map((each) => each.account ?? ''))) {
    reviewZeroBalance(world, world.person(account), date, cause);
  }
}

function judge(refund: Fields, settled: Settled | undefined): { amount: bigint; code: string | null } {
  const asked = refund.all.get('amount');
  if (asked !== undefined && (typeof asked !== 'bigint' || asked <= 0n))
    return { amount: 0n, code: 'REFUND_AMOUNT_INVALID' };
  const given = typeof asked === 'bigint' ? asked : 0n;
  if (settled === undefined || settled.psn_no !== refund.text('psn_no')) {
    return { amount: given, code: 'REFUND_CLAIM_NOT_FOUND' };
  }
  const left = settled.cash - settled.cash_returned + sum(settled.debits.map(heldOf));
  const amount = asked === undefined ? left : given;
  if (amount > left || left === 0n) return { amount, code: 'REFUND_EXCEEDS_SETTLED' };
  if (settled.kind === 'premium' && amount !== left) return { amount, code: 'REFUND_AMOUNT_INVALID' };
  return { amount, code: null };
}

interface Returned {
  readonly source: 'CASH' | 'RELATIVE' | 'OWN';
  readonly account?: string;
  readonly binding_id?: string;
  readonly amount: bigint;
  readonly manual?: true;
}

function returnMoney(world: World, refund: Fields, settled: Settled, amount: bigint): Returned[] {
  const returned: Returned[] = [];
  const cash = min(amount, settled.cash - settled.cash_returned);
  settled.cash_returned += cash;
  if (cash > 0n) returned.push({ source: 'CASH', amount: cash });
  let left = amount - cash;
  // The own account is always debited first, so going backwards it comes last.
  for (const debit of settled.debits.toReversed()) {
    const share = min(left, heldOf(debit));
    if (share === 0n) continue;
    left -= share;
    const isManual = returnToAccount(world, refund, settled, debit, share);
    returned.push({
      source: debit.source,
      account: debit.account,
      ...(debit.binding === null ? {} : { binding_id: debit.binding.binding_id }),
      amount: share,
      ...(isManual ? { manual: true } : {}),
    });
  }
  return returned;
}

/** Gives a debit's money back to its account, true where the account is closed and the money is held for manual payout. */
function returnToAccount(world: World, refund: Fields, settled: Settled, debit: Debit, share: bigint): boolean {
  const person = world.person(debit.account);
  const { account } = person;
  if (account === null) throw new Error('a debited account exists');
  const date = shanghaiDate(refund.instant('at').ms);
  const isManual = person.status === 'CLOSED';
  if (!isManual) fold(account, date);
  const isSameYear = yearOf(settled.date) >= yearOf(date) && account.year <= yearOf(date);
  let left = share;
  for (const part of debit.parts.toReversed()) {
    const back = min(left, part.amount - part.returned);
    part.returned += back;
    left -= back;
    if (!isManual) account[isSameYear ? part.portion : 'prior_year'] += back;
  }
  const { binding } = debit;
  if (binding !== null && debit.uses_authorised) binding.authorised_amount = (binding.authorised_amount ?? 0n) + share;
  if (binding !== null && settled.kind === 'claim') {
    const key = usageKey(binding, settled.date);
    world.day_usage.set(key, (world.day_usage.get(key) ?? 0n) - share);
  }
  const heldKey = `${refund.text('refund_id')} ${person.psn_no}`;
  if (isManual) world.held.set(heldKey, (world.held.get(heldKey) ?? 0n) + share);
  return isManual;
}

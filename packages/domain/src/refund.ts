import { assert } from './assert.ts';
import { type CalendarDate, dateOf, type Instant, yearOf } from './calendar.ts';
import type { Allocation } from './cascade.ts';
import type { RefundRefusalCode } from './codes.ts';
import type { FamilyView } from './family.ts';
import { add, compareMoney, equalMoney, isPositive, least, type Money, negate, subtract, sum, ZERO } from './money.ts';
import { balanceOf, foldTo, type Portions, type Purse, splitReturn } from './purse.ts';

/** A request to give money back (退费). `amount` null = all that is left; `'INVALID'` = not an amount above 0.00 in fen. */
export interface Refund {
  readonly refundId: string;
  readonly claimId: string;
  readonly personNo: string;
  readonly at: Instant;
  readonly amount: Money | null | 'INVALID';
}

/** What was paid for a claim or premium, and what has been refunded of it; yuan. */
export interface Paid {
  readonly kind: 'CLAIM' | 'PREMIUM';
  /** The patient of a claim, or the beneficiary of a premium. */
  readonly personNo: string;
  readonly counterpart: string;
  readonly on: CalendarDate;
  readonly cash: Money;
  /** In the order in which the accounts were debited. */
  readonly allocation: readonly Allocation[];
  readonly returnedCash: Money;
  /** What has been refunded of each allocation, in the same order. */
  readonly returned: readonly Money[];
}

/** One step of a refund, in order. `index`: the place in `Paid.allocation`; `manual`: held to be paid out by hand. */
export type Returned =
  | { readonly source: 'CASH'; readonly amount: Money }
  | {
      readonly source: 'ACCOUNT';
      readonly index: number;
      readonly allocation: Allocation;
      readonly amount: Money;
      readonly into: Portions;
      readonly manual: boolean;
    };

/** A decided refund, yuan. `amount` is positive; the three parts are negative or 0.00. */
export interface RefundDecision {
  readonly status: 'REFUNDED' | 'REFUSED';
  readonly code: RefundRefusalCode | null;
  readonly amount: Money;
  readonly returned: readonly Returned[];
  readonly accountPaid: Money;
  readonly mutualAidPaid: Money;
  readonly cashPaid: Money;
}

/**
 * Decides a refund (rule 7): money returns to where it came from in reverse order: cash first, then the relatives from the last debited to
 * the first, then the own account; each at most what is left of its payment. Never a new cascade. Pure.
 */
export function decideRefund(refund: Refund, paid: Paid | undefined, family: FamilyView): RefundDecision {
  if (refund.amount === 'INVALID') return refusedRefund('REFUND_AMOUNT_INVALID');
  const asked = refund.amount ?? ZERO;
  if (paid === undefined || paid.personNo !== refund.personNo) return refusedRefund('REFUND_CLAIM_NOT_FOUND', asked);
  const left = refundable(paid);
  const amount = refund.amount ?? left;
  if (!isPositive(left) || compareMoney(amount, left) > 0) return refusedRefund('REFUND_EXCEEDS_SETTLED', asked);
  // A premium is refunded in full or not at all.
  if (paid.kind === 'PREMIUM' && !equalMoney(amount, left)) return refusedRefund('REFUND_AMOUNT_INVALID', asked);
  const returned = giveBack(paid, amount, dateOf(refund.at), family);
  const total = (pick: (step: Returned) => boolean) => negate(sum(returned.filter(pick).map((step) => step.amount)));
  return {
    status: 'REFUNDED',
    code: null,
    amount,
    returned,
    accountPaid: total((step) => step.source === 'ACCOUNT' && step.allocation.source === 'OWN'),
    mutualAidPaid: total((step) => step.source === 'ACCOUNT' && step.allocation.source === 'RELATIVE'),
    cashPaid: total((step) => step.source === 'CASH'),
  };
}

/** What is left to refund of a claim or premium, yuan. */
export function refundable(paid: Paid): Money {
  const all = add(paid.cash, sum(paid.allocation.map((part) => part.amount)));
  return subtract(all, add(paid.returnedCash, sum(paid.returned)));
}

/** The payment after a refund. */
export function afterRefund(paid: Paid, decision: RefundDecision): Paid {
  const returned = [...paid.returned];
  let { returnedCash } = paid;
  for (const step of decision.returned) {
    if (step.source === 'CASH') returnedCash = add(returnedCash, step.amount);
    else returned[step.index] = add(returned[step.index] ?? ZERO, step.amount);
  }
  return { ...paid, returnedCash, returned };
}

function giveBack(paid: Paid, amount: Money, on: CalendarDate, family: FamilyView): Returned[] {
  const steps: Returned[] = [];
  let remaining = amount;
  const cash = least(remaining, subtract(paid.cash, paid.returnedCash));
  if (isPositive(cash)) {
    steps.push({ source: 'CASH', amount: cash });
    remaining = subtract(remaining, cash);
  }
  // The own account is debited before every relative, so reverse order ends with it.
  for (let index = paid.allocation.length - 1; index >= 0 && isPositive(remaining); index--) {
    const allocation = paid.allocation[index];
    assert(allocation !== undefined, 'an index within the allocation');
    const before = paid.returned[index] ?? ZERO;
    const part = least(remaining, subtract(allocation.amount, before));
    if (!isPositive(part)) continue;
    const holder = family.person(allocation.account);
    assert(holder !== undefined && holder.purse !== null, 'an account that paid exists');
    steps.push({
      source: 'ACCOUNT',
      index,
      allocation,
      amount: part,
      into: portionsFor(allocation, { before, part, paidOn: paid.on, on, purse: holder.purse }),
      manual: holder.status === 'CLOSED',
    });
    remaining = subtract(remaining, part);
  }
  assert(!isPositive(remaining), 'a refund within what is left finds its money');
  return steps;
}

/**
 * The portions that money returns into: those it was drawn from, last drawn first; the prior-year portion once a year has ended in between.
 */
function portionsFor(
  allocation: Allocation,
  step: { before: Money; part: Money; paidOn: CalendarDate; on: CalendarDate; purse: Purse },
): Portions {
  const year = yearOf(step.on);
  const sameYear = yearOf(step.paidOn) === year && foldTo(step.purse, year).year === year;
  if (!sameYear) return { priorYear: step.part, currentYear: ZERO };
  const gone = splitReturn(allocation, step.before, allocation.order);
  const held = {
    priorYear: subtract(allocation.priorYear, gone.priorYear),
    currentYear: subtract(allocation.currentYear, gone.currentYear),
  };
  assert(compareMoney(balanceOf(held), step.part) >= 0, 'a source returns at most what it still holds');
  return splitReturn(held, step.part, allocation.order);
}

const refusedRefund = (code: RefundRefusalCode, asked = ZERO): RefundDecision => ({
  status: 'REFUSED',
  code,
  amount: asked,
  returned: [],
  accountPaid: ZERO,
  mutualAidPaid: ZERO,
  cashPaid: ZERO,
});

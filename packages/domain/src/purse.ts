import { assert } from './assert.ts';
import { add, compareMoney, isPositive, least, type Money, negate, subtract, ZERO } from './money.ts';
import type { Policy } from './policy.ts';

/** The two portions of a personal account (个人账户), yuan, and the year that `currentYear` belongs to. */
export interface Purse {
  readonly year: number;
  readonly priorYear: Money;
  readonly currentYear: Money;
}

/** Amounts by portion. In a movement: what left (negative) or entered (positive) each portion. */
export interface Portions {
  readonly priorYear: Money;
  readonly currentYear: Money;
}

/** Both portions together, yuan. */
export const balanceOf = (purse: Portions): Money => add(purse.priorYear, purse.currentYear);

/**
 * The purse as an event of `year` finds it: on 1 January the rest of the current year's portion becomes prior-year money. An event of an
 * earlier year finds the portions as they are.
 */
export function foldTo(purse: Purse, year: number): Purse {
  if (year <= purse.year) return purse;
  return { year, priorYear: balanceOf(purse), currentYear: ZERO };
}

/** The part of a purse that relatives may be paid from: all of it, or only the prior-year portion, as the payer's policy says. */
export const sharableOf = (purse: Portions, policy: Pick<Policy, 'sharablePortion'>): Money =>
  policy.sharablePortion === 'TOTAL' ? balanceOf(purse) : purse.priorYear;

/** Takes `amount` out of the two portions in the given order. Throws if the purse holds less. */
export function splitDraw(purse: Portions, amount: Money, order: Policy['portionOrder']): Portions {
  const first = order === 'CURRENT_YEAR_FIRST' ? purse.currentYear : purse.priorYear;
  const fromFirst = least(first, amount);
  const fromSecond = subtract(amount, fromFirst);
  const parts =
    order === 'CURRENT_YEAR_FIRST'
      ? { priorYear: fromSecond, currentYear: fromFirst }
      : { priorYear: fromFirst, currentYear: fromSecond };
  const second = order === 'CURRENT_YEAR_FIRST' ? purse.priorYear : purse.currentYear;
  assert(compareMoney(fromSecond, second) <= 0, 'a draw never exceeds what the purse holds');
  return parts;
}

/** Money returns in the reverse of the order in which it was drawn: the portion drawn last is refilled first. */
export function splitReturn(held: Portions, amount: Money, order: Policy['portionOrder']): Portions {
  const reverse = order === 'CURRENT_YEAR_FIRST' ? 'PRIOR_YEAR_FIRST' : 'CURRENT_YEAR_FIRST';
  return splitDraw(held, amount, reverse);
}

export const moveInto = (purse: Purse, movement: Portions): Purse => ({
  year: purse.year,
  priorYear: add(purse.priorYear, movement.priorYear),
  currentYear: add(purse.currentYear, movement.currentYear),
});

export const outOf = (parts: Portions): Portions => ({
  priorYear: negate(parts.priorYear),
  currentYear: negate(parts.currentYear),
});

/** Money that enters with an event of `year`: into the current-year portion, or the prior-year one if the account is in a later year. */
export const enter = (purse: Purse, amount: Money, year: number): Portions => {
  assert(isPositive(amount), 'only a positive amount enters an account');
  return year === purse.year ? { priorYear: ZERO, currentYear: amount } : { priorYear: amount, currentYear: ZERO };
};

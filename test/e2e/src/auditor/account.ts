import { yearOf } from './dates.ts';
import { min } from './fen.ts';
import type { Policy } from './policy.ts';
import type { Portion } from './types.ts';
import type { Account, Debit } from './world.ts';

/** The account as an event of that date sees it: a later year has moved the current year into the prior one. */
export function seenOn(account: Account, date: string): Account {
  const year = yearOf(date);
  if (year <= account.year) return { ...account };
  return { ...account, year, prior_year: account.prior_year + account.current_year, current_year: 0n };
}

/** Folds the account to the year of a posting; an earlier year changes nothing. */
export function fold(account: Account, date: string): void {
  Object.assign(account, seenOn(account, date));
}

/** What relatives may draw on, as the payer's policy defines it. */
export function sharable(account: Account, policy: Policy): bigint {
  return policy.sharablePortion === 'TOTAL' ? account.prior_year + account.current_year : account.prior_year;
}

/** Takes an amount out of the portions in the policy's order; prior year alone where only that can be shared. */
export function draw(account: Account, date: string, amount: bigint, policy: Policy, own: boolean): Debit['parts'] {
  fold(account, date);
  let order: Portion[] = ['current_year', 'prior_year'];
  if (policy.portionOrder === 'PRIOR_YEAR_FIRST') order.reverse();
  if (!own && policy.sharablePortion !== 'TOTAL') order = ['prior_year'];
  const parts: Debit['parts'] = [];
  let left = amount;
  for (const portion of order) {
    const taken = min(left, account[portion]);
    if (taken === 0n) continue;
    account[portion] -= taken;
    left -= taken;
    parts.push({ portion, amount: taken, returned: 0n });
  }
  if (left !== 0n) throw new Error('the auditor drew more than the account holds');
  return parts;
}

/** Puts new money into the current year; into the prior year when the event is dated in an earlier year than the account. */
export function credit(account: Account, date: string, amount: bigint): void {
  fold(account, date);
  if (yearOf(date) < account.year) account.prior_year += amount;
  else account.current_year += amount;
}

/** Fen of a debit still held by the claim, that is, not returned. */
export function heldOf(debit: Debit): bigint {
  return debit.parts.reduce((total, part) => total + part.amount - part.returned, 0n);
}

import { pauseAll, resumeAll } from './arrears.ts';
import { lift } from './binding-state.ts';
import type { Books } from './books.ts';
import { type CalendarDate, date, dateOf, type Instant, startOf, yearOf } from './calendar.ts';
import type { Cause, SharingEvent } from './member-event.ts';
import { isPositive } from './money.ts';
import type { PolicyLookup } from './policy.ts';
import { foldTo, sharableOf } from './purse.ts';

/** Adds or removes ZERO_BALANCE after a posting has brought the payer's sharable balance to 0.00, or away from it (rule 6.3). */
export function applyCrossing(
  { books, policyOf }: { readonly books: Books; readonly policyOf: PolicyLookup },
  payer: string,
  empty: boolean,
  step: { at: Instant; cause: Cause },
): SharingEvent[] {
  const person = books.person(payer);
  if (person === undefined) return [];
  const from = dateOf(step.at);
  const change = { reason: 'ZERO_BALANCE', from, at: step.at, cause: step.cause } as const;
  if (!empty) return resumeAll(books, payer, change);
  return policyOf(person.insuredArea, from).pauseOnZeroBalance ? pauseAll(books, payer, change) : [];
}

/**
 * What New Year does, applied with a payer's next event up to `on`: where 1 January makes money sharable and a live binding is paused for
 * lack of it, folds the account as of that day and lifts ZERO_BALANCE. Other accounts are folded by their next posting.
 */
export function applyNewYear(
  { books, policyOf }: { readonly books: Books; readonly policyOf: PolicyLookup },
  payer: string,
  on: CalendarDate,
  cause: Cause,
): SharingEvent[] {
  const person = books.person(payer);
  const purse = person?.purse;
  if (person === undefined || purse == null) return [];
  for (let year = purse.year + 1; year <= yearOf(on); year += 1) {
    const newYear = date(`${year}-01-01`);
    const isFreed = isPositive(sharableOf(foldTo(purse, year), policyOf(person.insuredArea, newYear)));
    if (!isFreed || books.bindingsBy(payer).every((each) => lift(each, 'ZERO_BALANCE', newYear) === each)) continue;
    const at = startOf(newYear);
    books.rollOver(payer, { kind: 'ROLLOVER', counterpart: 'rollover', reference: newYear, at, cause });
    return resumeAll(books, payer, { reason: 'ZERO_BALANCE', from: newYear, at, cause });
  }
  return [];
}

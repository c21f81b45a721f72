import { arrearsChanged, type DueWork, reviewArrears } from './arrears.ts';
import { addDays, type CalendarDate, date, dayOfPeriod, nextPeriod, type Period, startOf } from './calendar.ts';
import { firstDayUnpaid } from './contribution.ts';
import type { Cause, SharingEvent } from './member-event.ts';
import type { MemberBooks } from './members.ts';
import { EMPLOYEE_INSURANCE, type Person } from './person.ts';
import type { PolicyLookup } from './policy.ts';

/**
 * The months after `since` that were due in an area before `on`, each with its due date; the pack in force on a month's first day sets it.
 */
export function monthsDue(
  area: string,
  since: Period,
  on: CalendarDate,
  policyOf: PolicyLookup,
): { readonly period: Period; readonly dueDate: CalendarDate }[] {
  const months: { period: Period; dueDate: CalendarDate }[] = [];
  for (let period = nextPeriod(since); ; period = nextPeriod(period)) {
    const first = date(`${period}-01`);
    if (first >= on) return months;
    const dueDate = dayOfPeriod(period, policyOf(area, first).contributionDueDay);
    if (dueDate < on) months.push({ period, dueDate });
  }
}

/** Whether the arrears check concerns this person: insured under 310, contributing, with an account. */
export const isChecked = ({ insuranceKind, employment, purse }: Person): boolean =>
  insuranceKind === EMPLOYEE_INSURANCE && (employment === 'ACTIVE' || employment === 'FLEXIBLE') && purse !== null;

/** How a check on a date judges persons in arrears who are insured in an area. */
export interface BlockRule {
  readonly area: string;
  /** Arrears that began on or before this day block sharing; null where arrears pause nobody. */
  readonly latestStart: CalendarDate | null;
  readonly retireesExempt: boolean;
}

/** The block rule of an area by the policy of a date. */
export function blockRule(area: string, on: CalendarDate, policyOf: PolicyLookup): BlockRule {
  const { pauseOnArrears, arrearsGraceDays, retireesExempt } = policyOf(area, on);
  return { area, latestStart: pauseOnArrears ? addDays(on, -arrearsGraceDays) : null, retireesExempt };
}

/**
 * The arrears check of one person on a date (rule 6.1): marks each month past due and later than the one the account was stated in that has
 * no contribution, and makes arrears block sharing as the rules of the date say, with one sharing event per binding for all of it.
 * Repeating it changes nothing.
 */
export function applyArrearsCheck(
  world: MemberBooks,
  personNo: string,
  on: CalendarDate,
  cause: Cause,
): { readonly marked: number; readonly events: readonly SharingEvent[]; readonly due: readonly DueWork[] } {
  const { books, contributions, policyOf } = world;
  const person = books.person(personNo);
  if (person === undefined) return { marked: 0, events: [], due: [] };
  const step = { at: startOf(on), cause };
  const known = new Set(Array.from(contributions.monthsOf(personNo), ({ period }) => period));
  const due = isChecked(person) ? monthsDue(person.insuredArea, person.asOfPeriod, on, policyOf) : [];
  const missing = due.filter(({ period }) => !known.has(period));
  // No month is newly missed, so no later work arises: earlier arrears have left theirs, or a later check finds them.
  if (missing.length === 0) return { marked: 0, events: reviewArrears(world, person, step), due: [] };
  for (const { period, dueDate } of missing) contributions.put({ personNo, period, dueDate, paid: false });
  const after = { ...person, arrearsSince: firstDayUnpaid(contributions.monthsOf(personNo)) };
  return { marked: missing.length, ...arrearsChanged(world, person, after, step) };
}

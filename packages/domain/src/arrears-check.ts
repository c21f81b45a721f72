import { arrearsChanged, type DueWork } from './arrears.ts';
import { type CalendarDate, date, dayOfPeriod, nextPeriod, type Period, startOf } from './calendar.ts';
import { firstDayUnpaid } from './contribution.ts';
import type { Cause, SharingEvent } from './member-event.ts';
import type { MemberBooks } from './members.ts';
import { EMPLOYEE_INSURANCE, type Person } from './person.ts';
import type { PolicyLookup } from './policy.ts';

/** The months after `since` whose due date in an area lies before `on`: due by the pack in force on the month's first day. */
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

/** Whether the arrears check looks at this person: insured under 310, contributing, with an account. */
export const isChecked = ({ insuranceKind, employment, purse }: Person): boolean =>
  insuranceKind === EMPLOYEE_INSURANCE && (employment === 'ACTIVE' || employment === 'FLEXIBLE') && purse !== null;

/**
 * The arrears check of a date for one person (rule 6.1): marks every month past due, later than the month the account was stated in,
 * that has no contribution; one sharing event a binding for all of them. Doing it again changes nothing.
 */
export function applyArrearsCheck(
  world: MemberBooks,
  personNo: string,
  on: CalendarDate,
  cause: Cause,
): { readonly marked: number; readonly events: readonly SharingEvent[]; readonly due: readonly DueWork[] } {
  const { books, contributions, policyOf } = world;
  const person = books.person(personNo);
  if (person === undefined || !isChecked(person)) return { marked: 0, events: [], due: [] };
  const known = new Set(Array.from(contributions.monthsOf(personNo), ({ period }) => period));
  const missing = monthsDue(person.insuredArea, person.asOfPeriod, on, policyOf).filter(
    ({ period }) => !known.has(period),
  );
  if (missing.length === 0) return { marked: 0, events: [], due: [] };
  for (const { period, dueDate } of missing) contributions.put({ personNo, period, dueDate, paid: false });
  const after = { ...person, arrearsSince: firstDayUnpaid(contributions.monthsOf(personNo)) };
  const at = startOf(on);
  const changed = arrearsChanged(world, person, after, { at, cause });
  return { marked: missing.length, ...changed };
}

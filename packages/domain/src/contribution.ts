import { addDays, type CalendarDate, type Period } from './calendar.ts';

/** One month of a person's contributions: unpaid, with its due date, or paid, which is final and needs no due date. */
export interface Contribution {
  readonly personNo: string;
  readonly period: Period;
  readonly dueDate: CalendarDate | null;
  readonly paid: boolean;
}

/** First day in arrears of a set of months: the day after the earliest unpaid due date; null when nothing is unpaid. */
export function firstDayUnpaid(months: Iterable<Contribution>): CalendarDate | null {
  let first: CalendarDate | null = null;
  for (const { paid, dueDate } of months) {
    if (!paid && dueDate !== null && (first === null || dueDate < first)) first = dueDate;
  }
  return first === null ? null : addDays(first, 1);
}

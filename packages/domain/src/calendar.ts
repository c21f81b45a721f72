import { assert } from './assert.ts';

declare const brand: unique symbol;

/** A calendar date `YYYY-MM-DD` in Asia/Shanghai. Compares correctly as text. */
export type CalendarDate = string & { readonly [brand]: 'CalendarDate' };

/** A month `YYYY-MM`. Compares correctly as text. */
export type Period = string & { readonly [brand]: 'Period' };

/** A moment, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** China keeps UTC+8 all year, so a fixed offset is right, whatever time zone the machine has. */
const SHANGHAI_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of 0001-01-01 and 9999-12-31: outside them dates would no longer compare as text. */
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896] as const;

/** The timestamp of a message that has none, or one that is no moment of the calendar. */
export const NO_TIMESTAMP = -1;

/**
 * The timestamp of a message as its sender set it, which may be any number: where it lies outside the calendar, in Shanghai, nothing can be
 * dated by it, so it counts as none.
 */
export const timestampOf = (ms: number): Instant =>
  ms >= FIRST_DAY * DAY_MS - SHANGHAI_OFFSET_MS && ms < (LAST_DAY + 1) * DAY_MS - SHANGHAI_OFFSET_MS
    ? ms
    : NO_TIMESTAMP;

/** Caches formatted dates by day: a batch asks for the same few again and again. */
const written = new Map<number, CalendarDate>();
const WRITTEN_MAX = 4096;

function dateOfDay(day: number): CalendarDate {
  const known = written.get(day);
  if (known !== undefined) return known;
  assert(day >= FIRST_DAY && day <= LAST_DAY, 'a date lies in the years 0001 to 9999');
  const text = new Date(day * DAY_MS).toISOString().slice(0, 10) as CalendarDate;
  if (written.size >= WRITTEN_MAX) written.clear();
  written.set(day, text);
  return text;
}

/** The date in Asia/Shanghai of a moment. */
export const dateOf = (moment: Instant): CalendarDate => dateOfDay(Math.floor((moment + SHANGHAI_OFFSET_MS) / DAY_MS));

/** The moment at which a Shanghai date begins. */
export const startOf = (date: CalendarDate): Instant => Date.parse(`${date}T00:00:00Z`) - SHANGHAI_OFFSET_MS;

/** A moment as ISO 8601 text with the Shanghai offset; milliseconds only where there are any. */
export function formatInstant(moment: Instant): string {
  const text = new Date(moment + SHANGHAI_OFFSET_MS).toISOString().slice(0, -1);
  return `${text.endsWith('.000') ? text.slice(0, -4) : text}+08:00`;
}

/** Reads `YYYY-MM-DD`, years 0001 to 9999; null when the text is no date of the calendar. */
export function parseDate(text: string): CalendarDate | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8))];
  const exists = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  return exists ? (text as CalendarDate) : null;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** As `parseDate`, for text known to be a date (constants, rows of our own database); throws otherwise. */
export function date(text: string): CalendarDate {
  const parsed = parseDate(text);
  assert(parsed !== null, 'a date is written YYYY-MM-DD');
  return parsed;
}

/** Reads `YYYY-MM`; null when it is no month of the years 1900 to 2999, in which contributions can be due. */
export const parsePeriod = (text: string): Period | null =>
  /^(19|2\d)\d{2}-(0[1-9]|1[0-2])$/.test(text) ? (text as Period) : null;

/** The date `days` days later; earlier where negative. */
export const addDays = (from: CalendarDate, days: number): CalendarDate =>
  dateOfDay(Date.parse(`${from}T00:00:00Z`) / DAY_MS + days);

export const daysBetween = (from: CalendarDate, to: CalendarDate): number =>
  (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS;

/** The year of a date, and its month. */
export const yearOf = (day: CalendarDate): number => Number(day.slice(0, 4));
export const periodOf = (day: CalendarDate): Period => day.slice(0, 7) as Period;

/** The following month. */
export function nextPeriod(period: Period): Period {
  const [year, month] = [Number(period.slice(0, 4)), Number(period.slice(5))];
  return (month === 12 ? `${year + 1}-01` : `${period.slice(0, 5)}${String(month + 1).padStart(2, '0')}`) as Period;
}

/** The day of a month, or its last day where `day` is `LAST`. */
export function dayOfPeriod(period: Period, day: number | 'LAST'): CalendarDate {
  const last = daysIn(Number(period.slice(0, 4)), Number(period.slice(5)));
  return date(`${period}-${String(day === 'LAST' ? last : day).padStart(2, '0')}`);
}

/** The earlier, and the later, of two dates. */
export const earlier = (left: CalendarDate, right: CalendarDate): CalendarDate => (left < right ? left : right);
export const later = (left: CalendarDate, right: CalendarDate): CalendarDate => (left > right ? left : right);

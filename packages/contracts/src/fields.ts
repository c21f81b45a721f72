import { type CalendarDate, type Instant, type Money, money, type Period, parseDate, parsePeriod } from '@repo/domain';
import { z } from 'zod';

export const AMOUNT_PROBLEM = 'expected an amount in yuan, at most 99999999999999.99, with at most two decimals';
const AMOUNT = /^\d{1,14}(\.\d{1,2})?$/;

/*
 * Checks that are code here say in `meta` what they come to as JSON Schema; a property test holds the two together. A pattern, not a
 * `format`: what validators make of formats differs, and RFC 3339 is narrower than the ISO 8601 that is taken here.
 */

/** An amount of yuan, 0.00 or more. `readJson` has already turned JSON numbers into their source text without exponent. */
export const amount = z
  .string({ error: 'expected an amount as a JSON string or number' })
  .regex(AMOUNT, { error: AMOUNT_PROBLEM })
  .meta({ type: ['string', 'number'], minimum: 0, exclusiveMaximum: 1e14 });

/** An amount above 0.00. */
export const positiveAmount = amount
  .refine((text) => Number(text) !== 0, { error: 'expected an amount above 0.00' })
  .meta({
    type: ['string', 'number'],
    pattern: `^(?!0+(\\.0+)?$)${AMOUNT.source.slice(1)}`,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1e14,
  });
export const toMoney = (text: string): Money => money(text);

/** Whether a text is an amount, for messages that answer an invalid one with an outcome instead of a rejection. */
export const isAmount = (text: string): boolean => AMOUNT.test(text);

/** Identifiers are stored and indexed as text: bounded, and free of what PostgreSQL or UTF-8 cannot carry. */
const ID_PROBLEM = 'expected a text of 1 to 200 characters without control characters';
export const id = z
  .string({ error: ID_PROBLEM })
  .refine((text) => text.length >= 1 && text.length <= 200 && isPlain(text), { error: ID_PROBLEM })
  .meta({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$' });

function isPlain(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return false;
  }
  return true;
}

export const flag = z.boolean({ error: 'expected true or false' });
export const area = z.string({ error: 'expected an area code of 6 digits' }).regex(/^\d{6}$/, {
  error: 'expected an area code of 6 digits',
});

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `expected one of ${values.join(', ')}` });

const INSTANT_PROBLEM = 'expected an ISO 8601 date and time with an offset or Z';
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)$/;
const MINUTE_MS = 60_000;
/** When the year 9999 ends in Shanghai: later moments have no date. */
const CALENDAR_END = Date.parse('9999-12-31T16:00:00Z');

/** A pattern for every existing date in the years that the look-ahead `years` admits. */
const dayPattern = (years: string): string => `${years}(?:${DAYS}|${LEAP_DAYS})`;
const DAYS =
  '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))';
const LEAP_DAYS = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29';

/** `INSTANT`, restricted to existing days. */
export const INSTANT_PATTERN = `^${dayPattern('(?=19|[2-9])')}${INSTANT.source.slice(INSTANT.source.indexOf('T'))}`;

/** A moment, kept as text because outcomes echo it. */
export const instant = z
  .string({ error: INSTANT_PROBLEM })
  .refine((text) => parseInstant(text) !== null, { error: INSTANT_PROBLEM })
  .meta({ pattern: INSTANT_PATTERN });

/** The moment parsed last: schema, future bound, decoding and identity parse the same text one after another. */
let last: { text: string; moment: Instant | null } = { text: '', moment: null };

/**
 * Parses an ISO 8601 moment with an offset or Z to the millisecond; null when it is none, or outside the years 1900 to 9999 (also in
 * Shanghai).
 */
export function parseInstant(text: string): Instant | null {
  if (last.text !== text) last = { text, moment: momentOf(text) };
  return last.moment;
}

function momentOf(text: string): Instant | null {
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const [, day = '', hour, minute, second = 0, fraction = '', sign, offsetHours = 0, offsetMinutes = 0] = match;
  const date = parseDate(day);
  if (date === null || date < '1900-01-01') return null;
  const offset = Number(offsetHours) * 60 + Number(offsetMinutes);
  const minutes = Number(hour) * 60 + Number(minute) - (sign === '-' ? -offset : offset);
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const moment = Date.parse(day) + minutes * MINUTE_MS + Number(second) * 1000 + ms;
  return moment < CALENDAR_END ? moment : null;
}

/** For text that a schema has already accepted. */
export const toInstant = (text: string): Instant => parseInstant(text) ?? Number.NaN;

const DATE_PROBLEM = 'expected a date YYYY-MM-DD';
export const calendarDate = z
  .string({ error: DATE_PROBLEM })
  .refine((text) => parseDate(text) !== null, { error: DATE_PROBLEM })
  .meta({ format: 'date', pattern: `^${dayPattern('(?!0000)')}$` })
  .transform((text) => text as CalendarDate);

/** A date from which days are counted: one far off would lead out of the calendar. */
const COUNTED_PROBLEM = 'expected a date YYYY-MM-DD of the years 1900 to 2999';
export const countedDate = z
  .string({ error: COUNTED_PROBLEM })
  .refine((text) => parseDate(text) !== null && text >= '1900-01-01' && text < '3000-01-01', { error: COUNTED_PROBLEM })
  .meta({ format: 'date', pattern: `^${dayPattern('(?=19|2)')}$` })
  .transform((text) => text as CalendarDate);

const PERIOD_PROBLEM = 'expected a month YYYY-MM of the years 1900 to 2999';
export const period = z
  .string({ error: PERIOD_PROBLEM })
  .refine((text) => parsePeriod(text) !== null, { error: PERIOD_PROBLEM })
  .meta({ pattern: '^(19|2\\d)\\d{2}-(0[1-9]|1[0-2])$' })
  .transform((text) => text as Period);

/** An optional field: absent and null mean the same. */
export const optional = <T extends z.ZodType>(field: T) => field.nullish();

/**
 * What an interface for commands adds to their events: the command's id, and whether its sender stated the moment. If not, the moment is
 * that of the command's first arrival and no part of its content.
 */
export const commandFields = { command_id: optional(id), at_stated: optional(flag) };

export const integer = (least: number, most: number) =>
  z
    .number({ error: `expected a whole number from ${least} to ${most}` })
    .refine((value) => Number.isInteger(value) && value >= least && value <= most, {
      error: `expected a whole number from ${least} to ${most}`,
    })
    .meta({ type: 'integer', minimum: least, maximum: most });

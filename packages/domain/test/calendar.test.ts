import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { daysBetween } from '../src/calendar.ts';
import {
  addDays,
  BEGINNING,
  date,
  dateOf,
  dayOfPeriod,
  formatInstant,
  InvariantBroken,
  NO_TIMESTAMP,
  nextPeriod,
  type Period,
  parseDate,
  parsePeriod,
  periodOf,
  startOf,
  timestampOf,
  yearOf,
} from '../src/index.ts';

describe('midnight in Shanghai', () => {
  test.each([
    ['2025-03-10T15:59:59.999Z', '2025-03-10'],
    ['2025-03-10T16:00:00.000Z', '2025-03-11'],
    ['2024-12-31T15:59:59.999Z', '2024-12-31'],
    ['2024-12-31T16:00:00.000Z', '2025-01-01'],
    ['2024-02-28T16:00:00.000Z', '2024-02-29'],
    ['2024-02-29T16:00:00.000Z', '2024-03-01'],
    ['2023-02-28T16:00:00.000Z', '2023-03-01'],
    ['1969-12-31T15:59:59.999Z', '1969-12-31'],
    ['1900-02-28T16:00:00.000Z', '1900-03-01'],
  ])('%s is on %s', (moment, day) => expect(dateOf(Date.parse(moment))).toBe(day));

  test('a day begins 16:00 UTC of the day before, summers included', () => {
    for (const day of ['2025-01-01', '2024-02-29', '1991-07-01', '2025-07-01'].map(date)) {
      expect(new Date(startOf(day)).toISOString().slice(11)).toBe('16:00:00.000Z');
      expect([dateOf(startOf(day)), dateOf(startOf(day) - 1)]).toEqual([day, addDays(day, -1)]);
    }
  });

  test('many days in turn are each answered rightly', () => {
    for (let i = 0; i < 10_000; i++)
      expect(dateOf(startOf(addDays(date('2000-01-01'), i)))).toBe(addDays(date('2000-01-01'), i));
  });

  test.each(['America/New_York', 'Asia/Shanghai', 'Pacific/Kiritimati'])(
    'the zone of the machine, %s, does not matter (I15)',
    (zone) => {
      const program = `import { dateOf, startOf, formatInstant, addDays, date } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
      console.log(new Date(0).getTimezoneOffset(), dateOf(${Date.parse('2025-03-09T16:00:00Z')}), startOf(date('2025-11-02')),
        formatInstant(${Date.parse('2025-03-09T16:00:00Z')}), addDays(date('2025-03-08'), 2));`;
      const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, TZ: zone },
        encoding: 'utf8',
      });
      const [offset, ...rest] = printed.trim().split(' ');
      expect(offset).toBe({ 'America/New_York': '300', 'Asia/Shanghai': '-480', 'Pacific/Kiritimati': '640' }[zone]);
      expect(rest).toEqual([
        '2025-03-10',
        String(Date.parse('2025-11-01T16:00:00Z')),
        '2025-03-10T00:00:00+08:00',
        '2025-03-10',
      ]);
    },
  );
});

describe('dates', () => {
  test.each(['2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31', '2025-12-31'])('%s is a date', (text) =>
    expect(parseDate(text)).toBe(text),
  );
  test.each([
    '2023-02-29',
    '1900-02-29',
    '2025-13-01',
    '2025-00-10',
    '2025-04-31',
    '2025-01-00',
    '0000-01-01',
    '2025-1-1',
    '20250101',
    ' 2025-01-01',
    '2025-01-01T00:00',
    '',
  ])('%j is no date', (text) => {
    expect(parseDate(text)).toBeNull();
    expect(() => date(text)).toThrow(InvariantBroken);
  });
  test('days are counted across leap days and years, never out of the calendar', () => {
    expect(addDays(date('2024-02-28'), 2)).toBe('2024-03-01');
    expect(addDays(date('2023-12-31'), 366)).toBe('2024-12-31');
    expect(daysBetween(date('2023-12-31'), date('2024-12-31'))).toBe(366);
    expect(daysBetween(date('2024-03-01'), date('2024-02-28'))).toBe(-2);
    expect(() => addDays(date('9999-12-31'), 1)).toThrow(InvariantBroken);
    expect(() => addDays(BEGINNING, -1)).toThrow(InvariantBroken);
  });
  test('year and month of a date', () =>
    expect([yearOf(date('2024-02-29')), periodOf(date('2024-02-29'))]).toEqual([2024, '2024-02']));
});

describe('months', () => {
  const month = (text: string) => parsePeriod(text) as Period;
  test.each(['2025-00', '2025-13', '1899-12', '3000-01', '2025-1', '2025-011', '9999-12'])('%j is no month', (text) =>
    expect(parsePeriod(text)).toBeNull(),
  );
  test('the next month and the last day', () => {
    expect([nextPeriod(month('2024-12')), nextPeriod(month('2025-01'))]).toEqual(['2025-01', '2025-02']);
    const last = ['2024-02', '2023-02', '2025-04', '2025-12', '2999-12'].map((text) =>
      dayOfPeriod(month(text), 'LAST'),
    );
    expect(last).toEqual(['2024-02-29', '2023-02-28', '2025-04-30', '2025-12-31', '2999-12-31']);
    expect(dayOfPeriod(month('2025-02'), 5)).toBe('2025-02-05');
  });
});

test('a moment is written with the Shanghai offset, milliseconds only where there are any', () => {
  expect(formatInstant(Date.parse('2025-03-10T02:00:00Z'))).toBe('2025-03-10T10:00:00+08:00');
  expect(formatInstant(Date.parse('2025-03-10T16:00:00.050Z'))).toBe('2025-03-11T00:00:00.050+08:00');
});

describe('a timestamp', () => {
  const [first, end] = [Date.parse('0001-01-01T00:00:00+08:00'), Date.parse('9999-12-31T24:00:00+08:00')];
  test.each([first, 0, Date.parse('2025-03-10T02:00:00Z'), end - 1])('%j has a date', (ms) => {
    expect(timestampOf(ms)).toBe(ms);
    expect(formatInstant(ms).slice(0, 10)).toBe(dateOf(ms));
  });
  test.each([first - 1, end, -9e15, 9e15, -(2 ** 63), 2 ** 63, Number.NaN])('%j, outside the calendar, is none', (ms) =>
    expect(timestampOf(ms)).toBe(NO_TIMESTAMP),
  );
});

import { expect, test } from 'vitest';
import { Pace } from '../src/pace.ts';

test('what has begun is rested for, and what was not there is not', () => {
  let now = 1_000;
  const pace = new Pace(10, () => now);
  expect(pace.begin(20)).toBe(true);
  expect(pace.begin(1)).toBe(false);
  now = 2_999;
  expect(pace.begin(1)).toBe(false);
  pace.giveBack(15);
  expect(pace.begin(20)).toBe(true);
});

test('time that nobody used is not saved up', () => {
  let now = 0;
  const pace = new Pace(10, () => now);
  now = 60_000;
  expect(pace.begin(10)).toBe(true);
  expect(pace.begin(10)).toBe(false);
});

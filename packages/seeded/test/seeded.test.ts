import { expect, test } from 'vitest';
import { mulberry32 } from '../src/index.ts';

const first = (seed: number, count: number) => {
  const next = mulberry32(seed);
  return Array.from({ length: count }, () => next() * 2 ** 32);
};

test('the numbers are those of mulberry32, as others publish them', () => {
  expect(first(0, 2)).toEqual([1_144_304_738, 1_416_247]);
  expect(first(1, 3)).toEqual([2_693_262_067, 11_749_833, 2_265_367_787]);
});

test('of a seed its 32 lowest bits count', () => {
  expect(first(2 ** 32 + 7, 100)).toEqual(first(7, 100));
  expect(first(-1, 100)).toEqual(first(2 ** 32 - 1, 100));
});

test('they lie in [0, 1), evenly', () => {
  const next = mulberry32(11);
  const tenths = Array(10).fill(0) as number[];
  for (let n = 0; n < 100_000; n += 1) {
    const tenth = Math.floor(next() * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  expect(tenths).toHaveLength(10);
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

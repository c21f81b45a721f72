import { expect, test } from 'vitest';
import { compare, draw, drawMemory, type Recorded, toRecord } from '../src/history.ts';

const run = (
  date: string,
  low: number,
  value: number,
  high: number,
  wanted: 'at least' | 'at most' = 'at least',
): Recorded => ({
  date,
  machine: 'one',
  plainClaimsPerSecond: 15_000,
  targets: { ratio: { value, low, high, target: 0.7, wanted } },
});

test('a change is better or worse only where the rounds lie wholly beside those before', () => {
  const before = [run('2026-11-01T00:00:00Z', 0.3, 0.4, 0.5)];
  const say = (low: number, value: number, high: number) =>
    compare(before, run('2026-11-02T00:00:00Z', low, value, high));
  expect(say(0.51, 0.6, 0.7)).toEqual(['  ratio: 0.6 (0.51 to 0.7) after 0.4 (0.3 to 0.5) on 2026-11-01: better']);
  expect(say(0.1, 0.2, 0.29)[0]).toContain(': WORSE');
  expect(say(0.1, 0.2, 0.3)[0]).toContain(': within the spread');
  expect(say(0.2, 0.2, 0.2)[0]).toContain(': rounds are too few');
  const most = [run('2026-11-01T00:00:00Z', 2, 2.5, 3, 'at most')];
  expect(compare(most, run('2026-11-02T00:00:00Z', 3.1, 3.2, 3.3, 'at most'))[0]).toContain(': WORSE');
});

test('a run is held against the last one that measured the same', () => {
  const history = [
    run('2026-11-01T00:00:00Z', 0.3, 0.4, 0.5),
    { ...run('2026-11-02T00:00:00Z', 0, 0, 0), targets: {} },
  ];
  expect(compare(history, run('2026-11-03T00:00:00Z', 0.3, 0.4, 0.5))[0]).toContain('on 2026-11-01');
  const of = (size: number, value: number): Recorded => ({
    ...run('2026-11-01T00:00:00Z', value, value, value),
    targets: { accountsCost: { value, low: value, high: value, target: 1.2, wanted: 'at most', of: size } },
  });
  const sizes = [of(1_000_000, 1.05), of(10_000_000, 1.24)];
  expect(compare(sizes, of(1_000_000, 1.04))[0]).toContain('after 1.05');
  expect(compare(sizes, of(20_000_000, 1.04))).toEqual([]);
  expect(draw('accountsCost', sizes)).toContain('of 10,000,000');
  expect(compare([], run('2026-11-03T00:00:00Z', 0.3, 0.4, 0.5))).toEqual([]);
});

test('only what was measured is kept, with the spread of its rounds', () => {
  const { targets } = toRecord({
    date: '2026-11-01T00:00:00Z',
    machine: { cpu: 'one', cores: 2 },
    targets: {
      baselineCounts: { value: 15_000, target: 14_000, wanted: 'at least', runs: [14_000, 15_000, 16_000] },
      ratio: { value: undefined, target: 0.7, wanted: 'at least', runs: [] },
      idleProcessors: { value: 0.123456, target: 0.2, wanted: 'at most', runs: [] },
    },
  });
  expect(targets).toEqual({
    baselineCounts: { value: 15_000, low: 14_000, high: 16_000, target: 14_000, wanted: 'at least' },
    idleProcessors: { value: 0.1235, low: 0.1235, high: 0.1235, target: 0.2, wanted: 'at most' },
  });
});

test('the picture shows the target, every run and what plain did that day', () => {
  const svg = draw('ratio', [run('2026-11-01T00:00:00Z', 0.3, 0.4, 0.5), run('2026-11-02T00:00:00Z', 0.5, 0.6, 0.7)]);
  for (const shown of ['at least 0.7', '2026-11-01', '2026-11-02', 'plain 15000', '0.4', '0.6'])
    expect(svg).toContain(shown);
});

test('the picture of memory shows a long run over its minutes, and the limit', () => {
  const rssBytes = [200, 250, 251, 252, 251, 252].map((megabytes) => megabytes * 1e6);
  const stream = 'a steady rate';
  const svg = drawMemory(
    { stream, claimsPerSecond: 2_000, seconds: 60, claims: 120_000, processors: {}, rssBytes },
    300,
  );
  for (const shown of ['a steady rate', '2000 claims/s; at most 252 MB, at most 300 wanted', 'minutes'])
    expect(svg).toContain(shown);
});

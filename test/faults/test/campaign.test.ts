import { expect, test } from 'vitest';
import { charge, type Injected, tableOf } from '../src/campaign.ts';
import type { Problem } from '../src/problems.ts';

const fault = (name: string, from: number, until: number): Injected => ({ name, from, until, longestWaitMs: 1_500 });
const FAULTS = [fault('broker stall', 0, 2_000), fault('zombie', 1_000, 3_000), fault('zombie', 4_000, 9_000)];
/** Claims are named by the moment they were due. */
const dueAt = (id: string): number | undefined => (/^\d+$/.test(id) ? Number(id) : undefined);
const problem = (kind: Problem['kind'], about?: string): Problem => ({ kind, what: 'it', about });

test('a lost or doubled claim is charged to each fault during which it was due, once, whatever says so', () => {
  const problems = [problem('lost', '500'), problem('lost', '500'), problem('duplicated', '1500')];
  const { judged, rest } = charge(FAULTS, problems, dueAt);
  expect(judged.map(({ lost, duplicated }) => [lost, duplicated])).toEqual([
    [1, 1],
    [0, 1],
    [0, 0],
  ]);
  expect(rest).toEqual({ lost: 0, duplicated: 0 });
});

test('what was due during no fault, and what is of no claim, is told apart', () => {
  const problems = [
    problem('lost', '3500'),
    problem('lost', 'unknown'),
    problem('duplicated'),
    problem('money', '500'),
  ];
  const { judged, rest } = charge(FAULTS, problems, dueAt);
  expect(judged.every(({ lost, duplicated }) => lost + duplicated === 0)).toBe(true);
  expect(rest).toEqual({ lost: 2, duplicated: 1 });
});

test('the table has a line per kind of fault: how often, the longest of each, and the sums of what was wrong', () => {
  const { judged, rest } = charge(FAULTS, [problem('lost', '4500'), problem('lost', '2500')], dueAt);
  expect(
    tableOf(judged, rest)
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['fault', 'times', 'longest wait s', 'over after s', 'lost', 'duplicated'],
    ['broker stall', '1', '1.5', '2.0', '0', '0'],
    ['zombie', '2', '1.5', '5.0', '2', '0'],
    ['of no fault', '0', '0'],
  ]);
});

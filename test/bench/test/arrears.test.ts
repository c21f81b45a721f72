import { partitionForKey } from '@repo/messaging';
import { expect, test } from 'vitest';
import { checkPaused } from '../src/arrears.ts';
import { renderTable, summarise } from '../src/report.ts';
import { bindingsToPause, CHECKS, TOWN_UNIT, unitEvents } from '../src/town.ts';

const events = [...unitEvents(1)];
const [february, march] = CHECKS;

test('each payer has one to three bindings to others of the household, two on the average', () => {
  const perPayer = new Map<string, number>();
  for (const { type, key, event } of events) {
    if (type !== 'binding.opened') continue;
    perPayer.set(key, (perPayer.get(key) ?? 0) + 1);
    expect(event.beneficiary).not.toBe(key);
    expect(Math.floor(Number(String(event.beneficiary).slice(6)) / 4)).toBe(Math.floor(Number(key.slice(6)) / 4));
  }
  expect(perPayer.size).toBe(TOWN_UNIT);
  expect(new Set(perPayer.values())).toEqual(new Set([1, 2, 3]));
});

test('one payer of fifty has no contribution for the month, in every partition, and another one the next month', () => {
  const payers = new Set(events.map(({ key }) => key));
  const missed = CHECKS.map(({ period }) => {
    const paid = new Set(events.filter(({ event }) => event.period === period).map(({ key }) => key));
    return new Set([...payers].filter((payer) => !paid.has(payer)));
  });
  for (const group of missed) {
    expect(group.size).toBe(TOWN_UNIT / 50);
    expect(new Set([...group].map((payer) => partitionForKey(payer, 6))).size).toBe(6);
  }
  expect(new Set(missed.flatMap((group) => [...group])).size).toBe((2 * TOWN_UNIT) / 50);
});

test('the bindings to pause are those of the payers who missed the month, and the same in each copy of the town', () => {
  const paid = new Set(events.filter(({ event }) => event.period === february.period).map(({ key }) => key));
  const bindings = events.filter(({ type, key }) => type === 'binding.opened' && !paid.has(key));
  const expected = bindingsToPause(TOWN_UNIT, february);
  expect(expected).toEqual(new Set(bindings.map(({ event }) => event.binding_id)));
  expect(bindingsToPause(3 * TOWN_UNIT, february).size).toBe(3 * expected.size);
});

test('a check counts only if each binding was paused once, and no other', () => {
  const checkId = `bench:${march.on}`;
  const told = [...bindingsToPause(TOWN_UNIT, march)].map((bindingId) => ({ checkId, bindingId }));
  expect(() => checkPaused(told, march, TOWN_UNIT)).not.toThrow();
  expect(() => checkPaused(told.slice(1), march, TOWN_UNIT)).toThrow('1 bindings were not paused');
  expect(() => checkPaused([...told, ...told.slice(0, 2)], march, TOWN_UNIT)).toThrow('2 pauses are of the wrong');
  const [other = ''] = bindingsToPause(TOWN_UNIT, february);
  expect(() => checkPaused([...told, { checkId, bindingId: other }], march, TOWN_UNIT)).toThrow('1 pauses are of');
});

test('the slower check and the stream that lost more are judged, by the rates before and after', () => {
  const processors = { settling: 0.8, sharing: 0.1, database: 0.6, broker: 0.3, bench: 0.1, others: 0 };
  const claims = (claimsPerSecond: number) => ({ seconds: 30, claimsPerSecond, processors });
  const arrears = [
    {
      stream: 'a steady rate' as const,
      seconds: 90,
      events: 40_000,
      before: { ...claims(500), p99: 130 },
      during: { ...claims(499), p99: 150 },
      after: { ...claims(501), p99: 70 },
    },
    {
      stream: 'a full topic' as const,
      seconds: 181,
      events: 40_000,
      before: claims(5_500),
      during: claims(3_500),
      after: claims(4_500),
    },
  ];
  const none = { throughput: { plain: [], bare: [], product: [] }, latency: { echo: [], product: [] } };
  const summary = summarise({ ...none, arrears }, {});
  expect(summary.targets).toMatchObject({
    arrearsSeconds: { value: 181, met: false },
    claimsKeptDuringArrears: { value: 0.7, met: false },
    p99DuringArrears: { value: 1.5, met: true },
  });
  const table = renderTable(summary).join('\n');
  expect(table).toContain('beside claims from a full topic: 181.0 s, 40000 pauses read');
  expect(table).toMatch(/p99, ms +130 +150 +70/);
  expect(summarise(none, {}).targets.arrearsSeconds).not.toHaveProperty('met');
});

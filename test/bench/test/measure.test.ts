import { expect, test } from 'vitest';
import { requestsOf } from '../src/load.ts';
import { checkOutcomes, percentiles, rateOf } from '../src/measure.ts';
import { renderTable, summarise } from '../src/report.ts';
import type { ScenarioName } from '../src/scenarios.ts';
import { growth } from '../src/soak.ts';
import { onceShared } from '../src/workers.ts';

test('the rate leaves out what the first stamp brought, because nobody knows how long that took', () => {
  const stamps = [1_000, 1_000, 1_000, 1_500, 2_000, 2_000].map((appendedAt) => ({ appendedAt }));
  expect(rateOf(stamps)).toBe(3);
});

test('a percentile is a value that was measured', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentiles(values)).toEqual({ p50: 100, p90: 180, p99: 198, max: 200 });
  expect(percentiles([7])).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
});

test('a run is refused when a claim is missing, answered twice or not wholly divided', () => {
  const claims = [{ claimId: 'C1', personalShare: 1_050 }];
  const answer = { claimId: 'C1', amounts: ['5.00', '5.00', '0.50'] as const };
  expect(() => checkOutcomes(claims, [answer])).not.toThrow();
  expect(() => checkOutcomes(claims, [])).toThrow('claim C1 has no outcome');
  expect(() => checkOutcomes(claims, [answer, answer])).toThrow('1 outcomes appear twice');
  expect(() => checkOutcomes(claims, [{ claimId: 'C1', amounts: ['5.00', '5.00', '0.00'] }])).toThrow('10.00 of 10.50');
});

const throughput = (claimsPerSecond: number, digest = 'same', cpu = 100e-6) => ({
  claimsPerSecond,
  costs: { walBytes: 900, workerCpuSeconds: cpu / 2, brokerCpuSeconds: cpu / 2 },
  disturbance: 0,
  peakRssBytes: 250e6,
  deadlocks: 0,
  digest,
});
const latency = (p99: number) => ({
  p50: 20,
  p90: 30,
  p99,
  max: 99,
  samples: 100,
  producerLateMs: 1,
  processors: {},
  peakRssBytes: 250e6,
});
const results = {
  throughput: {
    plain: [throughput(13_000), throughput(20_000), throughput(15_000)],
    bare: [throughput(24_000, 'same', 50e-6)],
    product: [throughput(12_000, 'same', 125e-6)],
  },
  latency: { echo: [latency(40)], product: [latency(90)] },
};

test('targets are judged on medians', () => {
  expect(summarise(results, {})).toMatchObject({
    throughput: { ratio: 0.8, cpuRatio: 0.8, ratioToBare: 0.5, cpuRatioToBare: 0.4, sameOutcomes: true },
    targets: {
      baselineCounts: { value: 15_000, met: true },
      ratio: { value: 0.8, met: true },
      claimsPerSecond: { value: 12_000, met: true },
      p99Ratio: { value: 2.25, met: false },
    },
  });
});

test('a target that was not measured is neither met nor missed', () => {
  const throughputs = { plain: [throughput(9_000)], bare: [], product: [] };
  const plainOnly = { throughput: throughputs, latency: { echo: [], product: [] } };
  const { targets } = summarise(plainOnly, {});
  expect(targets.baselineCounts).toMatchObject({ met: false });
  for (const target of [targets.ratio, targets.claimsPerSecond, targets.p99Ratio])
    expect(target).not.toHaveProperty('met');
  expect(renderTable(summarise(plainOnly, {})).join('\n')).toContain('target ratio: - against 0.7: not measured');
});

test('pipelines that settled differently are shown to have done so', () => {
  const differing = {
    ...results,
    throughput: { plain: [], bare: [throughput(15_000, 'one')], product: [throughput(12_000, 'other')] },
  };
  expect(renderTable(summarise(differing, {})).join('\n')).toContain('alike: NO');
});

test('other towns are judged by their cost beside the usual one, relatives by what each more of them adds', () => {
  const town = (name: ScenarioName, rate: number, microseconds: number, recovery?: number) => ({
    name,
    claimsPerSecond: [rate],
    costs: [{ workerCpuSeconds: (microseconds - 60) / 1e6, databaseCpuSeconds: 6e-5 }],
    recoverySeconds: recovery === undefined ? [] : [recovery],
    deadlocks: 0,
  });
  const scenarios = [
    town('usual', 8_000, 200, 5),
    town('ledger', 8_000, 210, 6.5),
    town('contention', 5_000, 210),
    town('accounts', 7_000, 230),
    town('relatives1', 0, 100),
    town('relatives4', 0, 130),
    town('relatives12', 0, 290),
  ];
  const idle = { settlementWorker: 0.02, sharingWorker: 0.02, database: 0.03, broker: 0.05 };
  const summary = summarise({ ...results, scenarios, idle }, {});
  expect(renderTable(summary).join('\n')).toContain('230 µs of processor a claim (worker 170, database 60, broker -)');
  expect(summary.targets).toMatchObject({
    contended: { value: 0.625, met: true },
    deadlocks: { value: 0, met: true },
    accountsCost: { value: expect.closeTo(1.15), met: true },
    ledgerCost: { value: expect.closeTo(1.05), met: true },
    ledgerRecovery: { value: expect.closeTo(1.3), met: false },
    relativesCost: { value: expect.closeTo(2), met: false },
    idleProcessors: { value: expect.closeTo(0.12), met: true },
    peakRssMegabytes: { value: 250, met: true },
  });
});

test('up to 500 a second each claim is sent by itself when it is due; beyond, with those of the next 5 ms, and each keeps its own time', () => {
  expect([...requestsOf('abc', 500)]).toEqual([
    { claims: ['a'], due: [0], sendAt: 0 },
    { claims: ['b'], due: [2], sendAt: 2 },
    { claims: ['c'], due: [4], sendAt: 4 },
  ]);
  expect([...requestsOf('abcdefgh', 1_000)]).toEqual([
    { claims: ['a', 'b', 'c', 'd', 'e', 'f'], due: [0, 1, 2, 3, 4, 5], sendAt: 5 },
    { claims: ['g', 'h'], due: [6, 7], sendAt: 7 },
  ]);
  const requests = [...requestsOf(Array(3_000), 3_000)];
  expect(requests).toHaveLength(188);
  for (const { due, sendAt } of requests) expect(sendAt - (due[0] ?? 0)).toBeLessThan(5 + 1e-9);
});

test('several workers are timed from when every partition has an answer after all have joined', () => {
  const outcomes = [
    { partition: 0, appendedAt: 900 },
    { partition: 1, appendedAt: 950 },
    { partition: 0, appendedAt: 1_100 },
    { partition: 1, appendedAt: 1_300 },
    { partition: 0, appendedAt: 1_300 },
    { partition: 1, appendedAt: 2_300 },
  ];
  expect(onceShared(outcomes, 1_000)).toEqual(outcomes.slice(3));
});

test('other rates are judged beside the echo, two workers beside one at the same distance', () => {
  const at = (name: 'slow' | 'half', echo: number, product: number) => ({
    ...{ name, perSecond: 100, echo: [latency(echo)], product: [latency(product)] },
  });
  const run = (workers: 1 | 2, delayMs: number, claimsPerSecond: number) => ({
    ...{ workers, delayMs, claimsPerSecond, roundTripMs: delayMs, processors: { others: delayMs / 10 } },
  });
  const limited = [run(1, 5, 1_000), run(2, 5, 2_000)].map((each) => ({ ...each, share: 0.4 }));
  const workers = [run(1, 0, 6_000), run(2, 0, 6_000), run(1, 5, 3_000), run(2, 5, 4_800), ...limited];
  const summary = summarise({ ...results, rates: [at('slow', 40, 50), at('half', 40, 70)], workers }, {});
  expect(summary.targets).toMatchObject({
    slowP99Ratio: { value: 1.25, met: true },
    halfRateP99Ratio: { value: 1.75, met: false },
    twoWorkers: { value: 1.6, met: true },
  });
  const table = renderTable(summary).join('\n');
  expect(table).toContain(
    '5 ms more to the database: one worker 3000 claims/s (0.50 of that without), two 4800: 1.60; others used up to 0.50',
  );
  expect(table).toContain('0.4 of a processor each: one worker 1000 claims/s (0.17 of that without), two 2000: 2.00');
  expect(summarise(results, {}).targets.twoWorkers).not.toHaveProperty('met');
});

test('memory that is the same from the second quarter on has not grown, whatever the first was', () => {
  expect(growth([50, 200, 200, 201, 199, 200, 201, 200].map((each) => each * 1e6))).toBe(1);
  expect(growth([50, 200, 200, 201, 199, 200, 210, 240].map((each) => each * 1e6))).toBeCloseTo(240 / 201);
});

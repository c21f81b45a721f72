import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMetrics, METRICS } from '../src/index.ts';
import { REFRESH_MS } from '../src/metrics.ts';

const valuesOf = (text: string, metric: string) => text.split('\n').filter((line) => line.startsWith(metric));

test('a value lands in its metric under its labels', async () => {
  const metrics = createMetrics({ codes: ['PURPOSE_EXCLUDED'], partitions: 6 });
  metrics.claims.add({ status: 'REFUSED', code: 'PURPOSE_EXCLUDED' }, 3);
  metrics.apply.observe({ topic: 'claims' }, 0.02);
  metrics.shardOwned.set({ topic: 'claims', partition: 5 }, 1);
  const text = await metrics.text();
  expect(text).toContain('settlement_claims_total{status="REFUSED",code="PURPOSE_EXCLUDED"} 3');
  expect(text).toContain('settlement_apply_seconds_bucket{le="0.025",topic="claims"} 1');
  expect(text).toContain('settlement_shard_owned{topic="claims",partition="5"} 1');
  expect(valuesOf(text, 'process_cpu_seconds_total')).not.toEqual([]);
});

test('a label value outside its closed list becomes OTHER', async () => {
  const metrics = createMetrics({ codes: ['PURPOSE_EXCLUDED'], partitions: 6 });
  metrics.declines.add({ code: '33010619900101123X' });
  metrics.lag.set({ topic: 'members', partition: 6 }, 10);
  const text = await metrics.text();
  expect(text).not.toContain('33010619900101123X');
  expect(valuesOf(text, 'settlement_declines_total')).toEqual(['settlement_declines_total{code="OTHER"} 1']);
  expect(valuesOf(text, 'settlement_input_lag_messages')).toEqual([
    'settlement_input_lag_messages{topic="members",partition="OTHER"} 10',
  ]);
});

test('a gauge is refreshed just before it is read, and can be removed', async () => {
  const metrics = createMetrics({ codes: [], partitions: 1 });
  let busy = 0;
  metrics.beforeScrape(async () => metrics.dbPool.set({ state: 'busy' }, ++busy));
  await metrics.text();
  expect(await metrics.text()).toContain('settlement_db_pool_connections{state="busy"} 2');
  metrics.shardEpoch.set({ topic: 'claims', partition: 0 }, 7);
  metrics.shardEpoch.remove({ topic: 'claims', partition: 0 });
  expect(valuesOf(await metrics.text(), 'settlement_shard_epoch')).toEqual([]);
});

test('a gauge that nobody has set is not told, with labels or without', async () => {
  const text = await createMetrics({ codes: [], partitions: 1 }).text();
  for (const name of ['settlement_partition_months_ahead', 'settlement_shard_owned'])
    expect(valuesOf(text, name)).toEqual([]);
});

test('what is read anew for a scrape and does not answer holds nothing else up, and is shown when it has answered', async () => {
  const metrics = createMetrics({ codes: [], partitions: 1 });
  const asked = Promise.withResolvers<void>();
  metrics.shardOwned.set({ topic: 'claims', partition: 0 }, 1);
  metrics.beforeScrape(() => asked.promise.then(() => metrics.monthsAhead.set({}, 3)));
  const text = await metrics.text();
  expect(text).toContain('settlement_shard_owned{topic="claims",partition="0"} 1');
  asked.resolve();
  expect(valuesOf(await metrics.text(), 'settlement_partition_months_ahead')).toEqual([
    'settlement_partition_months_ahead 3',
  ]);
  expect(REFRESH_MS).toBe(1_000);
});

test('the README lists every metric with its kind, labels and help, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const evenly = (line: string) => line.replace(/ +/g, ' ');
  const listed = readme
    .split('\n')
    .filter((line) => line.startsWith('| `settlement_'))
    .map(evenly);
  const expected = Object.values(METRICS).map(({ name, kind, labels, help }) =>
    evenly(`| \`${name}\` | ${kind} | ${Object.keys(labels).join(', ')} | ${help} |`),
  );
  expect(listed).toEqual(expected);
});

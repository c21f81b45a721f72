import { expect, it } from 'vitest';
import type { Batch, BatchProcessor } from '../src/port.ts';
import { OUTPUT } from './campaign.ts';
import { Echo, type LocalStore } from './local-store.ts';
import { makeBench, record, records } from './shards.fixture.ts';

/** An echo that applies several shards' batches as one transaction, and notes of each transaction the shards and how many records. */
const together =
  (seen: string[], fails: (batches: readonly Batch[]) => boolean = () => false) =>
  (store: LocalStore, pause: () => Promise<void>): BatchProcessor => {
    const echo = new Echo(store, OUTPUT);
    const note = (kind: string, batches: readonly Batch[]): void => {
      const parts = batches.map(({ lease, records }) => `${lease.shard.partition}:${records.length}`);
      seen.push(`${kind} ${parts.join(' ')}`);
      if (fails(batches)) throw new TypeError('a defect');
    };
    return {
      apply: async (lease, batch) => {
        await pause();
        note('alone', [{ lease, records: batch }]);
        return echo.apply(lease, batch);
      },
      applyTogether: async (batches) => {
        await pause();
        note('together', batches);
        return Promise.all(batches.map(({ lease, records }) => echo.apply(lease, records)));
      },
    };
  };

it('applies what several shards have at one moment, and what waits meanwhile, as one transaction each', async () => {
  const seen: string[] = [];
  const bench = makeBench({ partitions: 3, processor: together(seen) });
  for (const partition of [0, 1, 2]) await bench.acquire(partition);
  bench.apply(records(0, 0), 2);
  bench.apply(records(0, 1), 0);
  await bench.until(() => seen.length === 1);
  bench.apply(records(2, 4), 0);
  bench.apply(records(0, 0), 1);
  bench.apply(records(1, 1), 2);
  await bench.until(() => [5, 1, 2].every((count, partition) => bench.visible(partition).length === count));
  expect(seen).toEqual(['together 0:2 2:1', 'together 0:3 1:1 2:1']);
});

it('puts no more into one of these than into any transaction, and leaves full batches to themselves', async () => {
  const seen: string[] = [];
  const bench = makeBench({ partitions: 4, limits: { batchRecordsMax: 10 }, processor: together(seen) });
  for (const partition of [0, 1, 2, 3]) await bench.acquire(partition);
  for (const [partition, count] of [4, 6, 1, 10].entries()) bench.apply(records(0, count - 1), partition);
  await bench.until(() => bench.visible(2).length === 1 && bench.visible(3).length === 10);
  expect(seen.toSorted()).toEqual(['alone 2:1', 'alone 3:10', 'together 0:4 1:6']);
});

it('applies each by itself where together they fail; the one it is about is bisected, the others go on', async () => {
  const seen: string[] = [];
  const failed: string[] = [];
  const isBad = ({ lease, records: [first] }: Batch) => lease.shard.partition === 1 && first?.offset === 1n;
  const bench = makeBench({
    partitions: 3,
    processor: together(seen, (batches) => batches.some((batch) => isBad(batch))),
    observer: { failed: ({ partition }, { disposition }) => void failed.push(`${partition} ${disposition}`) },
  });
  for (const partition of [0, 1, 2]) await bench.acquire(partition);
  bench.apply(records(0, 0), 0);
  bench.apply([record(1)], 1);
  bench.apply(records(0, 1), 2);
  await bench.until(() => bench.halts.length === 1);
  await bench.until(() => bench.visible(0).length === 1 && bench.visible(2).length === 2);
  expect(bench.halts).toEqual(['defect']);
  expect(seen).toEqual(['together 0:1 1:1 2:2', 'alone 0:1', 'alone 1:1', 'alone 2:2', 'alone 1:1']);
  expect(failed).toEqual(['0 defect', '1 defect', '2 defect', '1 defect', '1 defect']);
});

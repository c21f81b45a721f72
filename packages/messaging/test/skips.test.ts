import { expect, it } from 'vitest';
import { ConnectionLost } from '../src/memory/world.ts';
import type { Limits } from '../src/options.ts';
import { Echo } from './local-store.ts';
import { makeBench, record, records, SHARD } from './shards.fixture.ts';

/** The log's last record is 997; behind it are markers up to its end, 1,000. */
async function readToTheEnd(limits: Partial<Limits> = {}) {
  const failed: string[] = [];
  const observer = { failed: (_: unknown, { step }: { step: string }) => void failed.push(step) };
  const bench = makeBench({ limits, observer });
  const row = bench.store.row(SHARD);
  row.nextOffset = 990n;
  await bench.acquire();
  bench.apply(records(990, 997), 0, 1_000n);
  await bench.until(() => row.nextOffset >= 998n);
  return { ...bench, row, failed };
}

it('stores what it read behind the last record once nothing has come for a while, so that retention may take it', async () => {
  const { world, row, until, broker, handler, acquire, settled, halts } = await readToTheEnd();
  const from = world.now;
  await until(() => row.nextOffset === 1_000n);
  expect(world.now - from).toBeGreaterThan(9_000);
  await settled(handler.release(0));
  broker.deleteBelow(1_000n);
  expect(await acquire()).toBe(1_000n);
  expect(halts).toEqual([]);
});

it('stores it at once when it lets go', async () => {
  const { row, handler, settled } = await readToTheEnd();
  expect(row.nextOffset).toBe(998n);
  await settled(handler.release(0));
  expect(row.nextOffset).toBe(1_000n);
});

it('stores nothing while the log goes on behind it', async () => {
  const { world, broker, row } = await readToTheEnd();
  broker.append(0, null);
  await world.run(() => false, world.now + 60_000);
  expect(row.nextOffset).toBe(998n);
});

it('does not take for read what was gone before it came there: records may have been among it', async () => {
  const { broker, row, halts, until } = await readToTheEnd();
  broker.deleteBelow(999n);
  await until(() => halts.length > 0);
  expect(halts).toEqual(['input-lost']);
  expect(row.nextOffset).toBe(998n);
});

it('passes over no record of a batch that it gave up', async () => {
  const bench = makeBench({
    processor: (store) => {
      const echo = new Echo(store, 'output');
      return {
        apply: async (lease, batch) => {
          if (batch.some(({ offset }) => offset === 997n)) throw new ConnectionLost();
          return echo.apply(lease, batch);
        },
      };
    },
  });
  const row = bench.store.row(SHARD);
  row.nextOffset = 990n;
  await bench.acquire();
  bench.apply(records(990, 996), 0, 997n);
  await bench.until(() => row.nextOffset === 997n);
  bench.apply([record(997)], 0, 1_000n);
  await bench.settled(bench.handler.release(0));
  expect(row.nextOffset).toBe(997n);
});

it('begins anew where it does not know whether that is stored', async () => {
  const bench = await readToTheEnd();
  const { store, row, failed } = bench;
  const { skipTo } = store;
  store.skipTo = async (lease, nextOffset) => {
    await skipTo.call(store, lease, nextOffset);
    throw new ConnectionLost();
  };
  await bench.until(() => bench.reopened() > 0);
  expect(row.nextOffset).toBe(1_000n);
  expect(failed).toEqual(['skip']);
  expect(await bench.acquire()).toBe(1_000n);
  expect(bench.halts).toEqual([]);
});

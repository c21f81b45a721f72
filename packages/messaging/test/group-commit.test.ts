import { expect, it } from 'vitest';
import { GroupCommit } from '../src/group-commit.ts';
import type { Applied, BatchPart, BatchProcessor, InputRecord, Lease } from '../src/port.ts';
import { Turns } from '../src/turns.ts';
import { HandClock, settled } from './hand-clock.ts';

/** One transaction as it was asked for: the partitions it holds, and how it is to end. */
interface Asked {
  readonly partitions: readonly number[];
  readonly commit: () => void;
  readonly fail: (error: Error) => void;
}

const leaseOf = (partition: number): Lease => ({
  shard: { topic: 'claims', partition },
  epoch: 1n,
  nextOffset: 0n,
  publishedSeq: 0n,
});
const record: InputRecord = { offset: 7n, key: null, value: null, headers: [], timestampMs: 0 };
const appliedTo = ({ lease }: BatchPart): Applied => ({
  nextOffset: 8n,
  outSeq: BigInt(lease.shard.partition),
  rows: [],
});

/** A group of shards whose transactions end when the test says so. */
function start({ isTogether = true, batchRecordsMax = 10, batchBytesMax = 1_000 } = {}) {
  const asked: Asked[] = [];
  const answers: string[] = [];
  const failures: string[] = [];
  const ask = <T>(parts: readonly BatchPart[], applied: T): Promise<T> =>
    new Promise((resolve, reject) => {
      const partitions = parts.map(({ lease }) => lease.shard.partition);
      asked.push({ partitions, commit: () => resolve(applied), fail: reject });
    });
  const processor: BatchProcessor = {
    apply: (lease, records) => ask([{ lease, records }], appliedTo({ lease, records })),
    ...(isTogether && { applyTogether: (parts) => ask(parts, parts.map(appliedTo)) }),
  };
  const clock = new HandClock();
  const turns = new Turns(clock, { atOnce: 1, lastsMaxMs: 50 });
  const groups = new GroupCommit(turns, processor, {
    limits: { batchRecordsMax, batchBytesMax },
    onFailure: (part, error) => failures.push(`${part.lease.shard.partition}: ${error}`),
  });
  /** A shard that has something to apply, and tells what it was answered. */
  const ride = (partition: number, waiting = { records: 1, bytes: 1 }): Promise<void> =>
    groups.run(
      () => waiting,
      async (apply) => {
        await apply(leaseOf(partition), [record]).then(
          ({ outSeq }) => answers.push(`${partition} got ${outSeq}`),
          (error) => answers.push(`${partition} failed: ${error.message}`),
        );
      },
    );
  const held = () => asked.map(({ partitions }) => partitions);
  return { clock, groups, ride, asked, held, answers, failures };
}

it('lets a shard that is alone go at once, and those that come meanwhile share the next transaction', async () => {
  const { ride, asked, held, answers } = start();
  void ride(0);
  await settled();
  for (const partition of [3, 1, 2]) void ride(partition);
  await settled();
  expect(held()).toEqual([[0]]);
  asked[0]?.commit();
  await settled();
  expect(held()).toEqual([[0], [3, 1, 2]]);
  expect(answers).toEqual(['0 got 0']);
  asked[1]?.commit();
  await settled();
  expect(answers.slice(1)).toEqual(['3 got 3', '1 got 1', '2 got 2']);
});

it('puts no more into a transaction than one full batch holds, by count and by bytes', async () => {
  const { ride, asked, held } = start({ batchRecordsMax: 10, batchBytesMax: 100 });
  void ride(0);
  await settled();
  void ride(1, { records: 6, bytes: 1 });
  void ride(2, { records: 4, bytes: 1 });
  void ride(3, { records: 1, bytes: 99 });
  void ride(4, { records: 1, bytes: 2 });
  void ride(5, { records: 900, bytes: 1 });
  for (let at = 0; at < 5; at++) {
    await settled();
    asked[at]?.commit();
  }
  await settled();
  expect(held()).toEqual([[0], [1, 2], [3], [4], [5]]);
});

it('applies each batch by itself after a transaction of several has failed, and says so once', async () => {
  const { ride, asked, held, answers, failures } = start();
  void ride(0);
  await settled();
  for (const partition of [1, 2, 3]) void ride(partition);
  asked[0]?.commit();
  await settled();
  asked[1]?.fail(new Error("shard 2 is another's"));
  await settled();
  expect(held().slice(1)).toEqual([[1, 2, 3], [1], [2], [3]]);
  asked[2]?.commit();
  asked[3]?.fail(new Error('fenced'));
  asked[4]?.commit();
  await settled();
  expect(answers.slice(1).sort()).toEqual(['1 got 1', '2 failed: fenced', '3 got 3']);
  expect(failures).toEqual(["1: Error: shard 2 is another's"]);
});

it('applies by itself what is tried again, or asked for too late to go with the others', async () => {
  const { groups, ride, asked, held } = start();
  void ride(0);
  await settled();
  void groups.run(
    () => ({ records: 1, bytes: 1 }),
    async (apply) => {
      await apply(leaseOf(1), [record]).catch(() => apply(leaseOf(1), [record]));
    },
  );
  void ride(2);
  asked[0]?.commit();
  await settled();
  asked[1]?.fail(new Error('gone'));
  await settled();
  asked[2]?.fail(new Error('gone as well'));
  await settled();
  expect(held()).toEqual([[0], [1, 2], [1], [2], [1]]);
});

it('goes on without a shard that has nothing after all, and waits no longer than a turn lasts for a slow transaction', async () => {
  const { clock, groups, ride, asked, held } = start();
  await groups.run(
    () => ({ records: 0, bytes: 0 }),
    async () => {},
  );
  expect(held()).toEqual([]);
  void ride(0);
  await settled();
  void ride(1);
  await clock.moveTo(49);
  expect(held()).toEqual([[0]]);
  await clock.moveTo(50);
  expect(held()).toEqual([[0], [1]]);
  asked[1]?.commit();
  asked[0]?.commit();
  await settled();
});

it('applies one shard a transaction where the service cannot do several', async () => {
  const { ride, asked, held, answers } = start({ isTogether: false });
  void ride(0);
  await settled();
  for (const partition of [1, 2]) void ride(partition);
  asked[0]?.commit();
  await settled();
  for (const at of [1, 2]) asked[at]?.commit();
  await settled();
  expect(held()).toEqual([[0], [1], [2]]);
  expect(answers).toEqual(['0 got 0', '1 got 1', '2 got 2']);
});

it('tells a shard of an error that is its own', async () => {
  const { groups } = start();
  const own = groups.run(
    () => ({ records: 1, bytes: 1 }),
    async () => {
      throw new Error('its own');
    },
  );
  await expect(own).rejects.toThrow('its own');
});

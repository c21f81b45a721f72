import { describe, expect, it } from 'vitest';
import { FencedError } from '../src/errors.ts';
import { ConnectionLost } from '../src/memory/world.ts';
import type { Applied, BatchProcessor, InputRecord, Lease } from '../src/port.ts';
import { Campaign, OUTPUT } from './campaign.ts';
import { Echo, type LocalStore } from './local-store.ts';
import { makeBench, record, records, SHARD, slowEcho, values } from './shards.fixture.ts';

/** A result without its content. */
const OUTGOING = { topic: OUTPUT, partition: 0, key: null, headers: [] };

describe('applying', () => {
  it('has one record alone visible at once: nothing waits for more', async () => {
    const bench = makeBench();
    await bench.acquire();
    await bench.world.run(() => false, bench.world.now + 5_000);
    const sentAt = bench.world.now;
    bench.apply(records(0, 0));
    await bench.until(() => bench.visible().length === 1);
    // Three requests to the simulated broker, of at most 4 ms each.
    expect(bench.world.now - sentAt).toBeLessThan(15);
  });

  it('takes more records at once than a call takes arguments', async () => {
    const bench = makeBench();
    await bench.acquire();
    expect(() => bench.apply(records(0, 149_999))).not.toThrow();
  });

  it('drops records that were applied before', async () => {
    const bench = makeBench();
    bench.store.row(SHARD).nextOffset = 3n;
    expect(await bench.acquire()).toBe(3n);
    bench.apply(records(0, 4));
    await bench.until(() => bench.visible().length === 2);
    expect(bench.visible()).toEqual(values(3, 4));
  });

  it('takes offsets with gaps', async () => {
    const bench = makeBench();
    await bench.acquire();
    bench.apply([record(1), record(5), record(900)]);
    await bench.until(() => bench.visible().length === 3);
    expect(bench.store.row(SHARD).nextOffset).toBe(901n);
  });

  it('goes on with the next batch while the last one is being published', async () => {
    const history: string[] = [];
    const bench = makeBench({
      processor: slowEcho,
      limits: { batchRecordsMax: 2, publishPauseMs: 0 },
      observer: { applied: () => void history.push('applied'), published: () => void history.push('published') },
    });
    await bench.acquire();
    bench.apply(records(0, 5));
    await bench.until(() => bench.visible().length === 6);
    // A transaction of the simulated database takes two requests, one of the broker three.
    expect(history.indexOf('published')).toBeGreaterThan(1);
    expect(bench.visible()).toEqual(values(0, 5));
  });

  it('begins no batch while too many rows wait for publishing', async () => {
    let unpublished = 0;
    let most = 0;
    const bench = makeBench({
      limits: { batchRecordsMax: 2, unpublishedRowsMax: 4, publishRowsMax: 1, publishPauseMs: 50 },
      observer: {
        applied: (_, { rows }) => {
          unpublished += rows;
          most = Math.max(most, unpublished);
        },
        published: (_, { rows }) => {
          unpublished -= rows;
        },
      },
    });
    await bench.acquire();
    bench.apply(records(0, 19));
    await bench.until(() => bench.visible().length === 20);
    expect(most).toBe(5);
  });

  it('tells of every row once when it is committed and once when it is published, also where an answer is lost', async () => {
    const told = { committed: 0, published: 0, failed: 0, depth: -1, records: 0 };
    const bench = makeBench({
      limits: { batchRecordsMax: 3, publishRowsMax: 2, publishPauseMs: 0 },
      observer: {
        phase: (_, phase, held) => expect(held).toEqual(phase === 'ready' ? { epoch: 1n, lag: 1_000 } : undefined),
        committed: (_, { rows, depth, timestampsMs }) => {
          told.committed += rows;
          told.records += timestampsMs.length;
          expect(depth).toBeLessThanOrEqual(told.committed - told.published);
        },
        published: (_, { rows, depth }) => {
          told.published += rows;
          told.depth = depth;
        },
        failed: (_, { step }) => {
          if (step === 'publish') told.failed += 1;
        },
      },
    });
    await bench.acquire();
    bench.world.faultRate = 0.02;
    bench.apply(records(0, 199));
    await bench.until(() => told.published >= 200);
    expect(bench.visible()).toEqual(values(0, 199));
    expect(told).toMatchObject({ committed: 200, records: 200, published: 200, depth: 0 });
    expect(told.failed).toBeGreaterThan(0);
  });

  it('has two full batches under way at once, whichever their shards, and others beside them', async () => {
    let [busy, most] = [0, 0];
    const sizes: number[] = [];
    const bench = makeBench({
      partitions: 5,
      limits: { batchRecordsMax: 10 },
      processor: (store, pause) => ({
        apply: async (lease, batch) => {
          const isFull = batch.length === 10;
          if (isFull) most = Math.max(most, ++busy);
          else sizes.push(busy);
          await pause();
          if (isFull) busy -= 1;
          return new Echo(store, OUTPUT).apply(lease, batch);
        },
      }),
    });
    for (let partition = 0; partition < 5; partition++) await bench.acquire(partition);
    for (let partition = 0; partition < 4; partition++) bench.apply(records(0, 29), partition);
    bench.apply(records(0, 0), 4);
    await bench.until(() => [0, 1, 2, 3].every((partition) => bench.visible(partition).length === 30));
    expect(most).toBe(2);
    expect(sizes).toEqual([2]);
  });

  it('asks for a pause in reading while its inbox is full, and for more before it is empty', async () => {
    const bench = makeBench({ processor: slowEcho, limits: { inboxRecordsMax: 40, batchRecordsMax: 5 } });
    await bench.acquire();
    expect(bench.apply(records(0, 19))).toBeNull();
    const room = bench.apply(records(20, 59));
    expect(room).not.toBeNull();
    await bench.settled(room ?? Promise.resolve());
    expect(bench.store.row(SHARD).nextOffset).toBeLessThan(60n);
    await bench.until(() => bench.visible().length === 60);
  });

  it('counts headers: dead letters have those of their messages, which may be far larger than the rest', async () => {
    const published: number[] = [];
    const bench = makeBench({
      // Each row has 7 bytes, and as many in its header.
      limits: { publishBytesMax: 28, publishPauseMs: 50 },
      observer: { published: (_, { rows }) => void published.push(rows) },
    });
    await bench.acquire();
    bench.apply(records(0, 9).map((each) => ({ ...each, headers: [['h', Buffer.alloc(6)]] })));
    await bench.until(() => bench.visible().length === 10);
    expect(Math.max(...published)).toBe(2);
  });

  it('counts bytes where records are large: in a batch, in the inbox, in a Kafka transaction and in what waits for one', async () => {
    const sizes: number[] = [];
    const published: number[] = [];
    let depth = 0;
    // Each record has 7 bytes.
    const bench = makeBench({
      processor: slowEcho,
      limits: {
        batchBytesMax: 28,
        inboxBytesMax: 140,
        publishBytesMax: 14,
        unpublishedBytesMax: 21,
        publishPauseMs: 50,
      },
      observer: {
        applied: (_, { records: count }) => void sizes.push(count),
        published: (_, { rows, depth: left }) => {
          published.push(rows);
          depth = Math.max(depth, left);
        },
      },
    });
    await bench.acquire();
    expect(bench.apply(records(0, 9))).toBeNull();
    expect(bench.apply([record(10)])).not.toBeNull();
    await bench.until(() => bench.visible().length === 11);
    expect(Math.max(...sizes)).toBe(4);
    expect(Math.max(...published)).toBe(2);
    // Less than the limit waited, and then one batch more came.
    expect(depth).toBeLessThanOrEqual(2 + 4);
  });

  it('finds out that a commit without an answer had happened', async () => {
    const bench = makeBench({
      processor: (store) => {
        const echo = new Echo(store, OUTPUT);
        let isFirst = true;
        return {
          apply: async (lease, batch) => {
            const applied = await echo.apply(lease, batch);
            if (!isFirst) return applied;
            isFirst = false;
            throw new ConnectionLost();
          },
        };
      },
    });
    await bench.acquire();
    bench.apply(records(0, 2));
    bench.apply(records(3, 4));
    await bench.until(() => bench.visible().length === 5);
    expect(bench.visible()).toEqual(values(0, 4));
    expect([bench.reopened(), bench.halts]).toEqual([0, []]);
  });

  it('closes when another owner has the shard', async () => {
    const bench = makeBench();
    await bench.acquire();
    bench.store.row(SHARD).epoch += 1n;
    bench.apply(records(0, 2));
    await bench.until(() => bench.reopened() === 1);
    expect([bench.visible(), bench.halts]).toEqual([[], []]);
  });

  it('halts when its row is in a state that no transaction of ours explains', async () => {
    const bench = makeBench();
    await bench.acquire();
    bench.store.row(SHARD).nextOffset = 7n;
    bench.apply(records(0, 2));
    await bench.until(() => bench.halts.length > 0);
    expect(bench.halts).toEqual(['state-unexplained']);
  });

  it('does idle work between batches, although records never stop coming', async () => {
    let idleRuns = 0;
    const bench = makeBench({
      limits: { batchRecordsMax: 1, idleIntervalMs: 20 },
      processor: (store, pause) => {
        return {
          ...slowEcho(store, pause),
          applyIdle: async () => {
            idleRuns += 1;
            return null;
          },
        };
      },
    });
    await bench.acquire();
    bench.apply(records(0, 99));
    await bench.until(() => bench.visible().length >= 99);
    expect(idleRuns).toBeGreaterThan(5);
  });
});

describe('idle work', () => {
  it('is told what of the log has been applied, and not what was only fetched', async () => {
    const told: [isApplied: boolean, next: bigint][] = [];
    const bench = makeBench({
      limits: { batchRecordsMax: 1, idleIntervalMs: 20 },
      processor: (store, pause) => ({
        ...slowEcho(store, pause),
        applyIdle: async (_, input) => {
          told.push([input.isApplied(8n), store.row(SHARD).nextOffset]);
          return null;
        },
      }),
    });
    await bench.acquire();
    bench.apply(records(0, 7));
    await bench.until(() => told.at(-1)?.[0] === true);
    expect(told[0]?.[0]).toBe(false);
    for (const [isApplied, next] of told) expect(isApplied).toBe(next >= 8n);
  });
});

describe('a record that meets a defect', () => {
  const failingOn = (store: LocalStore, poison: ReadonlySet<bigint>): BatchProcessor => {
    const echo = new Echo(store, OUTPUT);
    const row = (value: string) => ({ topic: OUTPUT, partition: 0, key: null, value: Buffer.from(value), headers: [] });
    return {
      apply: async (lease: Lease, batch: readonly InputRecord[]): Promise<Applied> => {
        if (batch.some(({ offset }) => poison.has(offset))) throw new TypeError('poison');
        return echo.apply(lease, batch);
      },
      quarantine: async (lease, { offset }) => store.commit(lease, offset + 1n, [row(`set aside ${offset}`)]),
    };
  };

  it('is found by bisecting and set aside in order; the others go on', async () => {
    const setAside: bigint[] = [];
    const bench = makeBench({
      processor: (store) => failingOn(store, new Set([2n, 9n])),
      observer: { quarantined: (_, { offset }) => void setAside.push(offset) },
    });
    await bench.acquire();
    bench.apply(records(0, 11));
    await bench.until(() => bench.visible().length === 12);
    expect(bench.visible()).toEqual([
      ...values(0, 1),
      'set aside 2',
      ...values(3, 8),
      'set aside 9',
      ...values(10, 11),
    ]);
    expect(setAside).toEqual([2n, 9n]);
  });

  it('halts the shard when the service has nowhere to set it aside', async () => {
    const bench = makeBench({
      processor: (store) => {
        const { apply } = failingOn(store, new Set([1n]));
        return { apply };
      },
    });
    await bench.acquire();
    bench.apply(records(0, 3));
    await bench.until(() => bench.halts.length > 0);
    expect(bench.halts).toEqual(['defect']);
    await bench.until(() => bench.visible().length === 1);
  });

  it('halts the shard when there are too many of them', async () => {
    const bench = makeBench({
      limits: { quarantineMax: 3 },
      processor: (store) => failingOn(store, new Set(records(0, 9).map(({ offset }) => offset))),
    });
    await bench.acquire();
    bench.apply(records(0, 9));
    await bench.until(() => bench.halts.length > 0);
    expect(bench.store.row(SHARD).nextOffset).toBe(3n);
  });
});

describe('acquiring', () => {
  it('publishes what a predecessor committed and left, before anything new', async () => {
    const bench = makeBench({ limits: { publishRowsMax: 3 } });
    const lease = { shard: SHARD, epoch: 0n, nextOffset: 0n, outSeq: 0n, publishedSeq: 0n };
    await new Echo(bench.store, OUTPUT).apply(lease, records(0, 7));
    expect(await bench.acquire()).toBe(8n);
    expect(bench.visible()).toEqual(values(0, 7));
  });

  it('believes the mirror in the database when the broker has forgotten the position', async () => {
    const bench = makeBench();
    await bench.acquire();
    bench.apply(records(0, 4));
    await bench.until(() => bench.store.row(SHARD).publishedSeq === 5n);
    await bench.settled(bench.handler.release(0));
    bench.broker.forgetPositions();
    await bench.acquire();
    bench.apply(records(5, 5));
    await bench.until(() => bench.visible().length >= 6);
    expect(bench.visible()).toEqual(values(0, 5));
  });

  it('writes its position again while nothing happens', async () => {
    const bench = makeBench({ limits: { refreshIntervalMs: 60_000 } });
    await bench.acquire();
    bench.apply(records(0, 1));
    await bench.until(() => bench.store.row(SHARD).publishedSeq === 2n);
    bench.broker.forgetPositions();
    await bench.until(() => bench.broker.position(0) === 2n);
    expect(bench.visible()).toEqual(values(0, 1));
  });

  it('publishes what is committed before it lets go', async () => {
    const bench = makeBench();
    await bench.acquire();
    bench.apply(records(0, 9));
    await bench.until(() => bench.store.row(SHARD).outbox.length === 10);
    await bench.settled(bench.handler.release(0));
    expect(bench.visible()).toEqual(values(0, 9));
    expect(bench.store.row(SHARD).publishedSeq).toBe(10n);
  });

  it('lets go in time although much waits for publishing: the next owner publishes what is left', async () => {
    const bench = makeBench({ limits: { drainMaxMs: 2_000, publishPauseMs: 1_500, publishRowsMax: 1 } });
    await bench.acquire();
    bench.apply(records(0, 9));
    await bench.until(() => bench.store.row(SHARD).outbox.length === 10);
    const from = bench.world.now;
    await bench.settled(bench.handler.release(0));
    // The step it is at is finished.
    expect(bench.world.now - from).toBeLessThan(2_000 + 1_500 + 100);
    expect(bench.visible().length).toBeLessThan(10);
    await bench.acquire();
    expect(bench.visible()).toEqual(values(0, 9));
  });

  const unexplained: Array<[reason: string, (bench: ReturnType<typeof makeBench>) => void]> = [
    ['input-beyond-log-end', ({ store }) => Object.assign(store.row(SHARD), { nextOffset: 1_001n })],
    ['input-lost', ({ broker }) => broker.deleteBelow(1n)],
    ['position-ahead-of-database', ({ store }) => Object.assign(store.row(SHARD), { publishedSeq: 1n })],
    ['partition-count-changed', ({ store }) => Object.assign(store.row(SHARD), { epoch: 1n, partitions: 2 })],
  ];
  it.each(unexplained)('halts with %s', async (reason, happen) => {
    const bench = makeBench();
    happen(bench);
    expect(await bench.acquire()).toBeNull();
    expect(bench.halts).toEqual([reason]);
  });

  /** Four results that a predecessor committed and left. */
  const leaveFour = (bench: ReturnType<typeof makeBench>) =>
    new Echo(bench.store, OUTPUT).apply(
      { shard: SHARD, epoch: 0n, nextOffset: 0n, outSeq: 0n, publishedSeq: 0n },
      records(0, 3),
    );

  it.each<[reason: string, happen: (bench: ReturnType<typeof makeBench>) => void]>([
    ['input-lost', ({ broker }) => broker.deleteBelow(5n)],
    ['partition-count-changed', ({ store }) => Object.assign(store.row(SHARD), { epoch: 1n, partitions: 2 })],
  ])(
    'publishes what a predecessor left before it halts with %s, and says so in the database',
    async (reason, happen) => {
      const bench = makeBench();
      await leaveFour(bench);
      happen(bench);
      expect(await bench.acquire()).toBeNull();
      expect(bench.halts).toEqual([reason]);
      expect(bench.visible()).toEqual(values(0, 3));
      expect(bench.store.row(SHARD).publishedSeq).toBe(4n);
    },
  );

  it.each<[reason: string, happen: (bench: ReturnType<typeof makeBench>) => void]>([
    ['position-ahead-of-database', ({ store }) => Object.assign(store.row(SHARD), { publishedSeq: 5n })],
    ['input-beyond-log-end', ({ broker }) => broker.truncate()],
  ])('publishes nothing where it halts with %s: how far all was published is in doubt', async (reason, happen) => {
    const bench = makeBench();
    await leaveFour(bench);
    happen(bench);
    expect(await bench.acquire()).toBeNull();
    expect(bench.halts).toEqual([reason]);
    expect(bench.visible()).toEqual([]);
  });

  it('waits for the COMMIT of an earlier attempt before it takes work without a record for done', async () => {
    let calls = 0;
    const committed = Promise.withResolvers<void>();
    const bench = makeBench({
      processor: (store) => ({
        apply: (lease, batch) => new Echo(store, OUTPUT).apply(lease, batch),
        applyIdle: async (lease) => {
          calls += 1;
          if (calls > 1) return null;
          // As PostgreSQL: an update of the shard's row waits for the transaction that has changed it.
          store.skipTo = () => committed.promise;
          bench.world.after(500, () => {
            store.commit(lease, lease.nextOffset, [{ ...OUTGOING, value: Buffer.from('idle 1') }]);
            committed.resolve();
          });
          throw new ConnectionLost();
        },
      }),
    });
    await bench.acquire();
    await bench.until(() => bench.visible().length === 1);
    expect(bench.visible()).toEqual(['idle 1']);
  });

  /** Two results of work without a record, published; then the database loses them and what it had stored of the position. */
  async function loseIdleWork(isMarked: boolean) {
    let left = 1;
    const bench = makeBench({
      processor: (store) => ({
        apply: (lease, batch) => new Echo(store, OUTPUT).apply(lease, batch),
        applyIdle: async (lease) => {
          left -= 1;
          const row = (text: string) => ({ ...OUTGOING, value: Buffer.from(text) });
          return left < 0 ? null : store.commit(lease, lease.nextOffset, [row('idle 1'), row('idle 2')]);
        },
      }),
    });
    await bench.acquire();
    const row = bench.store.row(SHARD);
    await bench.until(() => bench.visible().length === 2 && (row.publishedSeq === 2n) === isMarked);
    row.outbox.length = 0;
    row.publishedSeq = 0n;
    return { bench, row };
  }

  it('writes nothing where the database has lost work without a record, at the same offset', async () => {
    const { bench, row } = await loseIdleWork(true);
    bench.apply(records(0, 2));
    await bench.until(() => bench.halts.length > 0);
    expect(bench.halts).toEqual(['position-ahead-of-database']);
    expect([row.nextOffset, row.outbox]).toEqual([0n, []]);
  });

  it('halts an idle shard whose position the database cannot store, as it has lost what was published', async () => {
    const { bench } = await loseIdleWork(false);
    await bench.until(() => bench.halts.length > 0);
    expect(bench.halts).toEqual(['position-ahead-of-database']);
  });

  it('halts with outbox-gap when a row to publish is missing', async () => {
    const bench = makeBench();
    const lease = { shard: SHARD, epoch: 0n, nextOffset: 0n, outSeq: 0n, publishedSeq: 0n };
    await new Echo(bench.store, OUTPUT).apply(lease, records(0, 3));
    const { outbox } = bench.store.row(SHARD);
    const second = outbox[1];
    if (second !== undefined) outbox[1] = { ...second, seq: 9n };
    expect(await bench.acquire()).toBeNull();
    expect(bench.halts).toEqual(['outbox-gap']);
  });

  it('is no longer being acquired once it is let go, though it never was', async () => {
    const phases: string[] = [];
    const bench = makeBench({ observer: { phase: (_, phase) => void phases.push(phase) } });
    bench.store.acquire = () => Promise.reject(new ConnectionLost());
    await expect(bench.acquire()).rejects.toBeInstanceOf(ConnectionLost);
    await bench.settled(bench.handler.release(0));
    expect(phases).toEqual(['acquiring', 'closed']);
  });

  it('halts when acquiring meets a defect again', async () => {
    const bench = makeBench();
    bench.store.acquire = async () => {
      throw new TypeError('a defect');
    };
    await expect(bench.acquire()).rejects.toThrow(TypeError);
    expect(await bench.acquire()).toBeNull();
    expect(bench.halts).toEqual(['defect']);
  });

  it('does not halt for what is only the progress of a newer owner', async () => {
    const bench = makeBench();
    const { acquire, read } = bench.store;
    // Another acquires, applies and publishes between our acquisition and our look at the position.
    bench.store.acquire = async (shard, owner, partitions) => {
      const state = await acquire.call(bench.store, shard, owner, partitions);
      Object.assign(bench.store.row(SHARD), { epoch: state.epoch + 1n });
      return { ...state, publishedSeq: 5n };
    };
    bench.store.read = (shard) => read.call(bench.store, shard);
    await expect(bench.acquire()).rejects.toThrow(FencedError);
    expect(bench.halts).toEqual([]);
  });
});

describe('an outage', () => {
  /** A shard that cannot be acquired, and a clock that is told how late it is. */
  function failing() {
    const bench = makeBench({ limits: { outageMaxMs: 30_000 } });
    bench.store.acquire = () => Promise.reject(new ConnectionLost());
    const fail = () => bench.acquire().catch(() => 'failed');
    const pass = async (ms: number) => {
      let isOver = false;
      bench.clock.after(ms, () => {
        isOver = true;
      });
      expect(await bench.world.run(() => isOver, bench.world.now + ms)).toBe(true);
    };
    return { ...bench, fail, pass };
  }

  it('does not grow while the shard is not ours: others may have had every success meanwhile', async () => {
    const { fail, pass, settled, handler, halts } = failing();
    expect(await fail()).toBe('failed');
    await settled(handler.release(0));
    await pass(3_600_000);
    expect(await fail()).toBe('failed');
    expect(halts).toEqual([]);
  });

  it('grows over all the time in which the shard was ours, however often it was let go', async () => {
    const { fail, pass, settled, handler, halts } = failing();
    for (let round = 0; round < 3; round++) {
      expect(await fail()).toBe('failed');
      await pass(12_000);
      await settled(handler.release(0));
    }
    expect(await fail()).toBeNull();
    expect(halts).toEqual(['outage']);
  });

  it('is waited out, then passes without loss', async () => {
    const campaign = new Campaign(3, { partitions: 1 });
    campaign.start();
    campaign.world.faultRate = 1;
    for (let index = 0; index < 20; index++) campaign.broker.append(0, Buffer.from('rows:1'));
    await campaign.world.run(() => false, 60_000);
    campaign.world.faultRate = 0;
    expect(await campaign.world.run(() => campaign.isDrained(), 120_000)).toBe(true);
    expect(campaign.violations()).toEqual([]);
  });

  it('halts the shard when it lasts too long', async () => {
    const campaign = new Campaign(4, { partitions: 1, limits: { outageMaxMs: 30_000 } });
    campaign.start();
    campaign.broker.append(0, Buffer.from('rows:1'));
    expect(await campaign.world.run(() => campaign.isDrained(), 10_000)).toBe(true);
    campaign.broker.append(0, Buffer.from('rows:1'));
    // The group is still heard of now and then, the database and the publisher hardly ever.
    campaign.world.faultRate = 0.97;
    expect(await campaign.world.run(() => campaign.halts.length > 0, 600_000)).toBe(true);
    expect(campaign.halts.map(({ reason }) => reason)).toEqual(['outage']);
  });
});

it('refuses limits that are not positive', () => {
  expect(() => makeBench({ limits: { batchRecordsMax: 0 } })).toThrow('batchRecordsMax');
});

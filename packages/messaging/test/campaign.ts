import { FencedError, type HaltReason } from '../src/errors.ts';
import { MemoryBroker, ProducerFenced } from '../src/memory/broker.ts';
import { LockTimeout, MemoryDatabase, MemoryStore, type Transaction, type Writes } from '../src/memory/database.ts';
import { MemoryGroup, MemoryLog } from '../src/memory/log.ts';
import { MemoryPublisher, type PublisherFlaws } from '../src/memory/publisher.ts';
import { ConnectionLost, MemoryProcess, World } from '../src/memory/world.ts';
import type { Limits } from '../src/options.ts';
import type { Applied, Batch, BatchProcessor, Disposition, InputRecord, Lease } from '../src/port.ts';
import { createProcessor } from '../src/processor.ts';

export const TOPIC = 'input';
export const OUTPUT = 'output';

export function classify(error: unknown): Disposition {
  if (error instanceof FencedError) return 'fenced';
  const isTransient =
    error instanceof ConnectionLost || error instanceof LockTimeout || error instanceof ProducerFenced;
  return isTransient ? 'transient' : 'defect';
}

const outputRow = (partition: number, value: string): Writes['rows'][number] => ({
  topic: OUTPUT,
  partition,
  key: null,
  value: Buffer.from(value),
  headers: [],
});

/**
 * What a service would do, on the simulated database. A record says by its value what it causes: `rows:2` writes two rows, `work:3`
 * leaves three pieces of idle work, each of which writes one row later, `poison` is a defect until somebody mends it, and then writes one
 * row. The key of a record that is set aside is held with all that follows of it, until it is ordered to be released.
 */
class SampleProcessor implements BatchProcessor {
  readonly #process: MemoryProcess;
  readonly #database: MemoryDatabase;
  readonly #flaws: Flaws;
  readonly #campaign: Pick<Campaign, 'isMended' | 'together'>;

  constructor(
    process: MemoryProcess,
    database: MemoryDatabase,
    flaws: Flaws,
    campaign: Pick<Campaign, 'isMended' | 'together'>,
  ) {
    this.#process = process;
    this.#database = database;
    this.#flaws = flaws;
    this.#campaign = campaign;
  }

  apply(lease: Lease, records: readonly InputRecord[]): Promise<Applied> {
    return this.#transact(lease, (transaction) => this.#batchOf({ lease, records }, transaction));
  }

  async applyTogether(batches: readonly Batch[]): Promise<readonly Applied[]> {
    const leases = batches.map(({ lease }) => lease);
    const parts = await this.#process.call(() => this.#database.beginTogether(leases));
    const before = parts.map(({ row }) => row.outSeq);
    let writes: Writes[];
    try {
      writes = batches.map((batch, i) => this.#batchOf(batch, parts[i] as Transaction));
    } catch (error) {
      for (const part of parts) part.rollback();
      throw error;
    }
    const written = await this.#process.call(() => this.#database.commitTogether(parts, writes));
    this.#campaign.together += 1;
    return written.map((rows, i) => ({
      nextOffset: writes[i]?.nextOffset ?? 0n,
      outSeq: (before[i] ?? 0n) + BigInt(rows.length),
      rows,
    }));
  }

  #batchOf({ lease, records }: Batch, { row }: Transaction): Writes {
    const nextOffset = (records.at(-1)?.offset ?? 0n) + 1n;
    const keys = new Set(this.#flaws.forgetHeld ? [] : row.held.map(keyOf));
    const isHeld = (record: InputRecord) => record.key !== null && keys.has(keyOf(record));
    const free = records.filter((record) => !isHeld(record));
    return { nextOffset, hold: records.filter(isHeld), ...this.#writesOf(lease, free) };
  }

  async applyIdle(lease: Lease): Promise<Applied | null> {
    const { partition } = lease.shard;
    const { work, orders } = await this.#process.call(() => ({ ...this.#database.view(partition) }));
    if (orders.length > 0) return this.#release(lease);
    if (work.length === 0) return null;
    // What was seen outside the transaction may be done by now; the transaction looks again, under the shard's lock.
    return this.#transact(lease, (transaction) => {
      const found = transaction.row.work.slice(0, 2);
      return {
        nextOffset: lease.nextOffset,
        rows: found.map((name) => outputRow(partition, name)),
        takeWork: found.length,
      };
    });
  }

  async quarantine(lease: Lease, record: InputRecord): Promise<Applied> {
    return this.#transact(lease, { nextOffset: record.offset + 1n, rows: [], hold: [record] });
  }

  /** Applies the first few records of the key that was ordered; the order ends with the last, or at one that is still a defect. */
  #release(lease: Lease): Promise<Applied> {
    return this.#transact(lease, ({ row }) => {
      const ofKey = row.held.filter((record) => keyOf(record) === row.orders[0]);
      const first = ofKey.slice(0, 3);
      const poisoned = this.#campaign.isMended ? -1 : first.findIndex(isPoison);
      const released = poisoned < 0 ? first : first.slice(0, poisoned);
      const endOrder = poisoned >= 0 || released.length === ofKey.length;
      const inOrder = this.#flaws.releaseBackwards ? released.toReversed() : released;
      return { nextOffset: lease.nextOffset, letGo: released, endOrder, ...this.#writesOf(lease, inOrder) };
    });
  }

  #writesOf({ shard: { partition } }: Lease, records: readonly InputRecord[]) {
    if (!this.#campaign.isMended && records.some(isPoison)) throw new TypeError('poison');
    return {
      rows: records.flatMap((record) => rowsOf(partition, record).map((value) => outputRow(partition, value))),
      applied: records.map(({ offset }) => offset),
      addWork: records.flatMap((record) => workOf(partition, record)),
    };
  }

  async #transact(lease: Lease, writes: Writes | ((transaction: Transaction) => Writes)): Promise<Applied> {
    const transaction = await this.#process.call(() => this.#database.begin(lease));
    const before = transaction.row.outSeq;
    let final: Writes;
    try {
      final = typeof writes === 'function' ? writes(transaction) : writes;
    } catch (error) {
      transaction.rollback();
      throw error;
    }
    const rows = await this.#process.call(() => transaction.commit(final));
    return { nextOffset: final.nextOffset, outSeq: before + BigInt(rows.length), rows };
  }
}

const keyOf = ({ key }: InputRecord): string => `${key}`;
const isPoison = ({ value }: InputRecord): boolean => `${value}` === 'poison';
const countOf = (kind: string, { value }: InputRecord): number => {
  const [name, count] = (value?.toString() ?? '').split(':');
  return name === kind ? Number(count) : 0;
};
const rowsOf = (partition: number, record: InputRecord): string[] =>
  Array.from(
    { length: isPoison(record) ? 1 : countOf('rows', record) },
    (_, index) => `${partition}/${record.offset}/${index}`,
  );
const workOf = (partition: number, record: InputRecord): string[] =>
  Array.from({ length: countOf('work', record) }, (_, index) => `work ${partition}/${record.offset}/${index}`);

export interface Flaws extends PublisherFlaws {
  readonly breakCompareAndSet?: boolean;
  /** Records go on although earlier ones of their key are held. */
  readonly forgetHeld?: boolean;
  /** What is held is released from its end. */
  readonly releaseBackwards?: boolean;
}

/** A whole simulated system: one broker, one database, any number of worker processes. */
export class Campaign {
  readonly world: World;
  readonly broker: MemoryBroker;
  readonly database: MemoryDatabase;
  readonly group: MemoryGroup;
  readonly halts: Array<{ partition: number; reason: HaltReason; error: unknown }> = [];
  readonly limits: Partial<Limits>;
  /** Whether the defect that poison meets is mended. */
  isMended = false;
  /** How many transactions of several shards have committed. */
  together = 0;
  readonly #flaws: Flaws;
  readonly #partitions: number;
  #started = 0;

  constructor(
    seed: number,
    { partitions = 3, flaws = {}, limits = {} }: { partitions?: number; flaws?: Flaws; limits?: Partial<Limits> } = {},
  ) {
    this.world = new World(seed);
    this.broker = new MemoryBroker(partitions);
    this.database = new MemoryDatabase(this.world, flaws);
    this.group = new MemoryGroup(this.world, partitions);
    this.#partitions = partitions;
    this.#flaws = flaws;
    this.limits = {
      batchRecordsMax: 8,
      publishRowsMax: 6,
      idleIntervalMs: 20,
      skipAfterMs: 200,
      markIntervalMs: 50,
      drainMaxMs: 100,
      quarantineMax: 1_000,
      ...limits,
    };
  }

  start(): { process: MemoryProcess; log: MemoryLog } {
    this.#started += 1;
    const process = new MemoryProcess(`worker-${this.#started}`, this.world);
    const log = new MemoryLog(process, this.broker, this.group);
    const handler = createProcessor({
      topic: TOPIC,
      owner: process.name,
      store: new MemoryStore(process, this.database),
      publisher: new MemoryPublisher(process, this.broker, this.#flaws),
      processor: new SampleProcessor(process, this.database, this.#flaws, this),
      classify,
      onHalt: ({ partition }, reason, error) => this.halts.push({ partition, reason, error }),
      clock: process.clock,
      random: this.world.random,
      limits: this.limits,
    });
    void log.run(handler);
    return { process, log };
  }

  /** Orders every key that is held to be released, unless it has been. */
  releaseAll(): void {
    for (let partition = 0; partition < this.#partitions; partition++) {
      const { held, orders } = this.database.view(partition);
      for (const key of new Set(held.map(keyOf))) if (!orders.includes(key)) this.database.order(partition, key);
    }
  }

  /** Everything is applied, no work is left, and all of it is visible. */
  isDrained(): boolean {
    return this.#all((partition) => {
      const { outSeq, work, applied, held } = this.database.view(partition);
      const expected = this.#records(partition).length;
      return (
        applied.length >= expected &&
        work.length === 0 &&
        held.length === 0 &&
        this.broker.committed(OUTPUT, partition).length >= Number(outSeq)
      );
    });
  }

  /** Every broken promise, in words; empty = exactly once, in order, dense, and nothing stuck. */
  violations(): string[] {
    const found = this.halts.map(({ partition, reason }) => `shard ${partition} halted: ${reason}`);
    for (let partition = 0; partition < this.#partitions; partition++) {
      const records = this.#records(partition);
      const { applied, outbox } = this.database.view(partition);
      const visible = this.broker.committed(OUTPUT, partition);
      const check = (holds: boolean, promise: string): void => {
        if (!holds) found.push(`shard ${partition}: not ${promise}`);
      };
      const byOffset = new Map(records.map((record) => [record.offset, record]));
      const offsetsOf = (name: string, of: readonly bigint[]) =>
        of.filter((offset) => keyOf(byOffset.get(offset) as InputRecord) === name);
      const all = records.map(({ offset }) => offset);
      const keys = new Set(records.map(keyOf));
      check(applied.length === all.length && new Set(applied).size === all.length, 'every input applied once');
      for (const name of keys)
        check(isSame(offsetsOf(name, applied), offsetsOf(name, all)), `every input of key ${name} applied in order`);
      check(
        isSame(
          visible.map(({ seq }) => seq),
          visible.map((_, index) => BigInt(index) + 1n),
        ),
        'a dense visible sequence',
      );
      check(isSame(textOf(visible), textOf(outbox)), 'every output visible once, in order');
      const [work, direct] = [textOf(outbox).filter(isWork), textOf(outbox).filter((text) => !isWork(text))];
      // In the order in which the inputs were applied, which is the log's but for what was held.
      const inOrder = applied.flatMap((offset) => byOffset.get(offset) ?? []);
      check(
        isSame(
          direct,
          inOrder.flatMap((record) => rowsOf(partition, record)),
        ),
        'the outputs of the inputs, in order',
      );
      check(
        isSame(
          work,
          inOrder.flatMap((record) => workOf(partition, record)),
        ),
        'every piece of work done once, in order',
      );
    }
    return found;
  }

  #records(partition: number): InputRecord[] {
    return this.broker.fetch(partition, 0n, Number.MAX_SAFE_INTEGER).records;
  }

  #all(holds: (partition: number) => boolean): boolean {
    return Array.from({ length: this.#partitions }, (_, partition) => partition).every(holds);
  }
}

const isWork = (text: string): boolean => text.startsWith('work');
const textOf = (rows: ReadonlyArray<{ value: Buffer | null }>): string[] => rows.map(({ value }) => `${value}`);
const isSame = (left: readonly unknown[], right: readonly unknown[]): boolean =>
  left.length === right.length && left.every((item, index) => item === right[index]);

const CHAOS_MS = 3_000;
const DRAIN_MS = 120_000;
const RELEASE_EVERY_MS = 400;

/** Runs one seeded history of load, kills, stopped processes, shutdowns, network faults, poison and releases; answers the promises it broke. */
export async function runCampaign(
  seed: number,
  flaws: Flaws = {},
  campaign = new Campaign(seed, { flaws }),
): Promise<string[]> {
  const { world, broker } = campaign;
  // Some come one by one, some several at a moment: what waits on several shards then is applied together.
  const bursts = Array.from({ length: 15 }, () => world.between(0, CHAOS_MS));
  for (let sent = 0; sent < 120; sent++) {
    world.after(sent % 2 === 0 ? world.between(0, CHAOS_MS) : world.pick(bursts), () => {
      const kind = world.pick(['rows:1', 'rows:1', 'rows:2', 'rows:0', 'work:3', 'poison', null]);
      // Only keyed records are set aside here: others have no order to keep.
      const key = kind === 'poison' || world.chance(0.5) ? Buffer.from(world.pick(['a', 'b', 'c', 'd'])) : null;
      broker.append(Math.floor(world.between(0, broker.partitions)), kind === null ? null : Buffer.from(kind), key);
    });
  }
  const workers = [campaign.start(), campaign.start()];
  for (let event = 0; event < 14; event++) {
    world.after(world.between(0, CHAOS_MS), () => {
      const index = Math.floor(world.between(0, workers.length));
      const { process, log } = workers[index] as (typeof workers)[number];
      const kind = world.pick(['kill', 'kill', 'stop', 'shut down', 'faults', 'calm'] as const);
      if (kind === 'faults') world.faultRate = world.between(0, 0.2);
      else if (kind === 'calm') world.faultRate = 0;
      else if (kind === 'stop') {
        process.stop();
        world.after(world.between(50, 1_500), () => process.continue());
      } else {
        if (kind === 'kill') process.kill();
        else void log.stop();
        workers[index] = campaign.start();
      }
    });
  }
  // Before the defect is mended a release ends where it began; afterwards nothing may be left of what was held.
  world.after(world.between(CHAOS_MS / 2, CHAOS_MS), () => {
    campaign.isMended = true;
  });
  for (let at = 0; at < CHAOS_MS + DRAIN_MS; at += RELEASE_EVERY_MS) world.after(at, () => campaign.releaseAll());
  await world.run(() => false, CHAOS_MS + 1_500);
  world.faultRate = 0;
  const isDrained = await world.run(() => campaign.isDrained(), CHAOS_MS + DRAIN_MS);
  return [...(isDrained ? [] : ['something is stuck']), ...campaign.violations()];
}

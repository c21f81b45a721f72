import { FencedError } from '../errors.ts';
import type { InputRecord, Lease, OutboxRow, ShardId, ShardState, ShardStore } from '../port.ts';
import { ConnectionLost, type MemoryProcess, type World } from './world.ts';

/** The error of a transaction that waited too long for a lock. */
export class LockTimeout extends Error {
  constructor() {
    super('lock timeout');
    this.name = 'LockTimeout';
  }
}

interface Row {
  epoch: bigint;
  nextOffset: bigint;
  outSeq: bigint;
  publishedSeq: bigint;
  partitions: number;
  readonly outbox: OutboxRow[];
  /** The service's own tables: what was applied, in order, and work that needs no input. */
  readonly applied: bigint[];
  readonly work: string[];
  /** Records set aside and later records of the same keys, in order; and the keys that are ordered to be released. */
  readonly held: InputRecord[];
  readonly orders: string[];
}

const LOCK_TIMEOUT_MS = 200;
const TRANSACTION_TIMEOUT_MS = 500;

/** A row as its owner may see it. */
export interface RowView extends ShardState {
  readonly outbox: readonly OutboxRow[];
  readonly applied: readonly bigint[];
  readonly work: readonly string[];
  readonly held: readonly InputRecord[];
  readonly orders: readonly string[];
}

/** What one transaction writes. */
export interface Writes {
  readonly nextOffset: bigint;
  readonly rows: readonly Omit<OutboxRow, 'seq'>[];
  readonly applied?: readonly bigint[];
  readonly addWork?: readonly string[];
  readonly takeWork?: number;
  readonly hold?: readonly InputRecord[];
  readonly letGo?: readonly InputRecord[];
  /** The oldest order is carried out. */
  readonly endOrder?: boolean;
}

/** A database with one table of shards, row locks, and transactions that a lost connection or a timeout rolls back. */
export class MemoryDatabase {
  readonly #world: World;
  readonly #rows = new Map<number, Row>();
  readonly #locks = new Map<number, { held: boolean; waiting: Array<() => void> }>();
  /** Breaks the protocol for tests of the tests: transactions do not look at epoch and offset. */
  readonly breakCompareAndSet: boolean;
  /** How often offsets without a record were stored as read. */
  skips = 0;

  constructor(world: World, { breakCompareAndSet = false } = {}) {
    this.#world = world;
    this.breakCompareAndSet = breakCompareAndSet;
  }

  view(partition: number): RowView {
    return this.#row(partition);
  }

  /** Forgets the latest commits of a shard, as a failover to an asynchronous copy does. */
  loseCommits(partition: number, { nextOffset, outSeq }: Pick<RowView, 'nextOffset' | 'outSeq'>): void {
    const row = this.#row(partition);
    row.nextOffset = nextOffset;
    row.outSeq = outSeq;
    row.outbox.splice(Number(outSeq));
  }

  /** Leaves an order to release a key, as an operator does beside the workers. */
  order(partition: number, key: string): void {
    this.#row(partition).orders.push(key);
  }

  /** Begins a transaction that has won the compare-and-set of a shard's row and holds its lock. */
  async begin(lease: Lease): Promise<Transaction> {
    const unlock = await this.#lock(lease.shard.partition);
    const row = this.#row(lease.shard.partition);
    const isMine = row.epoch === lease.epoch && row.nextOffset === lease.nextOffset && row.outSeq >= lease.outSeq;
    if (!this.breakCompareAndSet && !isMine) {
      unlock();
      throw new FencedError();
    }
    let isOpen = true;
    const close = (): boolean => {
      if (!isOpen) return false;
      isOpen = false;
      unlock();
      return true;
    };
    this.#world.after(TRANSACTION_TIMEOUT_MS, close);
    return {
      row,
      get isOpen() {
        return isOpen;
      },
      rollback: () => void close(),
      commit: (writes) => {
        if (!isOpen) throw new ConnectionLost();
        const rows = writes.rows.map((written, index) => ({ ...written, seq: row.outSeq + BigInt(index) + 1n }));
        row.nextOffset = writes.nextOffset;
        row.outSeq += BigInt(rows.length);
        if (lease.publishedSeq > row.publishedSeq) row.publishedSeq = lease.publishedSeq;
        row.outbox.push(...rows);
        row.applied.push(...(writes.applied ?? []));
        row.work.push(...(writes.addWork ?? []));
        row.work.splice(0, writes.takeWork ?? 0);
        row.held.push(...(writes.hold ?? []));
        for (const record of writes.letGo ?? []) row.held.splice(row.held.indexOf(record), 1);
        if (writes.endOrder === true) row.orders.shift();
        close();
        return rows;
      },
    };
  }

  /** Begins one transaction that has won the compare-and-set of several shards' rows, or none. */
  async beginTogether(leases: readonly Lease[]): Promise<Transaction[]> {
    const parts: Transaction[] = [];
    try {
      for (const lease of leases) parts.push(await this.begin(lease));
      return parts;
    } catch (error) {
      for (const part of parts) part.rollback();
      throw error;
    }
  }

  /** Commits all parts of such a transaction, or none. */
  commitTogether(parts: readonly Transaction[], writes: readonly Writes[]): OutboxRow[][] {
    if (!parts.every(({ isOpen }) => isOpen)) {
      for (const part of parts) part.rollback();
      throw new ConnectionLost();
    }
    return parts.map((part, i) => part.commit(writes[i] as Writes));
  }

  async acquire(shard: ShardId, partitions: number): Promise<ShardState> {
    const unlock = await this.#lock(shard.partition);
    const row = this.#row(shard.partition);
    row.epoch += 1n;
    const known = [...this.#rows.values()].find((other) => other.partitions > 0)?.partitions;
    if (row.epoch === 1n) row.partitions = known ?? partitions;
    unlock();
    return { ...row };
  }

  async markPublished({ shard, epoch }: Pick<Lease, 'shard' | 'epoch'>, seq: bigint): Promise<void> {
    const unlock = await this.#lock(shard.partition);
    const row = this.#row(shard.partition);
    const isMine = row.epoch === epoch;
    const isWritten = seq <= row.outSeq;
    if (isMine && isWritten && seq > row.publishedSeq) row.publishedSeq = seq;
    unlock();
    if (!isMine) throw new FencedError();
    if (!isWritten) throw new Error('a constraint: nothing is published that is not written');
  }

  async skipTo({ shard, epoch, nextOffset }: Pick<Lease, 'shard' | 'epoch' | 'nextOffset'>, to: bigint): Promise<void> {
    const unlock = await this.#lock(shard.partition);
    const row = this.#row(shard.partition);
    const isMine = this.breakCompareAndSet || (row.epoch === epoch && row.nextOffset === nextOffset);
    if (isMine) row.nextOffset = to;
    if (isMine) this.skips += 1;
    unlock();
    if (!isMine) throw new FencedError();
  }

  #row(partition: number): Row {
    let row = this.#rows.get(partition);
    if (row === undefined) {
      row = {
        epoch: 0n,
        nextOffset: 0n,
        outSeq: 0n,
        publishedSeq: 0n,
        partitions: 0,
        outbox: [],
        applied: [],
        work: [],
        held: [],
        orders: [],
      };
      this.#rows.set(partition, row);
    }
    return row;
  }

  async #lock(partition: number): Promise<() => void> {
    const lock = this.#locks.get(partition) ?? { held: false, waiting: [] };
    this.#locks.set(partition, lock);
    if (lock.held) {
      await new Promise<void>((resolve, reject) => {
        const cancel = this.#world.after(LOCK_TIMEOUT_MS, () => {
          lock.waiting.splice(lock.waiting.indexOf(take), 1);
          reject(new LockTimeout());
        });
        const take = (): void => {
          cancel();
          resolve();
        };
        lock.waiting.push(take);
      });
    }
    lock.held = true;
    return () => {
      const next = lock.waiting.shift();
      if (next === undefined) lock.held = false;
      else next();
    };
  }
}

export interface Transaction {
  readonly row: RowView;
  readonly isOpen: boolean;
  commit(writes: Writes): OutboxRow[];
  rollback(): void;
}

/** A process's connection to the database, as the processor's port. */
export class MemoryStore implements ShardStore {
  readonly #process: MemoryProcess;
  readonly #database: MemoryDatabase;

  constructor(process: MemoryProcess, database: MemoryDatabase) {
    this.#process = process;
    this.#database = database;
  }

  acquire(shard: ShardId, _owner: string, partitions: number): Promise<ShardState> {
    return this.#process.call(() => this.#database.acquire(shard, partitions));
  }

  read({ partition }: ShardId): Promise<ShardState> {
    return this.#process.call(() => ({ ...this.#database.view(partition) }));
  }

  loadOutbox({ partition }: ShardId, afterSeq: bigint, limit: number): Promise<readonly OutboxRow[]> {
    return this.#process.call(() =>
      this.#database
        .view(partition)
        .outbox.filter(({ seq }) => seq > afterSeq)
        .slice(0, limit),
    );
  }

  markPublished(lease: Pick<Lease, 'shard' | 'epoch'>, seq: bigint): Promise<void> {
    return this.#process.call(() => this.#database.markPublished(lease, seq));
  }

  skipTo(lease: Pick<Lease, 'shard' | 'epoch' | 'nextOffset'>, nextOffset: bigint): Promise<void> {
    return this.#process.call(() => this.#database.skipTo(lease, nextOffset));
  }
}

import { FencedError } from '../src/errors.ts';
import type {
  Applied,
  BatchProcessor,
  InputRecord,
  Lease,
  OutboxRow,
  ShardId,
  ShardState,
  ShardStore,
} from '../src/port.ts';

interface Row {
  epoch: bigint;
  nextOffset: bigint;
  publishedSeq: bigint;
  partitions: number;
  readonly outbox: OutboxRow[];
}

/** A database in this process's memory that several workers may share: correct, instant, and gone with the process. */
export class LocalStore implements ShardStore {
  readonly #rows = new Map<string, Row>();

  row({ topic, partition }: ShardId): Row {
    const key = `${topic}/${partition}`;
    const row = this.#rows.get(key) ?? { epoch: 0n, nextOffset: 0n, publishedSeq: 0n, partitions: 0, outbox: [] };
    this.#rows.set(key, row);
    return row;
  }

  async acquire(shard: ShardId, _owner: string, partitions: number): Promise<ShardState> {
    const row = this.row(shard);
    row.epoch += 1n;
    const known = [...this.#rows.values()].find((other) => other.partitions > 0)?.partitions;
    if (row.epoch === 1n) row.partitions = known ?? partitions;
    return this.read(shard);
  }

  async read(shard: ShardId): Promise<ShardState> {
    const { epoch, nextOffset, publishedSeq, partitions, outbox } = this.row(shard);
    return { epoch, nextOffset, publishedSeq, partitions, outSeq: BigInt(outbox.length) };
  }

  async loadOutbox(shard: ShardId, afterSeq: bigint, limit: number): Promise<readonly OutboxRow[]> {
    return this.row(shard).outbox.slice(Number(afterSeq), Number(afterSeq) + limit);
  }

  async markPublished({ shard, epoch }: Pick<Lease, 'shard' | 'epoch'>, seq: bigint): Promise<void> {
    const row = this.row(shard);
    if (row.epoch !== epoch) throw new FencedError();
    if (seq > row.outbox.length) throw new Error('a constraint: nothing is published that is not written');
    if (seq > row.publishedSeq) row.publishedSeq = seq;
  }

  async skipTo({ shard, epoch, nextOffset }: Pick<Lease, 'shard' | 'epoch' | 'nextOffset'>, to: bigint): Promise<void> {
    const row = this.row(shard);
    if (row.epoch !== epoch || row.nextOffset !== nextOffset) throw new FencedError();
    row.nextOffset = to;
  }

  /** One transaction: compare-and-set, then the rows. */
  commit(lease: Lease, nextOffset: bigint, rows: readonly Omit<OutboxRow, 'seq'>[]): Applied {
    const row = this.row(lease.shard);
    const isBehind = BigInt(row.outbox.length) < lease.outSeq;
    if (row.epoch !== lease.epoch || row.nextOffset !== lease.nextOffset || isBehind) throw new FencedError();
    row.nextOffset = nextOffset;
    if (lease.publishedSeq > row.publishedSeq) row.publishedSeq = lease.publishedSeq;
    const written = rows.map((row_, index) => ({ ...row_, seq: BigInt(row.outbox.length + index) + 1n }));
    row.outbox.push(...written);
    return { nextOffset, outSeq: BigInt(row.outbox.length), rows: written };
  }
}

/** Answers each record with one row of the same key, value and headers, on the output partition of the same number. */
export class Echo implements BatchProcessor {
  readonly #store: LocalStore;
  readonly #output: string;

  constructor(store: LocalStore, output: string) {
    this.#store = store;
    this.#output = output;
  }

  async apply(lease: Lease, records: readonly InputRecord[]): Promise<Applied> {
    const { partition } = lease.shard;
    const rows = records.map(({ key, value, headers }) => ({ topic: this.#output, partition, key, value, headers }));
    return this.#store.commit(lease, (records.at(-1)?.offset ?? 0n) + 1n, rows);
  }
}

/**
 * The ports of the processing primitive. The processor is written against these alone, so that the Kafka client, the database
 * and the service can each be replaced, and thousands of crash schedules can run in memory. Only structure matters: a database
 * adapter fits `ShardStore` without importing this package.
 */

import { sizeOf } from './chunks.ts';

/** One partition of one input topic: the unit of ownership, order and sequence. */
export interface ShardId {
  readonly topic: string;
  readonly partition: number;
}

/** Record headers; order and repeated names are kept. */
export type Headers = ReadonlyArray<readonly [name: string, value: Buffer]>;

export interface InputRecord {
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** A moment of the calendar, or -1: the broker takes any number, and this one is none. */
  readonly timestampMs: number;
  /** Set where records of a batch could not be read: this one record then stands for all of them and has the offset of the last. */
  readonly unread?: Unread;
}

/** Records that were left unread: they hold more than `fetched-records.ts` will decode, all together or in headers, or are corrupt. */
export interface Unread {
  readonly isTooLarge: boolean;
  /** The offset of the first unread record. */
  readonly from: bigint;
  readonly count: number;
}

/** Headers of a record to be sent. A string is sent as its UTF-8 bytes. */
export type OutgoingHeaders = ReadonlyArray<readonly [name: string, value: Buffer | string]>;

/** A fetched record that waits for its batch. Its key, value and headers are decoded only when `read` is called. */
export interface WaitingRecord {
  readonly offset: bigint;
  /** Bytes that the record counts against `Limits.inboxBytesMax`. */
  readonly size: number;
  read(): InputRecord;
}

/** Wraps a record that is already decoded as a `WaitingRecord`. */
export const waiting = (record: InputRecord): WaitingRecord => ({
  offset: record.offset,
  size: sizeOf(record),
  read: () => record,
});

/** One row of the outbox = one record to publish. `seq` counts from 1 without gaps per shard, whatever the topic. */
export interface OutboxRow {
  readonly seq: bigint;
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: OutgoingHeaders;
}

export interface ShardState {
  readonly epoch: bigint;
  /** The first input offset not yet applied; 0 for a new shard. */
  readonly nextOffset: bigint;
  /** The last `seq` written to the outbox; 0 = none. */
  readonly outSeq: bigint;
  /** What the database knows of the published position: may lag behind the broker's, is never ahead of it; 0 = none. */
  readonly publishedSeq: bigint;
  /** The partition count of the input topic when the first of its shards was taken. */
  readonly partitions: number;
}

/**
 * What a batch's transaction compares before it writes anything: epoch and nextOffset must be the row's, and `outSeq` must not be above
 * the row's, for then the database has lost commits.
 */
export interface Lease {
  readonly shard: ShardId;
  readonly epoch: bigint;
  readonly nextOffset: bigint;
  /** The last `seq` known to be written. Work without records moves only this. */
  readonly outSeq: bigint;
  /**
   * The last `seq` known to be published. The transaction stores `greatest(published_seq, this)` together with its compare-and-set, so that
   * under load no separate `markPublished` is needed.
   */
  readonly publishedSeq: bigint;
}

/** The database's side. Every method may reject with an error that the service's `classify` knows. */
export interface ShardStore {
  /**
   * Takes the shard: epoch + 1. A missing row is created with epoch 1 and with the partition count that the topic's other shards have
   * stored, or `partitions` for the topic's first shard. A stored count is never changed, so a topic that has grown since is noticed.
   */
  acquire(shard: ShardId, owner: string, partitions: number): Promise<ShardState>;
  read(shard: ShardId): Promise<ShardState>;
  /** Rows with `seq > afterSeq` in order, at most `limit`. */
  loadOutbox(shard: ShardId, afterSeq: bigint, limit: number): Promise<readonly OutboxRow[]>;
  /** `published_seq = greatest(published_seq, seq)` where the epoch is the lease's; rejects as fenced where it is not. */
  markPublished(lease: Pick<Lease, 'shard' | 'epoch'>, seq: bigint): Promise<void>;
  /**
   * Moves `next_offset` alone, past offsets that hold no record, under the same compare-and-set as a batch; rejects as fenced where that
   * matches no row.
   */
  skipTo(lease: Pick<Lease, 'shard' | 'epoch' | 'nextOffset'>, nextOffset: bigint): Promise<void>;
}

/** What one committed transaction left behind. `rows` are the outbox rows it wrote, in order; the last one's `seq` is `outSeq`. */
export interface Applied {
  readonly nextOffset: bigint;
  readonly outSeq: bigint;
  readonly rows: readonly OutboxRow[];
}

/** Records of one shard, in order, with the lease under which they are applied. */
export interface Batch {
  readonly lease: Lease;
  readonly records: readonly InputRecord[];
}

/** How far a shard's input has been applied, for idle work that must wait until all that the log held at some moment is applied. */
export interface InputProgress {
  /** Where the log ends now, asked of the broker. Do not await it in `applyIdle`: the shard's batches would wait for the broker too. */
  end(): Promise<bigint>;
  /** Whether every record before offset `end` has been applied. */
  isApplied(end: bigint): boolean;
}

/**
 * The service's side: one batch = one database transaction, which compares-and-sets the shard's row, writes outcomes and outbox rows, and
 * commits.
 */
export interface BatchProcessor {
  /**
   * `nextOffset` of the answer is the last record's offset + 1. Rejects as fenced when the compare-and-set matches no row.
   * An attempt whose COMMIT went unanswered rejects as transient; the processor finds out what became of it.
   */
  apply(lease: Lease, records: readonly InputRecord[]): Promise<Applied>;
  /**
   * Applies batches of several shards, ordered by partition, as one transaction with a compare-and-set for each: all commit or none does.
   * Answers one `Applied` per batch, in the same order. After any rejection each batch is applied by itself. Optional: without it every
   * batch is a transaction of its own.
   */
  applyTogether?(batches: readonly Batch[]): Promise<readonly Applied[]>;
  /**
   * Work that needs no input record (queued work of this shard). The answer's `nextOffset` is the lease's; null = nothing to do. Called
   * every `idleIntervalMs` while it answers null. After it found work it is called again at once, or, where a batch waits, after that
   * batch, so that neither starves the other. Never called concurrently with `apply` of the same shard.
   */
  applyIdle?(lease: Lease, input: InputProgress): Promise<Applied | null>;
  /**
   * Sets one record aside, in a transaction of the same form, after `apply` has repeatedly met a defect with this record alone. Without it,
   * or after `quarantineMax` records, a defect halts the shard.
   */
  quarantine?(lease: Lease, record: InputRecord, error: unknown): Promise<Applied>;
}

/**
 * What an error means. `fenced`: another owner has the shard. `transient`: worth trying again (a lost connection, a deadlock, a broker
 * that is away). `defect`: everything else.
 */
export type Disposition = 'fenced' | 'transient' | 'defect';

/** Where an input partition begins and ends, in offsets (`end` = the next one to be written), and how many partitions its topic has. */
export interface LogBounds {
  readonly start: bigint;
  readonly end: bigint;
  readonly partitions: number;
}

/** What the input log offers the holder of a shard while the partition is assigned to this process. */
export interface LogSession {
  /** The partition's bounds as of now, asked of the broker. */
  bounds(): Promise<LogBounds>;
  /** Stops reading and, while the partition stays assigned, acquires it again after a backoff. */
  reopen(): void;
  /** Stops reading for as long as the partition stays assigned. */
  close(): void;
  /** Tells that everything below this offset is applied. Used for lag displays only; no decision reads it. */
  progress(nextOffset: bigint): void;
}

export interface BatchContext {
  /** The log's end as of this fetch. */
  readonly end: bigint;
  /** Where the next fetch begins: after the last record and after any offsets behind it that hold no record. */
  readonly next: bigint;
}

/** The log never calls `acquire` and `release` of one partition concurrently, and `apply` only between the two. */
export interface ShardHandler {
  /** Answers the offset to read from; null = leave the partition closed. A rejection asks to be called again after a backoff. */
  acquire(partition: number, session: LogSession): Promise<bigint | null>;
  /**
   * Takes records that continue where `acquire` or the last call ended, with gaps only at offsets that hold no record (control records,
   * compaction). The batch is empty where a fetch found only such offsets. Null = read on at once; a promise resolves when more may be
   * read, and never rejects.
   */
  apply(partition: number, batch: readonly WaitingRecord[], context: BatchContext): Promise<void> | null;
  /** The partition is no longer ours, or the process stops: nothing new begins; what has begun is finished or given up. Never rejects. */
  release(partition: number): Promise<void>;
}

/** The input topic as a group member sees it. Pause on assignment, seek and resume live inside. */
export interface InputLog {
  /** Resolves once started. */
  run(handler: ShardHandler): Promise<void>;
  /** Releases every shard, then leaves. Idempotent. */
  stop(): Promise<void>;
}

/** Publishes a shard's rows together with its position, or nothing. One call at a time per partition. */
export interface Publisher {
  /**
   * Fences every earlier publisher of this partition and ends the transaction it left open, then answers the position: the last `seq`
   * published, 0 = none.
   */
  recover(partition: number): Promise<bigint>;
  /** Publishes rows in order, as one transaction, and answers the new position. After a rejection the outcome is unknown; the only legal next call is `recover`. */
  publish(partition: number, rows: readonly OutboxRow[]): Promise<bigint>;
  /** Writes the position again, so that the broker does not forget it. Rejections as in `publish`. */
  refresh(partition: number, position: bigint): Promise<void>;
  /** Lets go of the partition's connections. Never rejects. */
  release(partition: number): Promise<void>;
}

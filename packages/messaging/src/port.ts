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
  readonly timestampMs: number;
  /** Set where nothing could be read of it: it stands for all records of its batch then, of which it is the last. */
  readonly unread?: Unread;
}

/** Records of a batch that holds more than is read at once, or does not hold what it says. */
export interface Unread {
  readonly isTooLarge: boolean;
  /** The offset of the first of them. */
  readonly from: bigint;
  readonly count: number;
}

/** Headers of what is sent: a text stands for its bytes in UTF-8. */
export type OutgoingHeaders = ReadonlyArray<readonly [name: string, value: Buffer | string]>;

/** A record that has been fetched and waits for its turn; what it holds is read then. */
export interface WaitingRecord {
  readonly offset: bigint;
  /** What it takes of what may wait, in bytes. */
  readonly size: number;
  read(): InputRecord;
}

/** A record that is at hand, as one that waits. */
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
  /** A mirror of what has been published, never ahead of it; 0 = none. */
  readonly publishedSeq: bigint;
  /** The partition count of the input topic when the first of its shards was taken. */
  readonly partitions: number;
}

/** What a batch's transaction compares (epoch, nextOffset) before it writes anything. */
export interface Lease {
  readonly shard: ShardId;
  readonly epoch: bigint;
  readonly nextOffset: bigint;
  /** Published so far. The transaction stores `greatest(published_seq, this)` with its compare-and-set, which saves `markPublished` under load. */
  readonly publishedSeq: bigint;
}

/** The database's side. Every method may reject with an error that the service's `classify` knows. */
export interface ShardStore {
  /**
   * Takes the shard: epoch + 1. Creates the row where there is none: epoch 1, and the `partitions` that the topic's other shards have, or,
   * of its first, those given. A stored count is never changed, so what a topic has grown by is not taken for a part of it.
   */
  acquire(shard: ShardId, owner: string, partitions: number): Promise<ShardState>;
  read(shard: ShardId): Promise<ShardState>;
  /** Rows with `seq > afterSeq` in order, at most `limit`. */
  loadOutbox(shard: ShardId, afterSeq: bigint, limit: number): Promise<readonly OutboxRow[]>;
  /** `published_seq = greatest(published_seq, seq)` where the epoch is the lease's; rejects as fenced where it is not. */
  markPublished(lease: Pick<Lease, 'shard' | 'epoch'>, seq: bigint): Promise<void>;
  /** Moves `next_offset` alone, past offsets that hold no record, with the compare-and-set of a batch; rejects as fenced where that matches no row. */
  skipTo(lease: Pick<Lease, 'shard' | 'epoch' | 'nextOffset'>, nextOffset: bigint): Promise<void>;
}

/** What one committed transaction left behind. `rows` are the outbox rows it wrote, in order; the last one's `seq` is `outSeq`. */
export interface Applied {
  readonly nextOffset: bigint;
  readonly outSeq: bigint;
  readonly rows: readonly OutboxRow[];
}

/** Records of a shard, in order, and its claim to them. */
export interface Batch {
  readonly lease: Lease;
  readonly records: readonly InputRecord[];
}

/** How far a shard's input has been applied, for work that may have to come behind what the log holds. */
export interface InputProgress {
  /** Where the log ends now, asked of the broker. Not to be waited for by a shard's work, which everything else of the shard waits for. */
  end(): Promise<bigint>;
  /** Whether everything before this offset has been applied, or holds nothing for us. */
  isApplied(end: bigint): boolean;
}

/** The service's side: one batch = one database transaction, which compares-and-sets the shard's row, writes outcomes and outbox rows, and commits. */
export interface BatchProcessor {
  /**
   * `nextOffset` of the answer is the last record's offset + 1. Rejects as fenced when the compare-and-set matches no row.
   * An attempt whose COMMIT went unanswered rejects as transient; the processor finds out what became of it.
   */
  apply(lease: Lease, records: readonly InputRecord[]): Promise<Applied>;
  /**
   * Batches of several shards, in the order of their partitions, as one transaction, each with its own compare-and-set: all commit, or
   * none. Answers in that order. Whatever it rejects with, each is then applied by itself. Without it every batch is a transaction of
   * its own.
   */
  applyTogether?(batches: readonly Batch[]): Promise<readonly Applied[]>;
  /**
   * Work that needs no input record (queued work of this shard). The answer's `nextOffset` is the lease's; null = nothing to do.
   * Called every `idleIntervalMs` while it answers null, and at once again while it finds work, then in turn with the batches
   * that wait, so that neither starves the other. Never concurrently with `apply` of the same shard.
   */
  applyIdle?(lease: Lease, input: InputProgress): Promise<Applied | null>;
  /**
   * Sets one record aside, in a transaction of the same form: `apply` met a defect with this record alone, repeatedly.
   * Without it, or after `quarantineMax` records, a defect halts the shard.
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

/** What the input log offers a shard while it is assigned. */
export interface LogSession {
  /** As of now, asked of the broker. */
  bounds(): Promise<LogBounds>;
  /** Stops reading and, while the partition stays assigned, acquires it again after a backoff. */
  reopen(): void;
  /** Stops reading for as long as the partition stays assigned. */
  close(): void;
  /** Everything below this offset is applied. For lag displays only: nothing reads it to decide. */
  progress(nextOffset: bigint): void;
}

export interface BatchContext {
  /** The log's end as of this fetch. */
  readonly end: bigint;
  /** Where the next fetch begins: behind the last record, and what follows it that is none. */
  readonly next: bigint;
}

/** The log never calls `acquire` and `release` of one partition concurrently, and `apply` only between the two. */
export interface ShardHandler {
  /** Answers the offset to read from; null = leave the partition closed. A rejection asks to be called again after a backoff. */
  acquire(partition: number, session: LogSession): Promise<bigint | null>;
  /**
   * Takes records that continue where `acquire` or the last call ended, with gaps only where the log has none (control records,
   * compaction); without any where a fetch found nothing but such. Null = read on at once; a promise resolves when more may be read, and never rejects.
   */
  apply(partition: number, batch: readonly WaitingRecord[], context: BatchContext): Promise<void> | null;
  /** The partition is no longer ours, or we stop: nothing new is begun; what has begun is finished or given up. Never rejects. */
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
  /** Fences every earlier publisher of this partition, settles what it left open, then answers the position: the last `seq` published, 0 = none. */
  recover(partition: number): Promise<bigint>;
  /** Publishes rows in order, as one transaction, and answers the new position. After a rejection the outcome is unknown; the only legal next call is `recover`. */
  publish(partition: number, rows: readonly OutboxRow[]): Promise<bigint>;
  /** Writes the position again, so that the broker does not forget it. Rejections as in `publish`. */
  refresh(partition: number, position: bigint): Promise<void>;
  /** Lets go of the partition's connections. Never rejects. */
  release(partition: number): Promise<void>;
}

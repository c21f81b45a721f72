import { setTimeout as delay } from 'node:timers/promises';
import type { MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { type DatabaseOptions, missingMigrations, openOrm, query } from './database.ts';
import { codeOf, Fenced, isRetry } from './errors.ts';
import { readStored, STORED_PAYLOAD } from './outcome-blocks.ts';
import { Session } from './session.ts';
import { LedgerTransaction } from './transaction.ts';
import type { PlacedOutcome } from './write.ts';

/** A shard's row: its owner's epoch, the next input offset, the last outcome written and published, and its topic's partition count. */
export interface ShardRow {
  readonly epoch: bigint;
  readonly nextOffset: bigint;
  readonly outSeq: bigint;
  readonly publishedSeq: bigint;
  readonly partitions: number;
}

export interface ShardKey {
  readonly topic: string;
  readonly partition: number;
}

/** How far a shard has written: outcomes in all, results and dead letters. */
export interface ShardSequences extends ShardKey {
  readonly partitions: number;
  readonly outSeq: bigint;
  readonly resultSeq: bigint;
  readonly deadSeq: bigint;
}

export interface LedgerOptions extends DatabaseOptions {
  /** Called before each repeated attempt, with the error's code. */
  readonly onRetry?: (code: string) => void;
  /** Wraps each attempt at a transaction, for tracing. */
  readonly around?: (<T>(attempt: () => Promise<T>) => Promise<T>) | undefined;
}

const ATTEMPTS_MAX = 8;
const SHARD_COLUMNS = 'epoch, next_offset, out_seq, published_seq, partitions';

/** The books in PostgreSQL. Every change to them goes through `transact`. */
export class Ledger {
  readonly orm: MikroORM;
  readonly #onRetry: (code: string) => void;
  readonly #around: LedgerOptions['around'];

  private constructor(orm: MikroORM, { onRetry = () => undefined, around }: Pick<LedgerOptions, 'onRetry' | 'around'>) {
    this.orm = orm;
    this.#onRetry = onRetry;
    this.#around = around;
  }

  static async open({ onRetry, around, ...options }: LedgerOptions): Promise<Ledger> {
    return new Ledger(await openOrm(options), { ...(onRetry && { onRetry }), around });
  }

  async close(): Promise<void> {
    await this.orm.close(true);
  }

  /** The state of this process's connection pool: connections in use and idle, and callers that wait for one. */
  async connections(): Promise<{ busy: number; idle: number; waiting: number }> {
    const pool = await (this.orm.em.getConnection() as PostgreSqlConnection).getNativeClient();
    const { totalCount, idleCount: idle, waitingCount: waiting } = pool;
    return { busy: totalCount - idle, idle, waiting };
  }

  /** Rows of one statement outside any transaction. */
  rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return query<Row>(this.orm.em.fork(), sql, parameters);
  }

  /** Names of migrations this database lacks. */
  missingMigrations(): Promise<string[]> {
    return missingMigrations(this.orm.em.fork());
  }

  /**
   * Runs `work` in a transaction at READ COMMITTED; consistency rests on explicit row locks. Deadlocks, lock timeouts and races (`isRetry`)
   * are begun again from the start, at most `attemptsMax` attempts in all; any other error is thrown at once.
   */
  async transact<T>(work: (tx: LedgerTransaction) => Promise<T>, { attemptsMax = ATTEMPTS_MAX } = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const mode = 'isolation level read committed read write';
        const run = () => Session.run(this.orm, mode, (session) => work(new LedgerTransaction(session)));
        return await (this.#around === undefined ? run() : this.#around(run));
      } catch (error) {
        if (!isRetry(error) || attempt >= attemptsMax) throw error;
        this.#onRetry(codeOf(error) ?? (error instanceof Error ? error.name : 'unknown'));
        await delay(Math.random() * 2 ** attempt);
      }
    }
  }

  /**
   * Takes a shard: raises its epoch, so that every write of an earlier owner fails. The topic's partition count is stored once, with its
   * first shard: a partition added later is an error to be noticed, not a shard of a larger topic.
   */
  async acquireShard(shard: ShardKey, owner: string, partitions: number): Promise<ShardRow> {
    const [row] = await this.rows<Record<string, string>>(
      `insert into shard (topic, partition, partitions, owner, closed_through)
         values ($1, $2, coalesce((select min(partitions) from shard where topic = $1), $3), $4,
           (select max(closed_through) from shard))
       on conflict (topic, partition) do update set epoch = shard.epoch + 1, owner = excluded.owner
       returning ${SHARD_COLUMNS}`,
      [shard.topic, shard.partition, partitions, owner],
    );
    return toShard(row);
  }

  async readShard(shard: ShardKey): Promise<ShardRow> {
    const [row] = await this.rows<Record<string, string>>(
      `select ${SHARD_COLUMNS} from shard where topic = $1 and partition = $2`,
      [shard.topic, shard.partition],
    );
    return toShard(row);
  }

  /** How many partitions an input topic had when its first shard was taken; undefined before that. */
  async countPartitions(topic: string): Promise<number | undefined> {
    const [row] = await this.rows<{ partitions: number | null }>(
      'select min(partitions) as partitions from shard where topic = $1',
      [topic],
    );
    return row?.partitions ?? undefined;
  }

  /** Every shard there is, with how far each of its sequences has been written. */
  async shards(): Promise<ShardSequences[]> {
    const rows = await this.rows<Record<string, string>>(
      'select topic, partition, partitions, out_seq, result_seq, dead_seq from shard order by topic, partition',
    );
    return rows.map((row) => ({
      topic: row.topic ?? '',
      partition: Number(row.partition),
      partitions: Number(row.partitions),
      outSeq: BigInt(row.out_seq ?? 0),
      resultSeq: BigInt(row.result_seq ?? 0),
      deadSeq: BigInt(row.dead_seq ?? 0),
    }));
  }

  /**
   * Moves a shard's sequences past what was published, where the database has lost those commits. Raises the epoch, so that a worker that
   * still has the shard can write nothing more. Never moves a sequence back.
   */
  async renumberShard(shard: ShardKey & Pick<ShardSequences, 'outSeq' | 'resultSeq' | 'deadSeq'>): Promise<void> {
    await this.rows(
      `update shard set epoch = epoch + 1, out_seq = $3, published_seq = $3,
         result_seq = greatest(result_seq, $4), dead_seq = greatest(dead_seq, $5)
       where topic = $1 and partition = $2 and out_seq < $3`,
      [shard.topic, shard.partition, shard.outSeq, shard.resultSeq, shard.deadSeq],
    );
  }

  /** Outcome rows with `seq` above `after`, in order, at most `limit`, to be published again after a crash. */
  async loadOutbox(shard: ShardKey, after: bigint, limit: number): Promise<PlacedOutcome[]> {
    const rows = await this.rows<{
      seq: string;
      dest: PlacedOutcome['dest'];
      dest_seq: string;
      key: Buffer | null;
      stamp: string | null;
      payload: Buffer | null;
    }>(
      `select seq, dest, dest_seq, key, stamp, ${STORED_PAYLOAD} from outcome
       where shard_id = (select shard_id from shard where topic = $1 and partition = $2) and seq > $3
       order by seq limit $4`,
      [shard.topic, shard.partition, after, limit],
    );
    return rows.map(({ seq, dest, dest_seq, key, ...row }) => {
      return { seq: BigInt(seq), dest, destSeq: BigInt(dest_seq), key, ...readStored(row) };
    });
  }

  /** Stores how far the shard has published; never moves back. Throws `Fenced` where the epoch is not the lease's. */
  async markPublished(lease: { readonly shard: ShardKey; readonly epoch: bigint }, seq: bigint): Promise<void> {
    const marked = await this.rows(
      `update shard set published_seq = greatest(published_seq, $4) where topic = $1 and partition = $2 and epoch = $3 returning 1`,
      [lease.shard.topic, lease.shard.partition, lease.epoch, seq],
    );
    if (marked.length !== 1) throw new Fenced('the shard has another owner');
  }

  /**
   * Moves the shard's next offset past offsets at which the log holds no record, and nothing else. Throws `Fenced` where the lease does not
   * hold.
   */
  async skipTo(
    lease: { readonly shard: ShardKey; readonly epoch: bigint; readonly nextOffset: bigint },
    nextOffset: bigint,
  ): Promise<void> {
    const moved = await this.rows(
      `update shard set next_offset = $5 where topic = $1 and partition = $2 and epoch = $3 and next_offset = $4 returning 1`,
      [lease.shard.topic, lease.shard.partition, lease.epoch, lease.nextOffset, nextOffset],
    );
    if (moved.length !== 1) throw new Fenced('the shard has another owner, or has moved on');
  }
}

function toShard(row: Record<string, string> | undefined): ShardRow {
  if (row === undefined) throw new Fenced('the shard has no row');
  return {
    epoch: BigInt(row.epoch ?? 0),
    nextOffset: BigInt(row.next_offset ?? 0),
    outSeq: BigInt(row.out_seq ?? 0),
    publishedSeq: BigInt(row.published_seq ?? 0),
    partitions: Number(row.partitions),
  };
}

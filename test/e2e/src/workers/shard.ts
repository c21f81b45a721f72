import { DECODE_LIMITS } from '@repo/contracts';
import { Ledger } from '@repo/ledger';
import type { Applied, BatchProcessor, InputProgress, InputRecord, Lease } from '@repo/messaging';
import { Envelopes, newKey } from '@repo/sealing';
import { type SettleDeps, settleBatch, settleHeld } from '@repo/settlement-worker/settle';
import { withQuarantine } from '@repo/shard-worker';
import { applyHeldMembers, applyMembers, type MemberDeps } from '@repo/sharing-worker/apply-members';
import { doIdleWork } from '@repo/sharing-worker/idle-work';
import { Pace } from '@repo/sharing-worker/pace';
import type { PublishedRecord } from '../compare.ts';
import type { RawRecord } from '../system/topics.ts';

/** Whatever was sent is applied before anything else is done. */
const ALL_APPLIED: InputProgress = { end: async () => 0n, isApplied: () => true };

/** Where a worker's transaction can be held: its locks are had and its reads done; or all is written but COMMIT. */
export type Point = Parameters<NonNullable<SettleDeps['failpoint']>>[0];
export type ShardName = `${'claims' | 'members'}/${number}`;

interface ShardOptions {
  readonly url: string;
  readonly policyOf: SettleDeps['policyOf'];
  /** Shards of the members topic. */
  readonly partitions: number;
  /** How long a refund waits for its claim; it does not when absent. */
  readonly refundWaitMs?: number;
  /** With keys that others know too; a key of its own when absent. */
  readonly envelopes?: Envelopes;
}

/**
 * One shard of one worker: its own connections to the database, its lease, and what it would have published. A batch is the
 * worker's own transaction; only the broker is not there.
 */
export class Shard implements AsyncDisposable {
  readonly name: ShardName;
  /** In the order of the outbox. */
  readonly published: PublishedRecord[] = [];
  /** Why attempts were begun again. */
  readonly retries: string[];
  /** Called at each point of each attempt. */
  onPoint: (point: Point) => void | Promise<void> = () => undefined;
  readonly #ledger: Ledger;
  readonly #deps: SettleDeps & MemberDeps;
  /** Around the worker's own transactions: what it fails on, and what is ordered about it. */
  readonly #worker: BatchProcessor;
  /** Fast enough never to be waited for. */
  readonly #pace = new Pace(1_000_000_000);
  #lease: Lease;

  private constructor(name: ShardName, ledger: Ledger, lease: Lease, retries: string[], options: ShardOptions) {
    this.name = name;
    this.retries = retries;
    this.#ledger = ledger;
    this.#lease = lease;
    this.#deps = {
      ledger,
      policyOf: options.policyOf,
      partitions: options.partitions,
      limits: DECODE_LIMITS,
      refundWaitMs: options.refundWaitMs ?? 0,
      failpoint: (point) => this.onPoint(point),
      targets: {
        results: name.startsWith('claims') ? 'settlements' : 'sharing',
        deadLetters: 'dead-letters',
        deadLetterBase: 0,
        source: `/${name}`,
        envelopes: options.envelopes ?? Envelopes.of(newKey()),
      },
    };
    const deps = this.#deps;
    const isClaims = name.startsWith('claims');
    this.#worker = withQuarantine(
      {
        apply: (at, records) => (isClaims ? settleBatch : applyMembers)(at, records, deps),
        applyHeld: (tx, place, records) => (isClaims ? settleHeld : applyHeldMembers)(tx, place, records, deps),
      },
      { ledger, policyOf: deps.policyOf, targets: deps.targets, lookEveryMs: 0 },
    );
  }

  static async open(name: ShardName, options: ShardOptions): Promise<Shard> {
    const retries: string[] = [];
    const role = 'gongji_worker';
    const ledger = await Ledger.open({ url: options.url, role, name, onRetry: (code) => retries.push(code) });
    return new Shard(name, ledger, await acquire(ledger, name, options.partitions), retries, options);
  }

  /** Takes the shard as it now is, as if nothing had been before. */
  async reopen(): Promise<void> {
    this.#lease = await acquire(this.#ledger, this.name, this.#deps.partitions);
    this.published.length = 0;
    this.retries.length = 0;
  }

  /** Takes records as one batch, in one transaction. */
  async take(records: readonly RawRecord[]): Promise<void> {
    const batch = records.map((record, n) => toInput(record, this.#lease.nextOffset + BigInt(n)));
    this.#keep(await this.#worker.apply(this.#lease, batch));
  }

  /** One transaction of what a members shard does between batches; false = there was nothing to do. */
  async idle(): Promise<boolean> {
    const applied = await doIdleWork(this.#lease, this.#deps, this.#pace);
    if (applied !== null) this.#keep(applied);
    return applied !== null;
  }

  /** Sets a record aside, as a worker does that fails on it. */
  async setAside(record: RawRecord): Promise<void> {
    const input = toInput(record, this.#lease.nextOffset);
    const applied = await this.#worker.quarantine?.(this.#lease, input, new Error('the worker fails'));
    if (applied !== undefined) this.#keep(applied);
  }

  /** One transaction of the oldest order about what is set aside; false = there is none. */
  async carryOut(): Promise<boolean> {
    const applied = (await this.#worker.applyIdle?.(this.#lease, ALL_APPLIED)) ?? null;
    if (applied !== null) this.#keep(applied);
    return applied !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ledger.close();
  }

  #keep({ nextOffset, rows }: Applied): void {
    this.#lease = { ...this.#lease, nextOffset };
    for (const { topic, partition, key, headers, value } of rows) {
      this.published.push({
        topic: topic as PublishedRecord['topic'],
        partition,
        key: key === null ? null : String(key),
        headers: Object.fromEntries(headers.map(([header, text]) => [header, String(text)])),
        value: String(value),
      });
    }
  }
}

async function acquire(ledger: Ledger, name: ShardName, partitions: number): Promise<Lease> {
  const [topic = '', partition] = name.split('/');
  const shard = { topic, partition: Number(partition) };
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(shard, 'test', partitions);
  return { shard, epoch, nextOffset, outSeq, publishedSeq };
}

function toInput({ key, value, headers, timestamp }: RawRecord, offset: bigint): InputRecord {
  return {
    offset,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
    timestampMs: timestamp,
  };
}

import { CLAIM_REJECTION_CODES, DEAD_LETTER_CODES, type DeadLetterCode, NO_TIMESTAMP } from '@repo/domain';
import { codeOf } from '@repo/ledger';
import { classifyKafkaError, type Observer, type ShardId, type ShardPhase } from '@repo/messaging';
import type { Logger, Metrics } from '@repo/observability';
import { explainRefusal } from '@repo/transport';
import type { OrderStep } from './core.ts';
import { Unpublished } from './unpublished.ts';

/** Longest time between two fetches before the process counts as stuck; an empty fetch answers within a second. */
const POLL_MS_MAX = 30_000;
/** Every code that a dead letter may have. */
const DEAD_CODES: readonly DeadLetterCode[] = [...CLAIM_REJECTION_CODES, ...DEAD_LETTER_CODES, 'DAILY_LIMIT_MISSING'];

/** Turns the reports of the processing primitive into metrics, log lines and answers to health checks. */
export class Health {
  readonly #stream: 'claims' | 'members';
  readonly #metrics: Metrics;
  readonly #log: Logger;
  readonly #phases = new Map<number, ShardPhase>();
  /** By partition, for the shards that this process holds. */
  readonly #unpublished = new Map<number, Unpublished>();
  #polledAt: number | null = null;

  constructor({ stream, metrics, log }: { stream: 'claims' | 'members'; metrics: Metrics; log: Logger }) {
    this.#stream = stream;
    this.#metrics = metrics;
    this.#log = log;
    // Alerts take their increase: of a series that begins with its first one there is none.
    for (const code of DEAD_CODES) metrics.deadLetters.add({ topic: stream, code }, 0);
    metrics.quarantineEnds.add({ topic: stream, result: 'FAILED' }, 0);
  }

  polled(): void {
    this.#polledAt = performance.now();
  }

  /** A request was repeated because the broker was still ending the previous transaction. */
  waitedForBroker(): void {
    this.#metrics.retries.add({ topic: this.#stream, reason: 'CONCURRENT_TRANSACTIONS' });
  }

  /** Computed when metrics are read, since an age grows while nothing happens. */
  showAges(): void {
    for (const [partition, unpublished] of this.#unpublished)
      this.#metrics.outboxAge.set({ topic: this.#stream, partition }, unpublished.ageMs(performance.now()) / 1000);
  }

  retried(reason: string): void {
    const known = { '40P01': 'DEADLOCK', '40001': 'SERIALIZATION', '55P03': 'LOCK_TIMEOUT' } as const;
    this.#metrics.retries.add({ topic: this.#stream, reason: known[reason as keyof typeof known] ?? 'DATABASE' });
  }

  pollProblem(): string | null {
    if (this.#polledAt === null) return 'the input has not been read yet';
    const silent = performance.now() - this.#polledAt;
    return silent > POLL_MS_MAX ? `the input was last read ${Math.round(silent / 1000)} s ago` : null;
  }

  shardProblem(): string | null {
    const not = (phase: ShardPhase) =>
      [...this.#phases].filter(([, other]) => other === phase).map(([partition]) => partition);
    const [halted, acquiring] = [not('halted'), not('acquiring')];
    if (halted.length > 0) return `halted: ${halted.join(', ')}`;
    return acquiring.length > 0 ? `being acquired: ${acquiring.join(', ')}` : null;
  }

  /** Shows how much the shards of this process hold. */
  showHeld(held: readonly { readonly partition: number; readonly keys: number; readonly messages: number }[]): void {
    for (const [partition, phase] of this.#phases) {
      if (phase !== 'ready') continue;
      const { keys = 0, messages = 0 } = held.find((shard) => shard.partition === partition) ?? {};
      const labels = { topic: this.#stream, partition };
      this.#metrics.quarantinedKeys.set(labels, keys);
      this.#metrics.quarantinedMessages.set(labels, messages);
    }
  }

  orderMoved(shard: ShardId, { action, result, messages, offset }: OrderStep): void {
    const done = { RELEASE: 'RELEASED', DROP: 'DROPPED' } as const;
    if (messages > 0) this.#metrics.quarantineEnds.add({ topic: this.#stream, result: done[action] }, messages);
    const fields = { partition: shard.partition, offset: String(offset), action, state: result, count: messages };
    if (result === 'FAILED') {
      this.#metrics.quarantineEnds.add({ topic: this.#stream, result: 'FAILED' });
      this.#log.error(fields, 'an order ended at a held message that the worker still fails on');
    } else this.#log.info(fields, 'an order about held messages was carried out');
  }

  /** Work that needs no message was set aside. */
  workHeld({ partition }: ShardId, error: unknown): void {
    this.#metrics.quarantines.add({ topic: this.#stream });
    this.#log.error(
      { partition, error },
      'work between messages was set aside: the worker fails on it, and holds its key',
    );
  }

  readonly observer: Observer = {
    phase: (shard, phase, held) => {
      // A closed shard is somebody else's or about to be taken again.
      if (phase === 'closed') this.#phases.delete(shard.partition);
      else this.#phases.set(shard.partition, phase);
      const labels = this.#labels(shard);
      if (phase !== 'ready') {
        // Whoever has the shard now shows what waits for it and what it holds.
        this.#metrics.lag.remove(labels);
        this.#metrics.quarantinedKeys.remove(labels);
        this.#metrics.quarantinedMessages.remove(labels);
      }
      this.#log.info({ partition: shard.partition, phase }, 'shard');
      this.#metrics.shardOwned.set(labels, phase === 'ready' ? 1 : 0);
      this.#metrics.shardHalted.set(labels, phase === 'halted' ? 1 : 0);
      if (held !== undefined) {
        this.#metrics.shardEpoch.set(labels, Number(held.epoch));
        this.#metrics.lag.set(labels, held.lag);
      }
      if (phase === 'ready') {
        // A shard becomes ready only after everything left unpublished is published.
        this.#unpublished.set(shard.partition, new Unpublished());
        this.#metrics.outboxDepth.set(labels, 0);
      } else if (this.#unpublished.delete(shard.partition)) {
        // The next owner publishes what is left, and reports it.
        this.#metrics.outboxDepth.remove(labels);
        this.#metrics.outboxAge.remove(labels);
      }
    },
    applied: (shard, { records, rows, ms, lag }) => {
      this.#metrics.batchSize.observe({ topic: this.#stream }, records);
      this.#metrics.apply.observe({ topic: this.#stream }, ms / 1000);
      this.#metrics.lag.set(this.#labels(shard), lag);
      this.#log.debug({ partition: shard.partition, count: records, rows, durationMs: ms }, 'applied');
    },
    committed: (shard, event) => {
      this.#metrics.outboxDepth.set(this.#labels(shard), event.depth);
      this.#arrived(this.#unpublished.get(shard.partition)?.committed({ ...event, nowMs: performance.now() }));
    },
    published: (shard, { rows, ms, depth }) => {
      this.#metrics.publish.observe({ topic: this.#stream }, ms / 1000);
      this.#metrics.outboxDepth.set(this.#labels(shard), depth);
      this.#arrived(this.#unpublished.get(shard.partition)?.published(depth));
      this.#log.debug({ partition: shard.partition, rows, durationMs: ms }, 'published');
    },
    failed: (shard, { step, disposition, error }) => {
      // Acquiring asks both the database and the broker, so the error tells which one failed.
      if (step === 'publish' || classifyKafkaError(error) !== undefined)
        this.#metrics.retries.add({ topic: this.#stream, reason: 'BROKER' });
      else this.retried(codeOf(error) ?? '');
      const reason = explainRefusal(error) ?? disposition;
      this.#log.warn({ partition: shard.partition, action: step, reason, error }, 'an attempt failed');
    },
    quarantined: (shard, { offset }) => {
      this.#metrics.quarantines.add({ topic: this.#stream });
      this.#log.error(
        { partition: shard.partition, offset: String(offset) },
        'a message was set aside: the worker fails on it, and holds its key',
      );
    },
  };

  /**
   * Measures records whose results can be read now, but for those without a timestamp. Negative times, from a sender's clock ahead of ours,
   * count as 0.
   */
  #arrived(timestampsMs: readonly number[] = []): void {
    const now = Date.now();
    for (const came of timestampsMs.filter((timestampMs) => timestampMs !== NO_TIMESTAMP))
      this.#metrics.endToEnd.observe({ topic: this.#stream }, Math.max(0, now - came) / 1000);
  }

  #labels = (shard: ShardId) => ({ topic: this.#stream, partition: shard.partition });
}

import { type Clock, systemClock } from './clock.ts';
import type { HaltReason } from './errors.ts';
import { type Observer, silentObserver } from './observer.ts';
import type { BatchProcessor, Disposition, Publisher, ShardId, ShardStore } from './port.ts';
import { Together } from './together.ts';
import { Turns } from './turns.ts';

/** Places where a test may kill the process: the boundaries between what the database and what the broker has. */
export type Failpoint = 'after-db-commit' | 'after-send' | 'before-endtxn' | 'after-endtxn' | 'after-mark';

export interface Limits {
  /** Records, and bytes of keys and values, in one database transaction. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /**
   * Transactions that are not full, of one process, whichever their shards: so many at once, of each kind (`turns.ts`). Those to the broker are
   * not counted where the service applies batches of several shards together.
   */
  readonly transactionsAtOnce: number;
  /** How long one of them may keep the others waiting. */
  readonly turnMaxMs: number;
  /** Full batches of one process that are applied at once, and how long one of them may keep the others waiting. */
  readonly fullBatchesAtOnce: number;
  readonly fullTurnMaxMs: number;
  /** What may wait in memory per shard before reading pauses; one fetch more than this is possible. */
  readonly inboxRecordsMax: number;
  readonly inboxBytesMax: number;
  /** Rows, and bytes, in one Kafka transaction. A larger row goes alone. */
  readonly publishRowsMax: number;
  readonly publishBytesMax: number;
  /** While so many committed rows, or bytes, wait for publishing, no further batch begins. One batch more than this is in memory. */
  readonly unpublishedRowsMax: number;
  readonly unpublishedBytesMax: number;
  /** Shortest time from the end of one Kafka transaction to the start of the shard's next, so that load makes them bigger, not more. */
  readonly publishPauseMs: number;
  /** Attempts of one step, with growing pauses, before the shard is closed and acquired afresh. */
  readonly attemptsMax: number;
  /** Attempts of one batch that meets a defect, before it is bisected. */
  readonly defectAttemptsMax: number;
  /** Records set aside per acquisition before a defect halts the shard: so many are no longer a few bad messages. */
  readonly quarantineMax: number;
  /** Without any success for this long the shard halts. */
  readonly outageMaxMs: number;
  readonly idleIntervalMs: number;
  /** How soon a shard to which nothing comes stores that it has read past what is no record (`skips.ts`). */
  readonly skipAfterMs: number;
  /** How soon an idle shard stores its published position in the database. */
  readonly markIntervalMs: number;
  /** How often an idle shard writes its position again; far below the broker's `offsets.retention.minutes` (7 days). */
  readonly refreshIntervalMs: number;
  /** How long a release may go on publishing what is committed. */
  readonly drainMaxMs: number;
}

export const LIMITS: Limits = {
  batchRecordsMax: 500,
  batchBytesMax: 4 << 20,
  transactionsAtOnce: 1,
  turnMaxMs: 50,
  fullBatchesAtOnce: 2,
  fullTurnMaxMs: 1_000,
  inboxRecordsMax: 1_000,
  inboxBytesMax: 8 << 20,
  publishRowsMax: 500,
  publishBytesMax: 1 << 20,
  unpublishedRowsMax: 1_000,
  unpublishedBytesMax: 8 << 20,
  publishPauseMs: 4,
  attemptsMax: 6,
  defectAttemptsMax: 2,
  quarantineMax: 10,
  outageMaxMs: 300_000,
  idleIntervalMs: 250,
  skipAfterMs: 10_000,
  markIntervalMs: 1_000,
  refreshIntervalMs: 6 * 3_600_000,
  drainMaxMs: 5_000,
};

export interface ProcessorOptions {
  readonly topic: string;
  /** Names this process in the shard's row, for people. */
  readonly owner: string;
  readonly store: ShardStore;
  readonly publisher: Publisher;
  readonly processor: BatchProcessor;
  /** Total: knows the errors of the store, the processor and the publisher. */
  readonly classify: (error: unknown) => Disposition;
  /** The shard stopped for good. The service pages a person; by default it exits non-zero. */
  readonly onHalt: (shard: ShardId, reason: HaltReason, error: unknown) => void;
  /** A plain object: what it inherits is not seen. */
  readonly observer?: Partial<Observer>;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  /** Uniform in [0, 1), for jitter. */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export interface Settings extends Required<Omit<ProcessorOptions, 'limits' | 'observer'>> {
  readonly limits: Limits;
  readonly observer: Observer;
  /** `full` is for full batches that are applied. */
  readonly turns: { readonly apply: Turns; readonly full: Turns; readonly publish: Turns };
  readonly together: Together;
}

const MAY_BE_ZERO: ReadonlySet<string> = new Set(['publishPauseMs'] satisfies (keyof Limits)[]);

export function settingsOf(options: ProcessorOptions): Settings {
  const limits = { ...LIMITS, ...options.limits };
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0) && !MAY_BE_ZERO.has(name)) throw new RangeError(`limit ${name} must be positive`);
  }
  const { clock = systemClock, classify, processor } = options;
  const observer = { ...silentObserver, ...options.observer };
  const small = { atOnce: limits.transactionsAtOnce, lastsMaxMs: limits.turnMaxMs };
  const isTogether = processor.applyTogether !== undefined;
  const apply = new Turns(clock, { ...small, together: isTogether });
  // What was committed together comes to the broker at one moment: nobody's later rows would join it while it waits for the others.
  const publish = new Turns(clock, { ...small, ...(isTogether && { atOnce: Number.POSITIVE_INFINITY }) });
  const full = new Turns(clock, { atOnce: limits.fullBatchesAtOnce, lastsMaxMs: limits.fullTurnMaxMs });
  return {
    failpoint: () => {},
    random: Math.random,
    ...options,
    clock,
    turns: { apply, full, publish },
    together: new Together(processor, limits, (shard, error) =>
      observer.failed(shard, { step: 'apply', disposition: classify(error), error }),
    ),
    limits,
    observer,
  };
}

const PAUSE_MS = 20;
const PAUSE_MAX_MS = 1_000;

/** How long to pause before the next attempt: doubling from 20 ms to 1 s, with jitter. `attempt` counts from 0. */
export const pauseOf = (attempt: number, random: () => number): number =>
  Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** attempt) * (0.5 + random() / 2);

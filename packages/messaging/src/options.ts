import { type Clock, systemClock } from './clock.ts';
import type { HaltReason } from './errors.ts';
import { type Observer, silentObserver } from './observer.ts';
import type { BatchProcessor, Disposition, Publisher, ShardId, ShardStore } from './port.ts';
import { Together } from './together.ts';
import { Turns } from './turns.ts';

/** Points at which a test may kill the process: those between a write to the database and the matching write to the broker. */
export type Failpoint = 'after-db-commit' | 'after-send' | 'before-endtxn' | 'after-endtxn' | 'after-mark';

/** Upper bounds of a processor. `…Ms` are milliseconds, `…Bytes…` bytes of keys and values. */
export interface Limits {
  /** Records and bytes in one database transaction. A larger record goes alone. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /**
   * How many transactions with less than a full batch one process has open at once, over all its shards; counted separately for the
   * database and for the broker (`turns.ts`). Not applied to the broker's where the service has `applyTogether`.
   */
  readonly transactionsAtOnce: number;
  /** How long, in ms, one such transaction may keep the others waiting. */
  readonly turnMaxMs: number;
  /** How many full batches one process applies at once, and how long, in ms, one of them may keep the others waiting. */
  readonly fullBatchesAtOnce: number;
  readonly fullTurnMaxMs: number;
  /** Records and bytes that may wait in memory per shard before reading pauses. One fetch more than this is possible. */
  readonly inboxRecordsMax: number;
  readonly inboxBytesMax: number;
  /** Rows and bytes in one Kafka transaction. A larger row goes alone. */
  readonly publishRowsMax: number;
  readonly publishBytesMax: number;
  /**
   * No further batch begins while this many committed rows, or bytes of them, wait to be published. One batch more than this can be in
   * memory.
   */
  readonly unpublishedRowsMax: number;
  readonly unpublishedBytesMax: number;
  /**
   * Shortest time from the end of a shard's Kafka transaction to the start of its next, so that load makes transactions larger instead of
   * more.
   */
  readonly publishPauseMs: number;
  /** Attempts at one step, with growing pauses, before the shard is closed and acquired afresh. */
  readonly attemptsMax: number;
  /** Attempts at one batch that meets a defect, before it is bisected. */
  readonly defectAttemptsMax: number;
  /**
   * Records set aside per acquisition before a defect halts the shard: more than this points to broken code or data, not to a few bad
   * messages.
   */
  readonly quarantineMax: number;
  /** The shard halts after this long without any success. */
  readonly outageMaxMs: number;
  readonly idleIntervalMs: number;
  /** How long a shard without new records waits before it stores that it has read past offsets that hold no record (`skips.ts`). */
  readonly skipAfterMs: number;
  /** How long after its last Kafka transaction an idle shard stores the published position in the database. */
  readonly markIntervalMs: number;
  /** How often an idle shard writes its position again; far below the broker's `offsets.retention.minutes` (7 days). */
  readonly refreshIntervalMs: number;
  /** How long a release may go on publishing what is committed. */
  readonly drainMaxMs: number;
}

/** The limits used where `ProcessorOptions.limits` says nothing else. */
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
  /** Must accept every error: the service builds it from the guards of its store, processor and publisher. */
  readonly classify: (error: unknown) => Disposition;
  /** The shard stopped for good. The service pages a person; by default it exits non-zero. */
  readonly onHalt: (shard: ShardId, reason: HaltReason, error: unknown) => void;
  /** A plain object: it is copied by spreading, so inherited methods are ignored. */
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
  /** `apply` and `publish` are for transactions that are not full, `full` for full batches to the database. */
  readonly turns: { readonly apply: Turns; readonly full: Turns; readonly publish: Turns };
  readonly together: Together;
}

const MAY_BE_ZERO: ReadonlySet<string> = new Set(['publishPauseMs'] satisfies (keyof Limits)[]);

/** Fills in every default. Throws `RangeError` where a limit is not positive; only `publishPauseMs` may be 0. */
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
  // Results that were committed together reach this point together. Turns would only delay them: no later rows could join while they wait.
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

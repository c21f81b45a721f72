import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { within } from './within.ts';

const TOPICS = ['claims', 'members'] as const;
const STATUSES = ['SETTLED', 'REFUSED', 'REJECTED', 'REFUNDED', 'REPEATED'] as const;
const RETRY_REASONS = [
  'DEADLOCK',
  'SERIALIZATION',
  'LOCK_TIMEOUT',
  'DATABASE',
  'BROKER',
  'CONCURRENT_TRANSACTIONS',
] as const;
const QUARANTINE_ENDS = ['RELEASED', 'DROPPED', 'FAILED'] as const;
const POOL_STATES = ['busy', 'idle', 'waiting'] as const;
/** How long a scrape waits for gauges that are read anew: Prometheus gives a whole scrape 10 s by itself, the board of the console 2. */
export const REFRESH_MS = 1_000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/** Label values come from closed lists: those named here, the caller's `codes`, or partition numbers. Never a person or an account. */
type LabelList = readonly string[] | 'codes' | 'partitions';
interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelList>>;
  readonly buckets?: readonly number[];
}

const shard = { topic: TOPICS, partition: 'partitions' } as const;

/** Every metric of our own; the process's own (`process_*`, `nodejs_*`) come beside them. The README lists the same. */
export const METRICS = {
  claims: {
    kind: 'counter',
    name: 'settlement_claims_total',
    help: 'Messages of the claims topic that were decided, by status and code: answered, repeated (REPEATED) or bad (REJECTED, also without an answer).',
    labels: { status: STATUSES, code: 'codes' },
  },
  declines: {
    kind: 'counter',
    name: 'settlement_declines_total',
    help: 'Accounts passed over in the cascade, and claims, refunds and premiums refused, by code.',
    labels: { code: 'codes' },
  },
  deadLetters: {
    kind: 'counter',
    name: 'settlement_dead_letters_total',
    help: 'Messages sent to the dead letters, by input topic and code.',
    labels: { topic: TOPICS, code: 'codes' },
  },
  retries: {
    kind: 'counter',
    name: 'settlement_retries_total',
    help: 'Attempts repeated after a transient failure, by its kind.',
    labels: { topic: TOPICS, reason: RETRY_REASONS },
  },
  batchSize: {
    kind: 'histogram',
    name: 'settlement_batch_size',
    help: 'Messages of a shard in one database transaction.',
    labels: { topic: TOPICS },
    buckets: SIZES,
  },
  apply: {
    kind: 'histogram',
    name: 'settlement_apply_seconds',
    help: 'From decoding a batch to its database commit.',
    labels: { topic: TOPICS },
    buckets: SECONDS,
  },
  publish: {
    kind: 'histogram',
    name: 'settlement_publish_seconds',
    help: 'One Kafka transaction with its results.',
    labels: { topic: TOPICS },
    buckets: SECONDS,
  },
  endToEnd: {
    kind: 'histogram',
    name: 'settlement_end_to_end_seconds',
    help: "From the input record's timestamp to its published result.",
    labels: { topic: TOPICS },
    buckets: SECONDS,
  },
  lag: { kind: 'gauge', name: 'settlement_input_lag_messages', help: 'Input messages not yet applied.', labels: shard },
  outboxDepth: {
    kind: 'gauge',
    name: 'settlement_outbox_depth_rows',
    help: 'Committed results not yet published.',
    labels: shard,
  },
  outboxAge: {
    kind: 'gauge',
    name: 'settlement_outbox_age_seconds',
    help: 'Age of the oldest result not yet published.',
    labels: shard,
  },
  shardEpoch: {
    kind: 'gauge',
    name: 'settlement_shard_epoch',
    help: 'Epoch under which this process owns or last owned the shard.',
    labels: shard,
  },
  shardOwned: {
    kind: 'gauge',
    name: 'settlement_shard_owned',
    help: '1 while this process owns the shard, else 0.',
    labels: shard,
  },
  shardHalted: {
    kind: 'gauge',
    name: 'settlement_shard_halted',
    help: '1 while the shard is halted on a state that cannot be explained; page a person.',
    labels: shard,
  },
  quarantines: {
    kind: 'counter',
    name: 'settlement_quarantines_total',
    help: 'Messages, and work between messages, that the worker failed on and set aside, their keys with them.',
    labels: { topic: TOPICS },
  },
  quarantineEnds: {
    kind: 'counter',
    name: 'settlement_quarantine_ended_total',
    help: 'Held messages released or dropped by order of an operator, and releases that failed again.',
    labels: { topic: TOPICS, result: QUARANTINE_ENDS },
  },
  quarantinedKeys: {
    kind: 'gauge',
    name: 'settlement_quarantined_keys',
    help: 'Keys whose messages are held in quarantine, as of the scrape; a person must look.',
    labels: shard,
  },
  quarantinedMessages: {
    kind: 'gauge',
    name: 'settlement_quarantined_messages',
    help: 'Messages held in quarantine, as of the scrape.',
    labels: shard,
  },
  dbPool: {
    kind: 'gauge',
    name: 'settlement_db_pool_connections',
    help: 'Database connections in use, idle, and callers waiting for one.',
    labels: { state: POOL_STATES },
  },
  monthsAhead: {
    kind: 'gauge',
    name: 'settlement_partition_months_ahead',
    help: 'Months to come that the ledger has partitions for, as of the scrape.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

type Table = typeof METRICS;
type LabelValue<L> = L extends 'partitions' ? number : L extends readonly (infer V)[] ? V : string;
type Labels<R extends MetricRow> = { readonly [L in keyof R['labels']]: LabelValue<R['labels'][L]> };
/** What can be done with a metric of each kind. */
type Instrument<R extends MetricRow> = R['kind'] extends 'counter'
  ? { readonly add: (labels: Labels<R>, count?: number) => void }
  : R['kind'] extends 'gauge'
    ? { readonly set: (labels: Labels<R>, value: number) => void; readonly remove: (labels: Labels<R>) => void }
    : { readonly observe: (labels: Labels<R>, value: number) => void };

export type Metrics = { readonly [M in keyof Table]: Instrument<Table[M]> } & {
  readonly contentType: string;
  /** Runs the functions given to `beforeScrape`, then renders everything in Prometheus text format. One that takes longer than a second shows what it finds the next time. */
  text(): Promise<string>;
  /** Adds a function that refreshes gauges just before they are read, such as the connection pool's. */
  beforeScrape(refresh: () => void | Promise<void>): void;
};

/**
 * The metrics of one process, in a registry of their own.
 * @param codes every outcome and skip code there is; a code outside this list counts as `OTHER`, the absence of one is `NONE`
 * @param partitions the number of input partitions; a higher one counts as `OTHER`
 */
export function createMetrics({ codes, partitions }: { codes: readonly string[]; partitions: number }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const lists = {
    codes: new Set(['NONE', ...codes]),
    partitions: new Set(Array.from({ length: partitions }, (_, index) => String(index))),
  };
  const instrument = (row: MetricRow) => {
    const known = Object.entries(row.labels).map(
      ([label, list]) => [label, typeof list === 'string' ? lists[list] : new Set(list)] as const,
    );
    const close = (given: Readonly<Record<string, string | number>>): Record<string, string> => {
      const value = (label: string, allowed: ReadonlySet<string>) =>
        allowed.has(String(given[label])) ? String(given[label]) : 'OTHER';
      return Object.fromEntries(known.map(([label, allowed]) => [label, value(label, allowed)]));
    };
    const { name, help } = row;
    const config = { name, help, labelNames: Object.keys(row.labels), registers: [registry] };
    if (row.kind === 'counter') {
      const counter = new Counter(config);
      return { add: (labels: Record<string, string>, count = 1) => counter.inc(close(labels), count) };
    }
    if (row.kind === 'gauge') {
      const gauge = new Gauge(config);
      // One without labels would be told as 0 by whoever never sets it.
      gauge.remove({});
      return {
        set: (labels: Record<string, string>, value: number) => gauge.set(close(labels), value),
        remove: (labels: Record<string, string>) => gauge.remove(close(labels)),
      };
    }
    const histogram = new Histogram({ ...config, buckets: [...(row.buckets ?? SECONDS)] });
    return { observe: (labels: Record<string, string>, value: number) => histogram.observe(close(labels), value) };
  };
  const refreshers: (() => void | Promise<void>)[] = [];
  const own = Object.fromEntries(Object.entries(METRICS).map(([key, row]) => [key, instrument(row)]));
  return {
    ...(own as unknown as { readonly [M in keyof Table]: Instrument<Table[M]> }),
    contentType: registry.contentType,
    text: async () => {
      await Promise.all(refreshers.map((refresh) => within(refresh(), REFRESH_MS, undefined)));
      return registry.metrics();
    },
    beforeScrape: (refresh) => void refreshers.push(refresh),
  };
}

import type {
  Admin,
  Batch,
  Consumer,
  ConsumerGroupJoinEvent,
  EachBatchPayload,
  InstrumentationEvent,
  Kafka,
} from 'kafkajs';
import { systemClock } from '../clock.ts';
import type { InputLog, LogBounds, ShardHandler } from '../port.ts';
import { type Reader, Sessions } from '../sessions.ts';
import { connect, type KafkaConnection } from './client.ts';
import { classifyKafkaError, protocolErrorOf } from './errors.ts';
import { waitingRecordOf } from './fetched-records.ts';
import { topicOffsets } from './offsets.ts';

export interface KafkaLogOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly groupId: string;
  /** The consumer is gone for good, and nothing else reports it: exit and be restarted. Called at most once. */
  readonly onCrash: (error: Error) => void;
  /** Called after every fetch, also an empty one: a worker is alive while these calls keep coming. */
  readonly onPoll?: () => void;
  /** In ms. Defaults: 10 s, 2 s, 15 s. */
  readonly sessionTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly rebalanceTimeoutMs?: number;
  /** How long, in ms, passing crashes may follow each other before `onCrash`. Default 60 s. */
  readonly rejoinMaxMs?: number;
  /** How long, in ms, an empty fetch waits, and so how late a resumed partition may be read. Default 100 ms. */
  readonly maxWaitMs?: number;
  /** Bytes per partition in one fetch; a larger record is fetched alone. Default 512 KiB. */
  readonly maxBytesPerPartition?: number;
}

const FETCH_BYTES_MAX = 4 << 20;
const LAG_COMMIT_MS = 5_000;
const REJOIN_MS = 250;
const REJOIN_MAX_MS = 4_000;
/** A consumer that has fetched and lived this long had recovered: its next crash begins a new count. */
const STEADY_MS = 30_000;

/**
 * The input topic through kafkajs' consumer. It only moves records: ownership, order and backpressure are decided in `Sessions`, and what
 * kafkajs says about assignment and staleness is a hint. A batch's handler returns at once, so heartbeats never wait for work.
 *
 *   joining ─> member ──crash, passing──> away (all shards released) ──pause──> joining, as a new consumer
 *                └──crash, lasting, or away for too long──> onCrash
 */
export class KafkaLog implements InputLog {
  readonly #options: Required<Omit<KafkaLogOptions, 'onPoll'>> & Pick<KafkaLogOptions, 'onPoll'>;
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  #consumer: Consumer;
  #sessions: Sessions | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #lagTimer: NodeJS.Timeout | undefined;
  #rejoinTimer: NodeJS.Timeout | undefined;
  /** Set while a new consumer is created and joins. */
  #rejoining: Promise<void> | undefined;
  #isMember = false;
  /** The number of crashes in a row, when the first of them and when the last happened. */
  #crashes = 0;
  #failingSince = 0;
  #crashedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  readonly #committed = new Map<number, bigint>();
  /** Per partition, the expected offset at which a skip that begins elsewhere was disbelieved once (`#followSkip`). */
  readonly #doubted = new Map<number, bigint>();

  constructor(options: KafkaLogOptions) {
    this.#options = {
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 2_000,
      rebalanceTimeoutMs: 15_000,
      rejoinMaxMs: 60_000,
      maxWaitMs: 100,
      maxBytesPerPartition: 512 << 10,
      ...options,
    };
    this.#kafka = connect(options.connection);
    this.#admin = this.#kafka.admin();
    this.#consumer = this.#newConsumer();
  }

  run(handler: ShardHandler): Promise<void> {
    this.#started ??= this.#start(handler);
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #newConsumer(): Consumer {
    return this.#kafka.consumer({
      groupId: this.#options.groupId,
      sessionTimeout: this.#options.sessionTimeoutMs,
      heartbeatInterval: this.#options.heartbeatIntervalMs,
      rebalanceTimeout: this.#options.rebalanceTimeoutMs,
      maxWaitTimeInMs: this.#options.maxWaitMs,
      maxBytesPerPartition: this.#options.maxBytesPerPartition,
      maxBytes: FETCH_BYTES_MAX,
      minBytes: 1,
      allowAutoTopicCreation: false,
      // kafkajs' own restarts have no limit and keep the state that led to the crash; `#onCrash` restarts instead.
      retry: { restartOnFailure: async () => false },
    });
  }

  async #start(handler: ShardHandler): Promise<void> {
    const sessions = new Sessions(handler, this.#reader(), systemClock, Math.random);
    this.#sessions = sessions;
    await this.#admin.connect();
    await this.#join(this.#consumer, sessions);
    this.#lagTimer = setInterval(() => void this.#commitLag(sessions), LAG_COMMIT_MS);
  }

  async #join(consumer: Consumer, sessions: Sessions): Promise<void> {
    const { topic, onPoll } = this.#options;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }: ConsumerGroupJoinEvent) => {
      this.#isMember = true;
      sessions.assign(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(events.START_BATCH_PROCESS, (event) => this.#followSkip(event, sessions));
    consumer.on(events.FETCH, () => {
      this.#fetchedAt = systemClock.now();
      onPoll?.();
    });
    consumer.on(events.CRASH, ({ payload }) => this.#onCrash(payload.error, sessions));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => this.#deliver(payload, sessions),
    });
  }

  /**
   * kafkajs gives up a join at the first answer that says "not yet" (a coordinator that is loading or has moved), and a fetch when no
   * broker accepts a connection. Both pass, so the shards are released, as others may have them by now, and a new consumer joins.
   */
  #onCrash(error: Error, sessions: Sessions): void {
    this.#isMember = false;
    if (this.#stopped !== undefined) return;
    sessions.assign([]);
    const now = systemClock.now();
    if (this.#crashes === 0 || (this.#fetchedAt > this.#crashedAt && now - this.#crashedAt > STEADY_MS)) {
      this.#crashes = 0;
      this.#failingSince = now;
    }
    this.#crashedAt = now;
    if (isLasting(error) || now - this.#failingSince >= this.#options.rejoinMaxMs) {
      this.#options.onCrash(error);
      return;
    }
    const pause = Math.min(REJOIN_MAX_MS, REJOIN_MS * 2 ** this.#crashes) * (0.5 + Math.random() / 2);
    this.#crashes += 1;
    this.#rejoinTimer = setTimeout(() => {
      this.#rejoining = this.#rejoin(sessions);
    }, pause);
  }

  async #rejoin(sessions: Sessions): Promise<void> {
    const old = this.#consumer;
    const consumer = this.#newConsumer();
    this.#consumer = consumer;
    await old.disconnect().catch(() => {});
    try {
      await this.#join(consumer, sessions);
    } catch (error) {
      // A consumer that did not start emits no CRASH event.
      await consumer.disconnect().catch(() => {});
      this.#onCrash(error as Error, sessions);
    }
  }

  async #stop(): Promise<void> {
    // kafkajs may go on consuming when it is told to stop while it joins, so the join is awaited first.
    await this.#started?.catch(() => {});
    clearTimeout(this.#rejoinTimer);
    await this.#rejoining;
    clearInterval(this.#lagTimer);
    const sessions = this.#sessions;
    if (sessions !== undefined) {
      await this.#commitLag(sessions);
      await sessions.close();
    }
    await Promise.all([this.#consumer.disconnect().catch(() => {}), this.#admin.disconnect().catch(() => {})]);
  }

  #reader(): Reader {
    const { topic } = this.#options;
    return {
      bounds: (partition) => this.#bounds(partition),
      start: (partition, offset) =>
        whileRunning(() => {
          // Both take effect before the next fetch. After a seek, kafkajs does not deliver what an earlier fetch still brings.
          this.#consumer.seek({ topic, partition, offset: String(offset) });
          this.#consumer.resume([{ topic, partitions: [partition] }]);
        }),
      stop: (partition) => whileRunning(() => this.#consumer.pause([{ topic, partitions: [partition] }])),
    };
  }

  async #deliver({ batch, resolveOffset }: EachBatchPayload, sessions: Sessions): Promise<void> {
    const last = batch.messages.at(-1);
    if (last === undefined) return;
    const isTaken = sessions.deliver({
      partition: batch.partition,
      from: BigInt((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset),
      next: BigInt(batch.lastOffset()) + 1n,
      end: BigInt(batch.highWatermark),
      records: batch.messages.map(waitingRecordOf),
    });
    // Resolving the last message resolves the control records after it as well.
    if (isTaken) resolveOffset(last.offset);
  }

  /**
   * kafkajs steps over a fetch of only control or aborted records by itself and reports that only in this event. A skip that does not begin
   * at the expected offset may belong to a fetch from before a rebalance: read again from the expected offset, and believe it when it
   * repeats.
   */
  #followSkip({ payload }: InstrumentationEvent<SkipPayload>, sessions: Sessions): void {
    const { topic, partition, batchSize, firstOffset, lastOffset, highWatermark } = payload;
    const expected = sessions.expected(partition);
    if (batchSize > 0 || topic !== this.#options.topic || expected === undefined) return;
    if (firstOffset === null || BigInt(firstOffset) === expected || this.#doubted.get(partition) === expected) {
      sessions.skipTo({ partition, next: BigInt(lastOffset) + 1n, end: BigInt(highWatermark) });
    } else {
      this.#doubted.set(partition, expected);
      whileRunning(() => this.#consumer.seek({ topic, partition, offset: String(expected) }));
    }
  }

  async #bounds(partition: number): Promise<LogBounds> {
    const { topic } = this.#options;
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    const offsets = await topicOffsets(this.#admin, topic);
    const found = offsets.find((entry) => entry.partition === partition);
    const partitions = topics[0]?.partitions.length ?? 0;
    if (found === undefined) return { start: 0n, end: 0n, partitions };
    return { start: BigInt(found.low), end: BigInt(found.high), partitions };
  }

  /** Commits the applied offsets as the group's offsets, for lag dashboards alone: nothing here reads them. */
  async #commitLag(sessions: Sessions): Promise<void> {
    const { topic } = this.#options;
    const moved = [...sessions.applied()].filter(([partition, offset]) => this.#committed.get(partition) !== offset);
    if (moved.length === 0 || !this.#isMember) return;
    try {
      await this.#consumer.commitOffsets(
        moved.map(([partition, offset]) => ({ topic, partition, offset: String(offset) })),
      );
      for (const [partition, offset] of moved) this.#committed.set(partition, offset);
    } catch {
      // Not a member at this moment; the next round commits it.
    }
  }
}

/**
 * An error that our own handler throws arrives as `KafkaJSNonRetriableError` without a protocol error; it would be thrown again, so it
 * counts as lasting.
 */
const isLasting = (error: Error): boolean =>
  classifyKafkaError(error) !== 'transient' ||
  (error.name === 'KafkaJSNonRetriableError' && protocolErrorOf(error) === undefined);

interface SkipPayload {
  readonly topic: string;
  readonly partition: number;
  readonly batchSize: number;
  readonly firstOffset: string | null;
  readonly lastOffset: string;
  readonly highWatermark: string;
}

/** kafkajs throws on seek, pause and resume once its consumer has stopped; there is nothing left to steer then. */
function whileRunning(steer: () => void): void {
  try {
    steer();
  } catch (error) {
    if (!(error instanceof Error && error.name === 'KafkaJSNonRetriableError')) throw error;
  }
}

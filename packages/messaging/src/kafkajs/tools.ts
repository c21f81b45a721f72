import { randomUUID } from 'node:crypto';
import type { Message, Producer, RecordMetadata } from 'kafkajs';
import type { Headers, InputRecord } from '../port.ts';
import { whilePassing } from './attempts.ts';
import { connect, type KafkaConnection, kafkajs } from './client.ts';
import { recordOf } from './fetched-records.ts';
import { topicOffsets } from './offsets.ts';
import { HEADER_LIST } from './record-batch.ts';

export interface OutgoingRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Headers;
  /** Default: chosen by the key, as Kafka's default partitioner does. */
  readonly partition?: number;
  /** Default: now. */
  readonly timestampMs?: number;
}

const CHUNK_RECORDS_MAX = 500;
const CHUNK_BYTES_MAX = 1 << 20;
export const SEND_ATTEMPTS = { max: 20, pauseMs: 250 };

/** A plain producer for tools: every record arrives at least once, in order per partition; readers recognise repeats by their ids. */
export class Sender implements AsyncDisposable {
  readonly #producer: Producer;

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

  /** Connects. Rejects with the broker's error. */
  static async open(connection: KafkaConnection): Promise<Sender> {
    // Without kafkajs' retries, which can lose a record silently when a leader moves: `sendAll` repeats whole chunks instead.
    const producer = connect(connection).producer({
      retry: { retries: 0 },
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return new Sender(producer);
  }

  /**
   * Resolves when all replicas have acknowledged all records. Rejects with the broker's error when it is lasting, or after 20 attempts.
   */
  async sendAll(topic: string, records: Iterable<OutgoingRecord>): Promise<void> {
    let chunk: Message[] = [];
    let bytes = 0;
    for (const record of records) {
      const size = sizeOf(record);
      if (chunk.length === CHUNK_RECORDS_MAX || (chunk.length > 0 && bytes + size > CHUNK_BYTES_MAX)) {
        await this.#send(topic, chunk);
        chunk = [];
        bytes = 0;
      }
      chunk.push(messageOf(record));
      bytes += size;
    }
    if (chunk.length > 0) await this.#send(topic, chunk);
  }

  /** Sends one record and answers where it was appended; if it was sent repeatedly, the last place. Rejects as `sendAll` does. */
  async sendOne(topic: string, record: OutgoingRecord): Promise<{ partition: number; offset: bigint }> {
    const [placed] = await this.#send(topic, [messageOf(record)]);
    if (placed?.baseOffset === undefined) throw new Error('the broker did not say where a record is');
    return { partition: placed.partition, offset: BigInt(placed.baseOffset) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
  }

  async #send(topic: string, messages: Message[]): Promise<RecordMetadata[]> {
    return whilePassing(() => this.#producer.send({ topic, messages, acks: -1 }), SEND_ATTEMPTS);
  }
}

function sizeOf({ key, value, headers = [] }: OutgoingRecord): number {
  let bytes = Buffer.byteLength(key ?? '') + Buffer.byteLength(value ?? '');
  for (const [name, content] of headers) bytes += Buffer.byteLength(name) + content.length;
  return bytes;
}

function messageOf({ key, value, headers = [], partition, timestampMs }: OutgoingRecord): Message {
  const message: Message = { key, value, headers: { [HEADER_LIST]: headers } as NonNullable<Message['headers']> };
  if (partition !== undefined) message.partition = partition;
  if (timestampMs !== undefined) message.timestamp = String(timestampMs);
  return message;
}

export interface TailedRecord extends InputRecord {
  readonly topic: string;
  readonly partition: number;
}

export interface TailOptions {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
  /** `start`: everything there is; `end`: what is sent after `tail` has resolved. */
  readonly from: 'start' | 'end';
  /** Called in order per partition, one call at a time. A rejection ends the reading through `onFailure`. */
  readonly onRecords: (records: readonly TailedRecord[]) => void | Promise<void>;
  readonly onFailure: (error: Error) => void;
}

/**
 * Reads topics as they are committed (read_committed), each record once; for tools and tests. Resolves when reading has begun. Disposing of
 * the answer ends the reading.
 */
export const tail = (options: TailOptions): Promise<AsyncDisposable> => read(options, () => {});

/** How far a reading has come. By `topic/partition`: the offset after the last record seen, and the end when the reading began. */
interface Reach {
  readonly next: ReadonlyMap<string, bigint>;
  readonly ends: ReadonlyMap<string, bigint>;
}

/** `readToEnd` gives up when nothing has come for this long. */
export const READ_STALLED_MS = 60_000;

/**
 * Reads everything that the topics hold now (read_committed), and resolves when all of it is read. `onProgress` is told the share that is
 * read, 0 to 1. Rejects when nothing has come for `stalledMs`, or with the error of the broker or of `onRecords`.
 */
export async function readToEnd({
  connection,
  topics,
  onRecords,
  onProgress = () => {},
  stalledMs = READ_STALLED_MS,
}: Pick<TailOptions, 'connection' | 'topics' | 'onRecords'> & {
  readonly onProgress?: (share: number) => void;
  readonly stalledMs?: number;
}): Promise<void> {
  const done = Promise.withResolvers<void>();
  // Only so that it is no unhandled rejection: where reading cannot begin, `read` itself rejects.
  done.promise.catch(() => {});
  let stalled: NodeJS.Timeout | undefined;
  let from: Reach['next'] | undefined;
  const onMoved = ({ next, ends }: Reach): void => {
    clearTimeout(stalled);
    stalled = setTimeout(() => done.reject(new Error('the topics could not be read to their end')), stalledMs);
    from ??= new Map(next);
    let [total, left] = [0n, 0n];
    for (const [place, end] of ends) {
      total += end - (from.get(place) ?? 0n);
      const missing = end - (next.get(place) ?? 0n);
      if (missing > 0n) left += missing;
    }
    onProgress(total > 0n ? Number(total - left) / Number(total) : 1);
    if (left === 0n) done.resolve();
  };
  let ends: Reach['ends'] = new Map();
  const isDue = ({ topic, partition, offset }: TailedRecord) => offset < (ends.get(`${topic}/${partition}`) ?? 0n);
  const reading = await read(
    {
      ...{ connection, topics, from: 'start', onFailure: done.reject },
      onRecords: (records) => onRecords(records.filter(isDue)),
    },
    (reach) => {
      ends = reach.ends;
      onMoved(reach);
    },
  );
  try {
    await done.promise;
  } finally {
    clearTimeout(stalled);
    await reading[Symbol.asyncDispose]();
  }
}

/**
 * Reads topics from their start or end. `onMoved` is called once with where each partition begins, and after each step. Resolves when
 * reading has begun.
 */
export async function read(
  { connection, topics, from, onRecords, onFailure }: TailOptions,
  onMoved: (reach: Reach) => void,
): Promise<AsyncDisposable> {
  const kafka = connect(connection);
  const admin = kafka.admin();
  const groupId = `${connection.clientId}-tail-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: async () => false },
  });
  /** The next offset by `topic/partition`. Kept here because the group commits no offsets, so a rebalance would begin anew. */
  const next = new Map<string, bigint>();
  const ends = new Map<string, bigint>();
  const close = async (): Promise<void> => {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  };
  try {
    await admin.connect();
    for (const topic of topics) {
      for (const { partition, low, high } of await topicOffsets(admin, topic)) {
        next.set(`${topic}/${partition}`, BigInt(from === 'start' ? low : high));
        ends.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    onMoved({ next, ends });
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
          for (const partition of partitions) {
            consumer.seek({ topic, partition, offset: String(next.get(`${topic}/${partition}`) ?? 0n) });
          }
        }
        resolve();
      });
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        reject(payload.error);
        onFailure(payload.error);
      });
    });
    // kafkajs does not deliver a fetch of only control or aborted records; it reports it in this event alone.
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      const place = `${topic}/${partition}`;
      if (batchSize > 0 || BigInt(lastOffset) < (next.get(place) ?? 0n)) return;
      next.set(place, BigInt(lastOffset) + 1n);
      onMoved({ next, ends });
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { topic, partition, messages, lastOffset }, batch }) => {
        const expected = next.get(`${topic}/${partition}`) ?? 0n;
        const fresh = messages
          .map((message) => ({ ...recordOf(message), topic, partition }))
          .filter(({ offset }) => offset >= expected);
        next.set(`${topic}/${partition}`, BigInt(lastOffset.call(batch)) + 1n);
        if (fresh.length > 0) await onRecords(fresh);
        onMoved({ next, ends });
      },
    });
    await joined;
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return { [Symbol.asyncDispose]: close };
}

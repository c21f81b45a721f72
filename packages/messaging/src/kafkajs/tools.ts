import { randomUUID } from 'node:crypto';
import type { Message, Producer } from 'kafkajs';
import type { Headers, InputRecord } from '../port.ts';
import { connect, type KafkaConnection, kafkajs } from './client.ts';
import { classifyKafkaError } from './errors.ts';
import { recordOf } from './log.ts';
import { topicOffsets } from './offsets.ts';
import { HEADER_LIST } from './record-batch.ts';

export interface OutgoingRecord {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Headers;
  /** Default: by the key, as Kafka's default partitioner does. */
  readonly partition?: number;
  /** Default: now. */
  readonly timestampMs?: number;
}

const CHUNK_RECORDS_MAX = 500;
const CHUNK_BYTES_MAX = 1 << 20;
const ATTEMPTS_MAX = 20;
const RETRY_MS = 250;

/** A plain producer for tools: every record arrives at least once, in order per partition; readers know repeats by their ids. */
export class Sender implements AsyncDisposable {
  readonly #producer: Producer;

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

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

  /** Resolves when all are acknowledged by all replicas. Rejects with the broker's error when it is lasting, or after 20 attempts. */
  async sendAll(topic: string, records: Iterable<OutgoingRecord>): Promise<void> {
    let chunk: Message[] = [];
    let bytes = 0;
    for (const record of records) {
      const size = Buffer.byteLength(record.key ?? '') + Buffer.byteLength(record.value ?? '');
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
  }

  async #send(topic: string, messages: Message[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#producer.send({ topic, messages, acks: -1 });
        return;
      } catch (error) {
        if (classifyKafkaError(error) !== 'transient' || attempt === ATTEMPTS_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
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
  /** `start`: everything there is; `end`: what comes after this call has resolved. */
  readonly from: 'start' | 'end';
  /** Called in order per partition, one call at a time. A rejection ends the reading through `onFailure`. */
  readonly onRecords: (records: readonly TailedRecord[]) => void | Promise<void>;
  readonly onFailure: (error: Error) => void;
}

/** Reads topics as they are committed (read_committed), each record once; for tools and tests. Resolves when reading has begun. */
export async function tail({ connection, topics, from, onRecords, onFailure }: TailOptions): Promise<AsyncDisposable> {
  const kafka = connect(connection);
  const admin = kafka.admin();
  const groupId = `${connection.clientId}-tail-${randomUUID()}`;
  const consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 50,
    allowAutoTopicCreation: false,
    retry: { restartOnFailure: async () => false },
  });
  /** The next offset per topic and partition: the group's own are never committed, and a rebalance would begin anew. */
  const next = new Map<string, bigint>();
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
      }
    }
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
      },
    });
    await joined;
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return { [Symbol.asyncDispose]: close };
}

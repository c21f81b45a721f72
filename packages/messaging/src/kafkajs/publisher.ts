import type { Kafka, Message, Producer, RecordMetadata, TopicMessages, Transaction } from 'kafkajs';
import type { Failpoint } from '../options.ts';
import type { OutboxRow, Publisher } from '../port.ts';
import { type Attempts, whilePassing } from './attempts.ts';
import { connect, kafkajs } from './client.ts';
import { PublishUnknown, protocolErrorOf } from './errors.ts';
import { notePosition, type PositionOptions, PositionReader, positionGroup } from './position.ts';
import { HEADER_LIST } from './record-batch.ts';

export interface KafkaPublisherOptions extends PositionOptions {
  /**
   * After this long, in ms, the broker aborts the transaction of a dead publisher; until then readers of its partitions wait. Default 15 s.
   */
  readonly transactionTimeoutMs?: number;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  /** Called for each request that is repeated because the broker is still ending the previous transaction. */
  readonly onWait?: () => void;
}

/**
 * Probes while the broker still writes the last transaction's markers: soon again, but not for ever. Only CONCURRENT_TRANSACTIONS is
 * repeated, since it alone promises that nothing was done. kafkajs' own retry would wait 175 to 270 ms, and has none around `sendOffsets`.
 */
export const PROBES: Attempts = {
  max: 2_000,
  pauseMs: 1,
  passes: (error) => protocolErrorOf(error) === 'CONCURRENT_TRANSACTIONS',
};

/**
 * One transactional producer per shard. Each transaction carries the rows and, in a header of its last result, the last row's `seq`; a
 * transaction without results stores it as an offset of a group without members, which costs two more requests. kafkajs cannot tell what
 * became of a request that failed, so after any error the producer is thrown away, and a new one with the same id fences it.
 */
export class KafkaPublisher implements Publisher {
  readonly #options: Required<KafkaPublisherOptions>;
  readonly #kafka: Kafka;
  readonly #positions: PositionReader;
  readonly #producers = new Map<number, Producer>();

  constructor(options: KafkaPublisherOptions) {
    this.#options = { transactionTimeoutMs: 15_000, failpoint: () => {}, onWait: () => {}, ...options };
    // Without kafkajs' log, which would report each repeated probe as an error. Errors that matter are thrown.
    const { log: _, ...quiet } = options.connection;
    this.#kafka = connect(quiet);
    this.#positions = new PositionReader({ ...options, connection: quiet });
  }

  async recover(partition: number): Promise<bigint> {
    await this.release(partition);
    const { app, topic, transactionTimeoutMs } = this.#options;
    const producer = this.#kafka.producer({
      transactionalId: `${app}-${topic}-${partition}`,
      transactionTimeout: transactionTimeoutMs,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    try {
      await producer.connect();
      // Beginning sends InitProducerId, which fences the previous owner and waits for its transaction to end; aborting the empty
      // transaction sends nothing.
      await (await producer.transaction()).abort();
      const position = await this.#positions.read(partition);
      this.#producers.set(partition, producer);
      return position;
    } catch (error) {
      discard(producer);
      throw error;
    }
  }

  async publish(partition: number, rows: readonly OutboxRow[]): Promise<bigint> {
    const position = rows.at(-1)?.seq;
    if (position === undefined) throw new PublishUnknown('nothing to publish');
    await this.#transact(partition, rows, position);
    return position;
  }

  refresh(partition: number, position: bigint): Promise<void> {
    return this.#transact(partition, [], position);
  }

  async release(partition: number): Promise<void> {
    const producer = this.#producers.get(partition);
    this.#producers.delete(partition);
    if (producer !== undefined) discard(producer);
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    const open = [...this.#producers.values()];
    this.#producers.clear();
    await Promise.all([
      this.#positions[Symbol.asyncDispose](),
      ...open.map((client) => client.disconnect().catch(() => {})),
    ]);
  }

  async #transact(partition: number, rows: readonly OutboxRow[], position: bigint): Promise<void> {
    const { app, topic, resultsTopic, failpoint, onWait } = this.#options;
    const producer = this.#producers.get(partition);
    if (producer === undefined) throw new PublishUnknown('no producer since the last error');
    this.#producers.delete(partition);
    try {
      const transaction = await producer.transaction();
      const parts = partsOf(rows);
      const lastResult = parts.find(({ topic: sentTo }) => sentTo === resultsTopic)?.messages.at(-1);
      if (lastResult !== undefined) notePosition(lastResult, position);
      if (rows.length > 0) {
        assertAcks(await sendEach(transaction, parts, onWait), parts);
        await failpoint('after-send');
      }
      if (lastResult === undefined) {
        const offsets = [{ topic, partitions: [{ partition, offset: String(position) }] }];
        await whenSettled(() => sendOffsets(transaction, positionGroup(app), offsets), onWait);
      }
      await failpoint('before-endtxn');
      await transaction.commit();
      await failpoint('after-endtxn');
      this.#producers.set(partition, producer);
    } catch (error) {
      discard(producer);
      throw error;
    }
  }
}

/** Not awaited: disconnecting waits for requests that may never be answered, and nobody needs their outcome. */
function discard(producer: Producer): void {
  producer.disconnect().catch(() => {});
}

const sendOffsets = (
  transaction: Transaction,
  consumerGroupId: string,
  topics: Parameters<Transaction['sendOffsets']>[0]['topics'],
) => transaction.sendOffsets({ consumerGroupId, topics });

/**
 * Sends to one partition after the other, because only a request to a single partition fails or succeeds as a whole. For several, kafkajs
 * sends one request per leading broker, side by side. If one is refused because the coordinator is busy with the other, which was appended,
 * a repetition of the send would append that part twice in the transaction.
 */
async function sendEach(
  transaction: Transaction,
  parts: readonly Part[],
  onWait: () => void,
): Promise<RecordMetadata[]> {
  const acks: RecordMetadata[] = [];
  for (const part of parts)
    acks.push(...(await whenSettled(() => transaction.sendBatch({ topicMessages: [part] }), onWait)));
  return acks;
}

/** Repeats a request of a transaction while the broker still ends the previous one. */
const whenSettled = <T>(request: () => Promise<T>, onWait: () => void): Promise<T> =>
  whilePassing(request, { ...PROBES, onWait });

/** The messages of one partition. */
interface Part extends TopicMessages {
  readonly partition: number;
}

/** Groups rows by topic and partition, in order. */
function partsOf(rows: readonly OutboxRow[]): Part[] {
  const parts: Part[] = [];
  for (const { topic, partition, key, value, headers } of rows) {
    let part = parts.find((other) => other.topic === topic && other.partition === partition);
    if (part === undefined) {
      part = { topic, partition, messages: [] };
      parts.push(part);
    }
    const list = { [HEADER_LIST]: headers } as NonNullable<Message['headers']>;
    part.messages.push({ partition, key, value, headers: list });
  }
  return parts;
}

/** Requires one acknowledgement without an error for each partition sent to: kafkajs has resolved without sending (K3). */
function assertAcks(acks: readonly RecordMetadata[], sent: readonly Part[]): void {
  const expected = new Set(sent.map(({ topic, partition }) => `${topic}/${partition}`));
  for (const { topicName, partition, errorCode } of acks) {
    if (errorCode !== 0 || !expected.delete(`${topicName}/${partition}`))
      throw new PublishUnknown('an unexpected acknowledgement');
  }
  if (expected.size > 0) throw new PublishUnknown('an acknowledgement is missing');
}

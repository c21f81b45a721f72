import type { Kafka, Message, Producer, RecordMetadata, TopicMessages, Transaction } from 'kafkajs';
import type { Failpoint } from '../options.ts';
import type { OutboxRow, Publisher } from '../port.ts';
import { type Attempts, whilePassing } from './attempts.ts';
import { connect, kafkajs } from './client.ts';
import { PublishUnknown, protocolErrorOf } from './errors.ts';
import { notePosition, type PositionOptions, PositionReader, positionGroup } from './position.ts';
import { HEADER_LIST } from './record-batch.ts';

export interface KafkaPublisherOptions extends PositionOptions {
  /** After this the broker aborts what a dead publisher left open; until then readers of its partitions wait. Default 15 s. */
  readonly transactionTimeoutMs?: number;
  readonly failpoint?: (name: Failpoint) => void | Promise<void>;
  /** Told of each request that is made again because the broker still ends the transaction before. */
  readonly onWait?: () => void;
}

/**
 * The broker is still writing the last transaction's markers: ask again soon, but not for ever. That answer alone promises that nothing was
 * done. kafkajs' own retry would wait 175 to 270 ms, and has no retry at all round `sendOffsets`.
 */
export const PROBES: Attempts = {
  max: 2_000,
  pauseMs: 1,
  passes: (error) => protocolErrorOf(error) === 'CONCURRENT_TRANSACTIONS',
};

/**
 * One transactional producer per shard. Each transaction carries the rows and, in a header of its last result, the last row's `seq`; one
 * without results carries it as an offset of a group without members, which costs two more requests. A producer is used only while all
 * went well: kafkajs cannot tell what became of a request that failed, so after any error the object is thrown away and a new one with the
 * same id fences it.
 */
export class KafkaPublisher implements Publisher {
  readonly #options: Required<KafkaPublisherOptions>;
  readonly #kafka: Kafka;
  readonly #positions: PositionReader;
  readonly #producers = new Map<number, Producer>();

  constructor(options: KafkaPublisherOptions) {
    this.#options = { transactionTimeoutMs: 15_000, failpoint: () => {}, onWait: () => {}, ...options };
    // Without kafkajs' log: it would report every probe of a transaction that is still ending as an error. What matters is thrown.
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
      // Beginning sends InitProducerId, which fences the previous owner and waits for its transaction; the abort itself sends nothing.
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

  /** Lets go of every connection. */
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

/** Disconnecting waits for requests that may never be answered; nobody needs the outcome. */
function discard(producer: Producer): void {
  producer.disconnect().catch(() => {});
}

const sendOffsets = (
  transaction: Transaction,
  consumerGroupId: string,
  topics: Parameters<Transaction['sendOffsets']>[0]['topics'],
) => transaction.sendOffsets({ consumerGroupId, topics });

/**
 * One partition after the other, since only what goes to one partition is refused as a whole. kafkajs makes of a send a request to each
 * broker that leads a part of it, side by side: one is refused because the coordinator is at work on the other, which is appended, and all
 * of it made again appends that part twice, in one transaction.
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

/** Repeats a request of a transaction while the broker still ends the one before. */
const whenSettled = <T>(request: () => Promise<T>, onWait: () => void): Promise<T> =>
  whilePassing(request, { ...PROBES, onWait });

/** What goes to one partition. */
interface Part extends TopicMessages {
  readonly partition: number;
}

/** Rows by partition of their topic, in order. */
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

/** The answer must hold each partition sent to, once, without an error: kafkajs has resolved without sending (K3). */
function assertAcks(acks: readonly RecordMetadata[], sent: readonly Part[]): void {
  const expected = new Set(sent.map(({ topic, partition }) => `${topic}/${partition}`));
  for (const { topicName, partition, errorCode } of acks) {
    if (errorCode !== 0 || !expected.delete(`${topicName}/${partition}`))
      throw new PublishUnknown('an unexpected acknowledgement');
  }
  if (expected.size > 0) throw new PublishUnknown('an acknowledgement is missing');
}

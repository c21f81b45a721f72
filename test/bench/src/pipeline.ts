import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Consumer,
  type EachBatchPayload,
  type ISocketFactory,
  Kafka,
  logLevel,
  type Message,
  type Producer,
} from 'kafkajs';

/** What a pipeline process reads from its environment; the same names as the product's, so that all are started alike. */
interface PipelineSettings {
  readonly brokers: readonly string[];
  readonly databaseUrl: string;
  readonly prefix: string;
}

export function readSettings(): PipelineSettings {
  const {
    GONGJI_KAFKA_BROKERS: brokers = '',
    GONGJI_DATABASE_URL: databaseUrl = '',
    GONGJI_TOPIC_PREFIX: prefix = 'gongji',
  } = process.env;
  if (brokers === '') throw new Error('GONGJI_KAFKA_BROKERS is not set');
  return { brokers: brokers.split(','), databaseUrl, prefix };
}

/** kafkajs leaves Nagle's algorithm on, and a transaction is a chain of small requests that each wait for the last. */
const connectSocket: ISocketFactory = ({ host, port, onConnect }) =>
  connect({ host, port, noDelay: true, keepAlive: true }, onConnect);

export const makeKafka = (brokers: readonly string[], clientId: string, { isTuned = true } = {}): Kafka =>
  new Kafka({
    clientId,
    brokers: [...brokers],
    logLevel: isTuned ? logLevel.ERROR : logLevel.NOTHING,
    retry: { retries: 5 },
    ...(isTuned && { socketFactory: connectSocket }),
  });

const RETRY_MS = 2;
const TRANSACTION_TIMEOUT_MS = 15_000;

const isConcurrentTransaction = (error: unknown): boolean => {
  const { type, cause } = error as { type?: string; cause?: unknown };
  return type === 'CONCURRENT_TRANSACTIONS' || (cause !== undefined && isConcurrentTransaction(cause));
};

/** Writes to one output partition, one Kafka transaction per call. */
interface PartitionWriter {
  /** Sends the messages and, if given, the input offset to go on from, in one transaction; returns when it is committed. */
  write(messages: readonly Message[], next?: { groupId: string; topic: string; offset: string }): Promise<void>;
}

/**
 * A transactional producer of its own for an output partition. The broker still finishes the last transaction's markers when the next
 * begins; kafkajs would wait 175 ms or more before it tries again, so, where tuned, it does not retry and we do, after 2 ms.
 */
export async function openPartitionWriter(options: {
  kafka: Kafka;
  topic: string;
  partition: number;
  isTuned?: boolean;
}): Promise<PartitionWriter> {
  const { kafka, topic, partition, isTuned = true } = options;
  const producer: Producer = kafka.producer({
    transactionalId: `${topic}-${partition}`,
    transactionTimeout: TRANSACTION_TIMEOUT_MS,
    maxInFlightRequests: 1,
    ...(isTuned && { retry: { retries: 0 } }),
  });
  await producer.connect();
  return {
    write: async (messages, next) => {
      const transaction = await producer.transaction();
      const send = () =>
        transaction.send({ topic, acks: -1, messages: messages.map((message) => ({ ...message, partition })) });
      for (;;) {
        try {
          await send();
          break;
        } catch (error) {
          if (!isTuned || !isConcurrentTransaction(error)) throw error;
          await delay(RETRY_MS);
        }
      }
      if (next !== undefined) {
        const { groupId, offset } = next;
        await transaction.sendOffsets({
          consumerGroupId: groupId,
          topics: [{ topic: next.topic, partitions: [{ partition, offset }] }],
        });
      }
      await transaction.commit();
    },
  };
}

type Batch = EachBatchPayload['batch'];

/** Runs until SIGTERM. Any error ends the process: a pipeline that retried would be measured for its retrying. */
export async function runPipeline(options: {
  kafka: Kafka;
  groupId: string;
  topic: string;
  concurrency: number;
  maxBytesPerPartition: number;
  handle: (batch: Batch) => Promise<void>;
}): Promise<void> {
  const { kafka, groupId, topic, concurrency, maxBytesPerPartition, handle } = options;
  const consumer: Consumer = kafka.consumer({
    groupId,
    maxWaitTimeInMs: 200,
    maxBytesPerPartition,
    allowAutoTopicCreation: false,
    retry: { retries: 0, restartOnFailure: async () => false },
  });
  const failed = (error: unknown): never => {
    console.error(error);
    process.exit(1);
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => failed(payload.error));
  const stop = () => void consumer.disconnect().then(() => process.exit(0), failed);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop); // the benchmark is gone
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    partitionsConsumedConcurrently: concurrency,
    eachBatch: async ({ batch }) => handle(batch).catch(failed),
  });
}

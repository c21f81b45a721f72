import type { Message } from 'kafkajs';
import { connect, type KafkaConnection, kafkajs } from '../src/kafkajs/client.ts';
import { protocolErrorOf } from '../src/kafkajs/errors.ts';

/**
 * The yardstick: kafkajs alone, each fetched batch sent on in one transaction with its offset, nothing else. It loses and repeats
 * records when anything fails.
 */
export async function startBareEcho(
  connection: KafkaConnection,
  app: string,
  input: string,
  output: string,
): Promise<() => Promise<void>> {
  const { log: _, ...quiet } = connection;
  const kafka = connect(quiet);
  const consumer = kafka.consumer({ groupId: app, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const producers = new Map<number, ReturnType<typeof kafka.producer>>();
  const producerOf = async (partition: number) => {
    const known = producers.get(partition);
    if (known !== undefined) return known;
    const producer = kafka.producer({
      transactionalId: `${app}-${partition}`,
      maxInFlightRequests: 1,
      retry: { retries: 0 },
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    producers.set(partition, producer);
    await producer.connect();
    return producer;
  };
  await consumer.connect();
  await consumer.subscribe({ topics: [input], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 6,
    eachBatch: async ({ batch }) => {
      const producer = await producerOf(batch.partition);
      const messages: Message[] = batch.messages.map(({ key, value }) => ({ key, value, partition: batch.partition }));
      const transaction = await producer.transaction();
      for (;;) {
        try {
          await transaction.send({ topic: output, messages });
          break;
        } catch (error) {
          if (protocolErrorOf(error) !== 'CONCURRENT_TRANSACTIONS') throw error;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
      const partitions = [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }];
      await transaction.sendOffsets({ consumerGroupId: `${app}-position`, topics: [{ topic: input, partitions }] });
      await transaction.commit();
    },
  });
  return async () => {
    await consumer.disconnect();
    for (const producer of producers.values()) await producer.disconnect();
  };
}

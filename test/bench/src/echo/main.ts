import { makeKafka, openPartitionWriter, readSettings, runPipeline } from '../pipeline.ts';

/** Copies each input partition to the output partition of the same number, one Kafka transaction per batch with the offset in it. */
const { brokers, prefix } = readSettings();
const kafka = makeKafka(brokers, 'echo');
const input = `${prefix}.claims.v1`;
const output = `${prefix}.settlements.v1`;
const groupId = `${prefix}-echo`;

const admin = kafka.admin();
await admin.connect();
const partitions = (await admin.fetchTopicOffsets(output)).map(({ partition }) => partition);
await admin.disconnect();
const writers = new Map(
  await Promise.all(
    partitions.map(
      async (partition) => [partition, await openPartitionWriter({ kafka, topic: output, partition })] as const,
    ),
  ),
);

await runPipeline({
  kafka,
  groupId,
  topic: input,
  concurrency: partitions.length,
  maxBytesPerPartition: 1_048_576,
  handle: async (batch) => {
    const { partition } = batch;
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    const copies = batch.messages.map(({ key, value }) => ({ key, value }));
    await writers.get(partition)?.write(copies, { groupId, topic: input, offset });
  },
});

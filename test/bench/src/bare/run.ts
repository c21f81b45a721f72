import type { KafkaMessage } from 'kafkajs';
import { Pool } from 'pg';
import { makeKafka, openPartitionWriter, readSettings, runPipeline } from '../pipeline.ts';
import { settleBatch, type WriteStyle } from './settle.ts';

/**
 * The least that settles claims with the same durability. It reads a partition's batch, settles it in one database transaction that also
 * stores the offset, and writes the outcomes in one Kafka transaction. It knows no rules, checks nothing, explains nothing, and would lose
 * outcomes if it died between the two: the product's distance from it is the price of all that.
 *
 * `plain` is how one writes it: arrays handed to the driver, kafkajs as it comes. `tuned` has what we learned about both.
 */
export async function runBare(style: WriteStyle): Promise<void> {
  const { brokers, databaseUrl, prefix } = readSettings();
  const isTuned = style === 'tuned';
  const kafka = makeKafka(brokers, 'bare', { isTuned });
  const output = `${prefix}.settlements.v1`;

  const admin = kafka.admin();
  await admin.connect();
  const partitions = (await admin.fetchTopicOffsets(output)).map(({ partition }) => partition);
  await admin.disconnect();
  const pool = new Pool({ connectionString: databaseUrl, max: partitions.length });
  const opening = partitions.map(
    async (partition) => [partition, await openPartitionWriter({ kafka, topic: output, partition, isTuned })] as const,
  );
  const writers = new Map(await Promise.all(opening));

  await runPipeline({
    kafka,
    groupId: `${prefix}-bare`,
    topic: `${prefix}.claims.v1`,
    concurrency: partitions.length,
    maxBytesPerPartition: Number(process.env.BARE_FETCH_BYTES ?? 1_048_576),
    handle: async (batch) => {
      const claims = batch.messages.map(({ value }: KafkaMessage) => JSON.parse(String(value)));
      const { partition } = batch;
      const outcomes = await settleBatch(pool, style, {
        partition,
        from: Number(batch.firstOffset()),
        to: Number(batch.lastOffset()) + 1,
        claims,
      });
      await writers.get(partition)?.write(outcomes);
    },
  });
}

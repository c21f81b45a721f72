import { topicsOf } from '@repo/contracts';
import { StartFailure } from '@repo/embedded';
import { codeOf, Ledger } from '@repo/ledger';
import { classifyKafkaError, countPartitions, type KafkaConnection } from '@repo/messaging';
import { partitionsProblem } from '@repo/shard-worker';
import { unreachedServer } from '@repo/transport';

/** Asks once, without waiting: a topic that does not exist yet will get the configured count. */
const KNOWN_WITHIN_MS = 0;
const NO_TABLE = '42P01';

/**
 * Throws where the configured partition count is not that of the members topic, as the database knows it or, before any worker has run, the
 * broker. A person's shard is stored with them, so with another count nobody would do their later work.
 */
export async function requirePartitions({
  databaseUrl,
  connection,
  topicPrefix,
  partitions,
}: {
  /** The owner's URL. */
  readonly databaseUrl: string;
  readonly connection?: KafkaConnection | undefined;
  readonly topicPrefix: string;
  readonly partitions: number;
}): Promise<void> {
  const topic = topicsOf(topicPrefix).members;
  const taken = await countShards(databaseUrl, topic);
  const found = taken ?? (connection && (await countAtBroker(connection, topic)));
  const problem = partitionsProblem({ topic, expected: partitions, taken, found });
  if (problem !== undefined) throw new StartFailure(problem);
}

async function countShards(databaseUrl: string, topic: string): Promise<number | undefined> {
  const ledger = await Ledger.open({ url: databaseUrl, name: 'gongji-partitions' });
  try {
    return await ledger.countPartitions(topic);
  } catch (error) {
    if (codeOf(error) === NO_TABLE) return undefined;
    throw error;
  } finally {
    await ledger.close();
  }
}

async function countAtBroker(connection: KafkaConnection, topic: string): Promise<number | undefined> {
  try {
    return await countPartitions(connection, topic, KNOWN_WITHIN_MS);
  } catch (error) {
    if (classifyKafkaError(error) !== 'transient' || unreachedServer(error) !== undefined) throw error;
    throw new StartFailure(`Kafka does not answer as it should, and it alone knows how many partitions ${topic} has.`, {
      cause: error,
    });
  }
}

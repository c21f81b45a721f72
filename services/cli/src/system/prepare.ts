import { StartFailure } from '@repo/embedded';
import { migrate, OtherSchema } from '@repo/ledger';
import { createTopics, PartitionCountError } from '@repo/messaging';
import { explainRefusal, type KafkaAccess, unreachedServer } from '@repo/transport';
import { requirePartitions } from './partition-count.ts';

/** Brings the schema and the topics to the state that this version needs. Changes nothing where they already are. */
export async function prepare(options: {
  readonly databaseUrl: string;
  readonly brokers: string;
  readonly kafkaAccess?: KafkaAccess;
  readonly topicPrefix: string;
  readonly partitions: number;
  readonly inputRetentionDays?: number | undefined;
}): Promise<void> {
  const { databaseUrl, brokers, kafkaAccess, topicPrefix, partitions, inputRetentionDays } = options;
  const connection = { brokers: brokers.split(','), clientId: 'gongji-start', ...kafkaAccess };
  try {
    // Checked first: topics created with another count than the database knows could only be deleted and created again.
    await requirePartitions({ databaseUrl, topicPrefix, partitions });
    const topics = { connection, prefix: topicPrefix, partitions, inputRetentionDays };
    await Promise.all([migrate(databaseUrl), createTopics(topics)]);
  } catch (error) {
    throw explain(error) ?? error;
  }
}

/** Errors about settings or a server, in words for the person at the terminal; undefined for a defect. */
function explain(error: unknown): StartFailure | undefined {
  if (error instanceof PartitionCountError) return new StartFailure(error.message, { cause: error });
  if (error instanceof OtherSchema)
    return new StartFailure(`${error.message}: use that version, or a new data directory or database.`, {
      cause: error,
    });
  if (!(error instanceof Error)) return undefined;
  const refusal = explainRefusal(error);
  if (refusal !== undefined) return new StartFailure(refusal, { cause: error });
  // Told by whoever knows the settings, as of every command.
  if (unreachedServer(error) !== undefined) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (error.name.startsWith('KafkaJS'))
    return new StartFailure(`Kafka does not answer as it should (${error.name}).`, { cause: error });
  // PostgreSQL's messages may contain values of rows, so only its code is shown.
  return code === undefined ? undefined : new StartFailure(`PostgreSQL cannot be set up (${code}).`, { cause: error });
}

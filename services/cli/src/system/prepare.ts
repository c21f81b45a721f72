import { StartFailure } from '@repo/embedded';
import { migrate } from '@repo/ledger';
import { createTopics, PartitionCountError } from '@repo/messaging';

/** Brings the schema and the topics to where this version needs them. Does nothing where they already are. */
export async function prepare(options: {
  readonly databaseUrl: string;
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly partitions: number;
}): Promise<void> {
  const { databaseUrl, brokers, topicPrefix, partitions } = options;
  const connection = { brokers: brokers.split(','), clientId: 'gongji-start' };
  try {
    await Promise.all([migrate(databaseUrl), createTopics({ connection, prefix: topicPrefix, partitions })]);
  } catch (error) {
    throw error instanceof PartitionCountError ? new StartFailure(error.message, { cause: error }) : error;
  }
}

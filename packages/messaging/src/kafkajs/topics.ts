import type { Admin, ITopicConfig, ITopicMetadata } from 'kafkajs';
import { connect, type KafkaConnection } from './client.ts';
import { classifyKafkaError, protocolErrorOf } from './errors.ts';
import { topicOffsets } from './offsets.ts';

const MIB = 1 << 20;
/**
 * What the topics take of one transaction's records, in bytes. A dead letter is an original with more headers, so its topic takes more than
 * an input may hold; a compressed input may hold more still.
 */
export const TOPIC_BYTES_MAX = { results: 8 * MIB, deadLetters: 9 * MIB } as const;
const DAY_MS = 86_400_000;

export interface TopicNames {
  readonly claims: string;
  readonly members: string;
  readonly settlements: string;
  readonly sharing: string;
  readonly deadLetters: string;
}

export const topicNames = (prefix: string): TopicNames => ({
  claims: `${prefix}.claims.v1`,
  members: `${prefix}.members.v1`,
  settlements: `${prefix}.settlements.v1`,
  sharing: `${prefix}.sharing.v1`,
  deadLetters: `${prefix}.dead-letters.v1`,
});

export interface TopicOptions {
  readonly connection: KafkaConnection;
  readonly prefix: string;
  /** Of each topic; the dead letters have twice as many, a half per input topic. */
  readonly partitions: number;
  /** Default: the broker's own. */
  readonly replicationFactor?: number;
  /** How long the two input topics keep what was sent, if they are created. Default: without end, so that it can be replayed. The outputs keep it as the broker says. */
  readonly inputRetentionDays?: number | undefined;
}

/** A topic has another partition count than the settings say: keys would move between shards. */
export class PartitionCountError extends Error {
  constructor(topic: string, found: number, expected: number) {
    super(
      `topic ${topic} has ${found} partitions, expected ${expected}: set GONGJI_PARTITIONS to fit, or, for a new database, choose another prefix`,
    );
    this.name = 'PartitionCountError';
  }
}

const KNOWN_WITHIN_MS = 30_000;
const ASKED_EVERY_MS = 100;

/** Of several brokers one that has not heard of a new topic yet calls it unknown; kafkajs' own wait for leaders ends there. */
async function metadataOf(admin: Admin, names: string[], withinMs = KNOWN_WITHIN_MS): Promise<ITopicMetadata[]> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return (await admin.fetchTopicMetadata({ topics: names })).topics;
    } catch (error) {
      if (performance.now() > end || classifyKafkaError(error) !== 'transient') throw error;
      await new Promise((resolve) => setTimeout(resolve, ASKED_EVERY_MS));
    }
  }
}

/** Creates those of the five topics that are missing. Rejects with `PartitionCountError` where one exists with another count. */
export async function createTopics({
  connection,
  prefix,
  partitions,
  replicationFactor = -1,
  inputRetentionDays,
}: TopicOptions): Promise<TopicNames> {
  const names = topicNames(prefix);
  const kept = inputRetentionDays === undefined ? -1 : inputRetentionDays * DAY_MS;
  const wanted: ITopicConfig[] = Object.values(names).map((topic) => {
    const isDeadLetters = topic === names.deadLetters;
    const isInput = topic === names.claims || topic === names.members;
    return {
      topic,
      numPartitions: isDeadLetters ? 2 * partitions : partitions,
      replicationFactor,
      configEntries: [
        {
          name: 'max.message.bytes',
          value: String(isDeadLetters ? TOPIC_BYTES_MAX.deadLetters : TOPIC_BYTES_MAX.results),
        },
        ...(isInput ? [{ name: 'retention.ms', value: String(kept) }] : []),
        // A broker's limit in bytes would end it earlier.
        ...(isInput && kept === -1 ? [{ name: 'retention.bytes', value: '-1' }] : []),
      ],
    };
  });
  const admin = connect(connection).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    // Another process may create them at the same moment; kafkajs answers false then, and the check below holds for all.
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: false });
    const topics = await metadataOf(
      admin,
      wanted.map(({ topic }) => topic),
    );
    for (const { topic, numPartitions = 0 } of wanted) {
      const found = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
      if (found !== numPartitions) throw new PartitionCountError(topic, found, numPartitions);
    }
    // A topic that answers can be written to and read.
    for (const topic of Object.values(names)) await topicOffsets(admin, topic);
    return names;
  } finally {
    await admin.disconnect();
  }
}

/** How many partitions a topic has; undefined where no broker has heard of it within the time. */
export async function countPartitions(
  connection: KafkaConnection,
  topic: string,
  withinMs = KNOWN_WITHIN_MS,
): Promise<number | undefined> {
  const admin = connect(connection).admin();
  try {
    await admin.connect();
    const [found] = await metadataOf(admin, [topic], withinMs);
    return found?.partitions.length;
  } catch (error) {
    if (protocolErrorOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
    throw error;
  } finally {
    await admin.disconnect();
  }
}

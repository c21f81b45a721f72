import type { Admin, ITopicConfig, ITopicMetadata } from 'kafkajs';
import { connect, type KafkaConnection } from './client.ts';
import { classifyKafkaError, protocolErrorOf } from './errors.ts';
import { topicOffsets } from './offsets.ts';

const MIB = 1 << 20;
/**
 * Largest record batch, in bytes, that the topics accept. A dead letter is an original with more headers, so its topic accepts more than an
 * input topic holds; a compressed input may expand to more still.
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

/** The names of the five topics of an installation. */
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
  /** Of each topic except the dead letters', which has twice as many: one half per input topic. */
  readonly partitions: number;
  /** Default: the broker's own. */
  readonly replicationFactor?: number;
  /**
   * How many days the two input topics keep records, if they are created here. Default: for ever, so that they can be replayed. The other
   * topics follow the broker's setting.
   */
  readonly inputRetentionDays?: number | undefined;
}

/** A topic exists with another partition count than the settings say, with which keys would belong to other shards. */
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

/** Repeats while a broker does not know a topic yet, as one of several may after its creation; kafkajs' own waiting ends at that error. */
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

/**
 * Creates those of the five topics that are missing and waits until they can be used. Rejects with `PartitionCountError` where one exists
 * with another partition count, else with the broker's error.
 */
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
        // Without this a limit in bytes set on the broker would delete records earlier.
        ...(isInput && kept === -1 ? [{ name: 'retention.bytes', value: '-1' }] : []),
      ],
    };
  });
  const admin = connect(connection).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = wanted.filter(({ topic }) => !existing.has(topic));
    // Another process may create them at the same moment. kafkajs then answers false, and the check below holds for both.
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: false });
    const topics = await metadataOf(
      admin,
      wanted.map(({ topic }) => topic),
    );
    for (const { topic, numPartitions = 0 } of wanted) {
      const found = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
      if (found !== numPartitions) throw new PartitionCountError(topic, found, numPartitions);
    }
    // Once a topic answers with its offsets it has leaders, and can be written and read.
    for (const topic of Object.values(names)) await topicOffsets(admin, topic);
    return names;
  } finally {
    await admin.disconnect();
  }
}

/** How many partitions a topic has; undefined where no broker knows it within `withinMs`. Rejects with the broker's error. */
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

import type { Kafka, KafkaMessage } from 'kafkajs';
import { filterAbortedMessages } from './patches.ts';

/** The parts of kafkajs' internal cluster that are used here: kafkajs has no public way to read a partition without joining a group. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>;
  findBroker(query: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: ReadonlyArray<{ topic: string; partitions: ReadonlyArray<{ partition: number }>; fromBeginning: boolean }>,
  ): Promise<ReadonlyArray<{ partitions: ReadonlyArray<{ offset: string }> }>>;
}

export interface Broker {
  fetch(request: object): Promise<{ responses: ReadonlyArray<{ partitions: readonly FetchedPartition[] }> }>;
}

interface FetchedPartition {
  readonly messages: readonly Message[];
  readonly abortedTransactions: Parameters<typeof filterAbortedMessages>[0]['abortedTransactions'];
}

export type Message = KafkaMessage & Parameters<typeof filterAbortedMessages>[0]['messages'][number];

const READ_COMMITTED = 1;
const MAX_WAIT_MS = 1_000;

/** Opens kafkajs' internal client on first use. After a failure it opens a new one, since the old may remember a former leader. */
export class InnerClient {
  readonly #kafka: Kafka;
  #cluster: Promise<Cluster> | undefined;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  async use<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    this.#cluster ??= this.#connect();
    const connected = this.#cluster;
    try {
      return await work(await connected);
    } catch (error) {
      if (this.#cluster === connected) this.#cluster = undefined;
      void connected.then((cluster) => cluster.disconnect()).catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    const cluster = await this.#cluster?.catch(() => undefined);
    this.#cluster = undefined;
    await cluster?.disconnect().catch(() => {});
  }

  async #connect(): Promise<Cluster> {
    const symbol = Object.getOwnPropertySymbols(this.#kafka).find(
      ({ description }) => description === 'private:Kafka:createCluster',
    );
    const kafka = this.#kafka as unknown as Readonly<Record<symbol, (options: object) => Cluster>>;
    const create = symbol === undefined ? undefined : kafka[symbol];
    if (create === undefined) throw new TypeError('this is not the kafkajs that was looked into');
    const cluster = create({ allowAutoTopicCreation: false });
    await cluster.connect();
    return cluster;
  }
}

/** The broker that leads a partition; undefined where it has no leader. */
export async function leaderOf(cluster: Cluster, topic: string, partition: number): Promise<Broker | undefined> {
  await cluster.addTargetTopic(topic);
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  return nodeId === undefined ? undefined : cluster.findBroker({ nodeId });
}

/**
 * Fetches a partition from an offset on, at most `bytesMax` bytes or one batch. `messages` is all that was fetched, with control and
 * aborted records; `committed` is without them. Undefined where the broker's answer does not mention the partition.
 */
export async function fetchFrom(
  broker: Broker,
  { topic, partition, offset, bytesMax }: { topic: string; partition: number; offset: bigint; bytesMax: number },
): Promise<{ messages: readonly Message[]; committed: readonly Message[] } | undefined> {
  const { responses } = await broker.fetch({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: MAX_WAIT_MS,
    maxBytes: bytesMax,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: bytesMax }] }],
  });
  const [fetched] = responses[0]?.partitions ?? [];
  if (fetched === undefined) return undefined;
  const { messages, abortedTransactions } = fetched;
  const committed = filterAbortedMessages({ messages, abortedTransactions }).filter((m) => !m.isControlRecord);
  return { messages, committed };
}

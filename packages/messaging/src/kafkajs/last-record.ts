import type { Kafka, KafkaMessage } from 'kafkajs';
import type { InputRecord } from '../port.ts';
import { PublishUnknown } from './errors.ts';
import { recordOf } from './log.ts';
import { filterAbortedMessages } from './patches.ts';

/** What of kafkajs' inner client is used here: it has no public way to read a partition without joining a group. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>;
  findBroker(query: { nodeId: string }): Promise<Broker>;
  fetchTopicsOffset(
    topics: ReadonlyArray<{ topic: string; partitions: ReadonlyArray<{ partition: number }>; fromBeginning: boolean }>,
  ): Promise<ReadonlyArray<{ partitions: ReadonlyArray<{ offset: string }> }>>;
}

interface Broker {
  fetch(request: object): Promise<{ responses: ReadonlyArray<{ partitions: readonly FetchedPartition[] }> }>;
}

interface FetchedPartition {
  readonly messages: readonly Message[];
  readonly abortedTransactions: Parameters<typeof filterAbortedMessages>[0]['abortedTransactions'];
}

type Message = KafkaMessage & Parameters<typeof filterAbortedMessages>[0]['messages'][number];

const READ_COMMITTED = 1;
const MAX_WAIT_MS = 1_000;
const BYTES_MAX = 1 << 20;
/** Records to look back over at first, and how much further each time they were all aborted or markers. */
const BACK_FIRST = 64n;
const BACK_FACTOR = 8n;

/** Finds the last committed record of a partition, for a reader that has no use for the others. */
export class LastRecordReader {
  readonly #kafka: Kafka;
  #cluster: Promise<Cluster> | undefined;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** Undefined where there is none. Nobody else may be writing to the partition meanwhile. */
  async read(topic: string, partition: number): Promise<InputRecord | undefined> {
    this.#cluster ??= this.#connect();
    const connected = this.#cluster;
    try {
      return await readLast(await connected, topic, partition);
    } catch (error) {
      // It may know an old leader: the next attempt asks anew.
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

async function readLast(cluster: Cluster, topic: string, partition: number): Promise<InputRecord | undefined> {
  await cluster.addTargetTopic(topic);
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) throw new PublishUnknown('the output partition has no leader');
  const broker = await cluster.findBroker({ nodeId });
  const [start, end] = await Promise.all([true, false].map((atStart) => edgeOf(cluster, topic, partition, atStart)));
  if (start === undefined || end === undefined) throw new PublishUnknown('the output partition has no bounds');
  let upTo = end;
  for (let back = BACK_FIRST; upTo > start; back *= BACK_FACTOR) {
    const from = upTo - back > start ? upTo - back : start;
    const found = await lastWithin(broker, { topic, partition, from, upTo });
    if (found !== undefined) return recordOf(found);
    upTo = from;
  }
  return undefined;
}

async function edgeOf(cluster: Cluster, topic: string, partition: number, fromBeginning: boolean) {
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
  const offset = found?.partitions[0]?.offset;
  return offset === undefined ? undefined : BigInt(offset);
}

async function lastWithin(
  broker: Broker,
  { topic, partition, from, upTo }: { topic: string; partition: number; from: bigint; upTo: bigint },
): Promise<Message | undefined> {
  let last: Message | undefined;
  for (let next = from; next < upTo; ) {
    const { responses } = await broker.fetch({
      isolationLevel: READ_COMMITTED,
      maxWaitTime: MAX_WAIT_MS,
      maxBytes: BYTES_MAX,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(next), maxBytes: BYTES_MAX }] }],
    });
    const [fetched] = responses[0]?.partitions ?? [];
    const end = fetched?.messages.at(-1);
    if (fetched === undefined || end === undefined || BigInt(end.offset) < next)
      throw new PublishUnknown('the end of the output partition could not be read');
    const { messages, abortedTransactions } = fetched;
    last = filterAbortedMessages({ messages, abortedTransactions }).findLast((m) => !m.isControlRecord) ?? last;
    next = BigInt(end.offset) + 1n;
  }
  return last;
}

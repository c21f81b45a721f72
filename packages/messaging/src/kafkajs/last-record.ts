import type { Kafka } from 'kafkajs';
import type { InputRecord } from '../port.ts';
import { PublishUnknown } from './errors.ts';
import { recordOf } from './fetched-records.ts';
import { type Broker, type Cluster, fetchFrom, InnerClient, leaderOf, type Message } from './inner-client.ts';

const BYTES_MAX = 1 << 20;
/** Offsets to look back over at first, and by how much to widen the range each time it holds only aborted records or markers. */
const BACK_FIRST = 64n;
const BACK_FACTOR = 8n;

/** Finds the last committed record of a partition without reading the partition from its start. */
export class LastRecordReader {
  readonly #client: InnerClient;

  constructor(kafka: Kafka) {
    this.#client = new InnerClient(kafka);
  }

  /** Undefined where there is none. Nobody may write to the partition meanwhile. */
  read(topic: string, partition: number): Promise<InputRecord | undefined> {
    return this.#client.use((cluster) => readLast(cluster, topic, partition));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

async function readLast(cluster: Cluster, topic: string, partition: number): Promise<InputRecord | undefined> {
  const broker = await leaderOf(cluster, topic, partition);
  if (broker === undefined) throw new PublishUnknown('the output partition has no leader');
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
    const fetched = await fetchFrom(broker, { topic, partition, offset: next, bytesMax: BYTES_MAX });
    const end = fetched?.messages.at(-1);
    if (fetched === undefined || end === undefined || BigInt(end.offset) < next)
      throw new PublishUnknown('the end of the output partition could not be read');
    last = fetched.committed.at(-1) ?? last;
    next = BigInt(end.offset) + 1n;
  }
  return last;
}

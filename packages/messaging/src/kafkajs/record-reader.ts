import { setTimeout as delay } from 'node:timers/promises';
import type { InputRecord, ShardId } from '../port.ts';
import { connect, type KafkaConnection } from './client.ts';
import { protocolErrorOf } from './errors.ts';
import { recordOf } from './fetched-records.ts';
import { type Cluster, fetchFrom, InnerClient, leaderOf } from './inner-client.ts';

/** Where a record is, or was. */
export interface RecordPlace extends ShardId {
  readonly offset: bigint;
}

/** With a limit of 1 byte a broker answers with exactly the batch that holds the record, however large that is. */
const ONE_BATCH = 1;

/** Reads single records by their place, without joining a group. Connects with the first read. */
export class RecordReader implements AsyncDisposable {
  readonly #client: InnerClient;

  constructor(connection: KafkaConnection) {
    this.#client = new InnerClient(connect(connection));
  }

  /**
   * The committed record at a place. Null where the topic holds none there: retention deleted it, or the topic was recreated and is
   * shorter. Rejects with the broker's error, or after `withinMs`.
   */
  async read(place: RecordPlace, { withinMs }: { readonly withinMs: number }): Promise<InputRecord | null> {
    const late = new AbortController();
    const reading = this.#client.use((cluster) => readAt(cluster, place));
    const waiting = delay(withinMs, undefined, { signal: late.signal }).then(() => {
      throw new Error('the record was not read in time');
    });
    try {
      return await Promise.race([reading, waiting]);
    } finally {
      late.abort();
      for (const other of [reading, waiting]) other.catch(() => {});
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.close();
  }
}

async function readAt(cluster: Cluster, { topic, partition, offset }: RecordPlace): Promise<InputRecord | null> {
  const broker = await leaderOf(cluster, topic, partition);
  if (broker === undefined) throw new Error('the partition has no leader');
  try {
    const fetched = await fetchFrom(broker, { topic, partition, offset, bytesMax: ONE_BATCH });
    const found = fetched?.committed.find((message) => BigInt(message.offset) === offset);
    return found === undefined ? null : recordOf(found);
  } catch (error) {
    if (protocolErrorOf(error) === 'OFFSET_OUT_OF_RANGE') return null;
    throw error;
  }
}

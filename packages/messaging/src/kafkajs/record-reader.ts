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

/** A broker answers with the whole batch that the record is in, however large that is, and with no more. */
const ONE_BATCH = 1;

/** Reads single records by their place, without a group. It is connected with the first of them. */
export class RecordReader implements AsyncDisposable {
  readonly #client: InnerClient;

  constructor(connection: KafkaConnection) {
    this.#client = new InnerClient(connect(connection));
  }

  /**
   * The committed record at a place; null where the topic holds none there: it has let go of it, or was created anew and holds less. Rejects
   * with the broker's error, or after `withinMs`.
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

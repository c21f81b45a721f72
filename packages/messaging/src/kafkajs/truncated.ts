import { connect, type KafkaConnection } from './client.ts';
import { topicOffsets } from './offsets.ts';
import { read } from './tools.ts';

/** A partition whose first records have been deleted, by retention or by hand. */
export interface Truncated {
  readonly topic: string;
  readonly partition: number;
  /** Timestamp, in ms since 1970, of the oldest record left; null where none is left. */
  readonly oldestMs: number | null;
}

/**
 * The partitions of these topics that have lost their first records. Reads records only where there are such. Rejects with the broker's
 * error.
 */
export async function findTruncated(options: {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
}): Promise<Truncated[]> {
  const { connection, topics } = options;
  const truncated = (await findBounds({ connection, topics })).filter(({ low }) => low > 0n);
  const oldest = new Map<string, number>();
  const unread = new Map(
    truncated.filter(({ low, high }) => low < high).map((bounds) => [placeOf(bounds), bounds.low]),
  );
  if (unread.size > 0) {
    const done = Promise.withResolvers<void>();
    // Only so that it is no unhandled rejection: where reading cannot begin, `read` itself rejects.
    done.promise.catch(() => {});
    await using _reading = await read(
      {
        ...{ connection, topics, from: 'start', onFailure: done.reject },
        onRecords: ([first]) => {
          if (first !== undefined && !oldest.has(placeOf(first))) oldest.set(placeOf(first), first.timestampMs);
        },
      },
      ({ next }) => {
        for (const [place, low] of unread) if ((next.get(place) ?? low) > low) unread.delete(place);
        if (unread.size === 0) done.resolve();
      },
    );
    await done.promise;
  }
  return truncated.map((bounds) => {
    const { topic, partition } = bounds;
    return { topic, partition, oldestMs: oldest.get(placeOf(bounds)) ?? null };
  });
}

const placeOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;

/** The offsets of a partition now: `low` of the first record that is left, `high` that the next record will get. */
export interface PartitionBounds {
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** The bounds of every partition of these topics. Rejects with the broker's error. */
export async function findBounds(options: {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
}): Promise<PartitionBounds[]> {
  const admin = connect(options.connection).admin();
  await admin.connect();
  try {
    const found = await Promise.all(
      options.topics.map(async (topic) =>
        (await topicOffsets(admin, topic)).map(({ partition, low, high }) => ({
          topic,
          partition,
          low: BigInt(low),
          high: BigInt(high),
        })),
      ),
    );
    return found.flat();
  } finally {
    await admin.disconnect();
  }
}

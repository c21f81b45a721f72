import { connect, type KafkaConnection } from './client.ts';
import { topicOffsets } from './offsets.ts';
import { read } from './tools.ts';

/** A partition whose first records are gone, by retention or by hand. */
export interface Truncated {
  readonly topic: string;
  readonly partition: number;
  /** When the oldest record that is left was sent; null where none is left. */
  readonly oldestMs: number | null;
}

/** The partitions of these topics that do not begin with their first record any more. Of topics that are whole it reads nothing. */
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
    // Where reading cannot even begin, that is told by `read`.
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

/** What a partition holds as of now: the offset of the first record that is left, and the one that the next will have. */
export interface PartitionBounds {
  readonly topic: string;
  readonly partition: number;
  readonly low: bigint;
  readonly high: bigint;
}

/** The bounds of every partition of these topics. */
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

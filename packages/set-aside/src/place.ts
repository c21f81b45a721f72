import { topicsOf } from '@repo/contracts';
import type { HeldPlace } from '@repo/ledger';

/** The input topics, by what comes on them. */
export const STREAMS = ['claims', 'members'] as const;
export type Stream = (typeof STREAMS)[number];

/** A message's place in an input topic, as it is written: `claims/3@1042`. */
export interface Place {
  readonly stream: Stream;
  readonly partition: number;
  readonly offset: bigint;
}

/** Reads a place; null where the text is none. */
export function parsePlace(text: string): Place | null {
  const [, stream, partition, offset] = /^(claims|members)\/(\d{1,6})@(-?\d{1,18})$/.exec(text) ?? [];
  if (stream === undefined || partition === undefined || offset === undefined) return null;
  return { stream: stream as Stream, partition: Number(partition), offset: BigInt(offset) };
}

/** The name of a place; a topic that is neither input is shown as it is. */
export function placeName(prefix: string, topic: string, partition: number, offset: bigint | string): string {
  const { claims, members } = topicsOf(prefix);
  const short = topic === claims ? 'claims' : topic === members ? 'members' : topic;
  return `${short}/${partition}@${offset}`;
}

/** Where the ledger knows a message that is held. */
export const heldPlaceOf = (prefix: string, { stream, partition, offset }: Place): HeldPlace => ({
  topic: topicOf(prefix, stream),
  partition,
  offset,
});

export const topicOf = (prefix: string, stream: Stream): string => topicsOf(prefix)[stream];

/** What is looked for among what was set aside; undefined = whatever it is. */
export interface Filter {
  readonly topic?: Stream | undefined;
  readonly partition?: number | undefined;
  readonly code?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly id?: string | undefined;
  readonly key?: string | undefined;
}

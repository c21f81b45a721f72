import type { OutgoingHeaders } from './port.ts';

interface Sized {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: OutgoingHeaders;
}

/**
 * Bytes that a record or an outbox row counts against the limits: its key, its value and its headers. A character of a header counts as one
 * byte where it may take three: every row is counted, and a Kafka transaction of three times its limit is still less than half of what its
 * topic takes.
 */
export function sizeOf({ key, value, headers }: Sized): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += name.length + content.length;
  return bytes;
}

/** How an item counts against the limits of a chunk. */
interface Measure<T> {
  readonly count: (item: T) => number;
  readonly bytes: (item: T) => number;
}

/** Removes and answers the first items: as many as `max` allows, at least one where there is any. */
export function takeChunk<T>(
  items: T[],
  { count, bytes }: Measure<T>,
  max: { readonly count: number; readonly bytes: number },
): T[] {
  let [counted, size, taken] = [0, 0, 0];
  for (const item of items) {
    counted += count(item);
    size += bytes(item);
    if (taken > 0 && (counted > max.count || size > max.bytes)) break;
    taken += 1;
  }
  return items.splice(0, taken);
}

/** Bytes that a record or an outbox row counts against the limits: its key and its value, without headers. */
export const sizeOf = ({ key, value }: { readonly key: Buffer | null; readonly value: Buffer | null }): number =>
  (key?.length ?? 0) + (value?.length ?? 0);

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

const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/** Murmur2 as Kafka's Java client computes it, as a signed 32-bit number. */
export function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const tail = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let index = 0; index < tail; index += 4) {
    let word = Math.imul(view.getInt32(index, true), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  if (tail < data.length) {
    for (let index = data.length - 1; index >= tail; index--) hash ^= (data[index] ?? 0) << (8 * (index - tail));
    hash = Math.imul(hash, MIX);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

/** The partition Kafka's default partitioner gives a key; text counts as UTF-8. */
export function partitionForKey(key: Uint8Array | string, partitions: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions;
}

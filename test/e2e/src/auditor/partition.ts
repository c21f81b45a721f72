/** The partition Kafka's default partitioner gives a key: positive murmur2 of its UTF-8 bytes, modulo the count. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

function murmur2(bytes: Buffer): number {
  const factor = 0x5bd1e995;
  let hash = 0x9747b28c ^ bytes.length;
  let index = 0;
  for (; index + 4 <= bytes.length; index += 4) {
    let word = Math.imul(bytes.readInt32LE(index), factor);
    word ^= word >>> 24;
    hash = Math.imul(hash, factor) ^ Math.imul(word, factor);
  }
  const rest = bytes.length - index;
  if (rest === 3) hash ^= (bytes[index + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[index + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[index] ?? 0), factor);
  hash = Math.imul(hash ^ (hash >>> 13), factor);
  return hash ^ (hash >>> 15);
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { encodeRecordBatch } from '../src/kafkajs/record-batch.ts';

const Encoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder');

const HEAD_BYTES = 61;

/** The records of a batch that has one, uncompressed. */
export const recordsOf = (value: Buffer): Buffer =>
  encodeRecordBatch({ messages: [{ key: 'k', value }] }).subarray(HEAD_BYTES);

/** The shortest record: no key, no value, no headers. */
export const SHORTEST = Buffer.from([12, 0, 0, 0, 1, 1, 0]);

/** A batch as its producer sends it: its records compressed (0 not, 1 GZIP, 2 Snappy, 3 LZ4, 4 Zstandard), and with its checksum. */
export function sent(
  codec: 0 | 1 | 2 | 3 | 4,
  records: Buffer,
  { from, count }: { readonly from: bigint; readonly count: number },
): Buffer {
  const buffer = Buffer.concat([encodeRecordBatch({ messages: [] }).subarray(0, HEAD_BYTES), records]);
  buffer.writeBigInt64BE(from, 0);
  buffer.writeInt32BE(buffer.length - 12, 8);
  buffer.writeInt16BE(codec, 21);
  buffer.writeInt32BE(count - 1, 23);
  buffer.writeInt32BE(count, 57);
  buffer.writeUInt32BE(crc32c(buffer.subarray(21)), 17);
  return buffer;
}

/** Bytes in a block of the two formats that are written by hand here: 4 MiB. */
const BLOCK = 4 << 20;

/** An LZ4 frame. In each block the first bytes are literals and one match repeats the last of them, but for the five at the end. */
export function lz4Of(bytes: Buffer): Buffer {
  const blocks = blocksOf(bytes).map((block) => {
    const literals = literalsOf(block);
    const match = block.length - literals.length - 5;
    const tail = block.subarray(-5);
    const token = Buffer.from([0xff]);
    return Buffer.concat([
      ...[token, lz4Length(literals.length - 15), literals, Buffer.from([1, 0]), lz4Length(match - 4 - 15)],
      ...[Buffer.from([0x50]), tail],
    ]);
  });
  const sized = blocks.flatMap((block) => [int32LE(block.length), block]);
  // Version 1, blocks independent of each other, of at most 4 MiB; the last byte is a checksum of these.
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]), ...sized, int32LE(0)]);
}

const lz4Length = (rest: number): Buffer =>
  Buffer.concat([Buffer.alloc(Math.floor(rest / 255), 255), Buffer.from([rest % 255])]);

/** Snappy in frames, as the Java client writes it. The first bytes of a block are literals, and copies of up to 64 repeat the last of them. */
export function snappyOf(bytes: Buffer): Buffer {
  const blocks = blocksOf(bytes).map((block) => {
    const literals = literalsOf(block);
    const size = Buffer.from([
      (block.length & 0x7f) | 0x80,
      ((block.length >> 7) & 0x7f) | 0x80,
      ((block.length >> 14) & 0x7f) | 0x80,
      block.length >> 21,
    ]);
    const copies: Buffer[] = [];
    for (let left = block.length - literals.length; left > 0; left -= 64)
      copies.push(Buffer.from([((Math.min(left, 64) - 1) << 2) | 2, 1, 0]));
    return Buffer.concat([size, Buffer.from([60 << 2, literals.length - 1]), literals, ...copies]);
  });
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  return Buffer.concat([head, ...blocks.flatMap((block) => [int32BE(block.length), block])]);
}

const blocksOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, n) => bytes.subarray(n * BLOCK, (n + 1) * BLOCK));

/** What stands before the zeros of a block, and one of them. */
const literalsOf = (block: Buffer): Buffer => block.subarray(0, 64);

function int32LE(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function int32BE(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const HUGE_BYTES = 6 * BLOCK;
const WHOLE = recordsOf(Buffer.alloc(HUGE_BYTES - 14));
assert(WHOLE.length === HUGE_BYTES, `whole blocks, not ${WHOLE.length - HUGE_BYTES} more`);

/** The records of a batch of one, 24 MiB of which nearly all are zeros. */
export const HUGE = {
  gzip: gzipSync(WHOLE),
  snappy: snappyOf(WHOLE),
  lz4: lz4Of(WHOLE),
  zstd: zstdCompressSync(WHOLE),
};

const [PRODUCE, ALL] = [0, -1];

/** Sends batches to a partition as they are. The broker looks into each, and takes it or not. */
export async function produce(
  broker: string,
  {
    topic,
    partition,
    batches,
  }: { readonly topic: string; readonly partition: number; readonly batches: readonly Buffer[] },
): Promise<void> {
  const [host = '', port] = broker.split(':');
  const socket = net.connect(Number(port), host);
  try {
    for (const batch of batches) {
      const body = new Encoder()
        .writeInt16(PRODUCE)
        .writeInt16(7)
        .writeInt32(1)
        .writeString('test')
        .writeString(null)
        .writeInt16(ALL)
        .writeInt32(30_000);
      body.writeInt32(1).writeString(topic).writeInt32(1).writeInt32(partition).writeBytes(batch);
      socket.write(new Encoder().writeBytes(body.buffer).buffer);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      // Length 4, correlation 4, topics 4, the topic's name, partitions 4, partition 4.
      const code = answer.readInt16BE(12 + 2 + topic.length + 8);
      if (code !== 0) throw new Error(`the broker answered ${code}`);
    }
  } finally {
    socket.destroy();
  }
}

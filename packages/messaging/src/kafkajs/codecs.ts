import { promisify } from 'node:util';
import zlib from 'node:zlib';

/**
 * Decompression of record batches, also in the formats that kafkajs lacks: without them one such batch ends the consumer, again after every
 * restart. Compression is not needed: we publish uncompressed.
 *
 * A batch may expand to about `DECOMPRESSED_MAX`; the broker limits only the compressed size, and 30 KiB may hold a gigabyte.
 */
const DECOMPRESSED_MAX = 16 << 20;

/** A batch that expands to more than is read of one. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

const BOUND = { maxOutputLength: DECOMPRESSED_MAX };
const inflate = promisify(zlib.unzip);
const unzstd = promisify(zlib.zstdDecompress);

async function bounded(decompressed: Promise<Buffer>): Promise<Buffer> {
  try {
    return await decompressed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw new TooLarge();
    throw error;
  }
}

function ensureRoom(bytes: number): void {
  if (bytes > DECOMPRESSED_MAX) throw new TooLarge();
}

/**
 * Copies within one buffer. Where source and target overlap it goes byte by byte, which repeats the source, as Snappy and LZ4 define it.
 */
function copyWithin(buffer: Buffer, target: number, distance: number, length: number): void {
  if (distance === 0 || distance > target || target + length > buffer.length)
    throw new RangeError('corrupt compressed data');
  if (distance >= length) buffer.copyWithin(target, target - distance, target - distance + length);
  else for (let index = target; index < target + length; index++) buffer[index] = buffer[index - distance] ?? 0;
}

/** Decodes one raw Snappy block (google/snappy, format_description.txt); `bytesBefore` is the size of the blocks before it. */
function decodeSnappyBlock(block: Buffer, bytesBefore = 0): Buffer {
  let from = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block.readUInt8(from++);
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  ensureRoom(bytesBefore + size);
  const output = Buffer.alloc(size);
  let to = 0;
  while (from < block.length) {
    const tag = block.readUInt8(from++);
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const bytes = length - 59;
        length = block.readUIntLE(from, bytes);
        from += bytes;
      }
      length += 1;
      if (from + length > block.length || to + length > size) throw new RangeError('corrupt compressed data');
      block.copy(output, to, from, from + length);
      from += length;
      to += length;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const bytes = kind === 3 ? 4 : kind;
    const distance = block.readUIntLE(from, bytes) + (kind === 1 ? (tag >> 5) << 8 : 0);
    from += bytes;
    copyWithin(output, to, distance, length);
    to += length;
  }
  return output;
}

/**
 * The Java client frames Snappy blocks: this magic, two version numbers, then blocks with their lengths. Other clients send one raw block.
 */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_SIZE = 16;

function decodeSnappy(data: Buffer): Buffer {
  if (!data.subarray(0, XERIAL.length).equals(XERIAL)) return decodeSnappyBlock(data);
  const blocks: Buffer[] = [];
  let bytes = 0;
  for (let from = XERIAL_HEADER_SIZE; from < data.length; ) {
    const size = data.readUInt32BE(from);
    const block = decodeSnappyBlock(data.subarray(from + 4, from + 4 + size), bytes);
    blocks.push(block);
    bytes += block.length;
    from += 4 + size;
  }
  return Buffer.concat(blocks);
}

const LZ4_MAGIC = 0x184d2204;

/** Decodes one LZ4 block into `output` from `start` on; answers where it ends. Matches may reach back into earlier blocks of the frame. */
function decodeLz4Block(block: Buffer, output: Buffer, start: number): number {
  let from = 0;
  let to = start;
  const extended = (length: number): number => {
    let total = length;
    if (length === 15) {
      for (let byte = 255; byte === 255; total += byte) byte = block.readUInt8(from++);
    }
    return total;
  };
  while (from < block.length) {
    const token = block.readUInt8(from++);
    const literals = extended(token >> 4);
    if (from + literals > block.length || to + literals > output.length)
      throw new RangeError('corrupt compressed data');
    block.copy(output, to, from, from + literals);
    from += literals;
    to += literals;
    if (from >= block.length) break;
    const distance = block.readUInt16LE(from);
    from += 2;
    const length = extended(token & 15) + 4;
    copyWithin(output, to, distance, length);
    to += length;
  }
  return to;
}

/** Decodes one LZ4 frame (lz4/lz4, lz4_Frame_format.md). Its checksums are not verified: the broker has done so. */
function decodeLz4(data: Buffer): Buffer {
  if (data.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError('not an LZ4 frame');
  const flags = data.readUInt8(4);
  const blockSizeMax = 2 ** (8 + 2 * ((data.readUInt8(5) >> 4) & 7));
  const blockChecksum = flags & 0x10 ? 4 : 0;
  let from = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let output = Buffer.alloc(0);
  let to = 0;
  for (;;) {
    const size = data.readUInt32LE(from);
    from += 4;
    if (size === 0) return output.subarray(0, to);
    const length = size & 0x7fffffff;
    const block = data.subarray(from, from + length);
    from += length + blockChecksum;
    ensureRoom(to);
    if (to + blockSizeMax > output.length)
      output = Buffer.concat([output], Math.max(2 * output.length, to + blockSizeMax));
    if (size > 0x7fffffff) to += block.copy(output, to);
    else to = decodeLz4Block(block, output, to);
  }
}

const reading = (decompress: (data: Buffer) => Buffer | Promise<Buffer>) => () => ({
  compress: async (): Promise<Buffer> => {
    throw new Error('this compression is for reading only');
  },
  decompress: async (data: Buffer): Promise<Buffer> => decompress(data),
});

export const GZIP = reading((data) => bounded(inflate(data, BOUND)));
export const SNAPPY = reading(decodeSnappy);
export const LZ4 = reading(decodeLz4);
export const ZSTD = reading((data) => bounded(unzstd(data, BOUND)));

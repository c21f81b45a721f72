import { crc32c } from '@node-rs/crc32';

/**
 * Key under which a message's headers carry the list they were given as: kafkajs' object of headers loses the order of repeated and of
 * numeric names.
 */
export const HEADER_LIST: unique symbol = Symbol('headers in order');

type Bytes = Buffer | string | null;

/** A message as it was given to kafkajs: its headers are our list in order, or kafkajs' object of values. */
interface MessageFields {
  readonly key?: Bytes;
  readonly value: Bytes;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>> & { readonly [HEADER_LIST]?: HeaderPairs };
  /** Milliseconds since 1970 as text; default: now. */
  readonly timestamp?: string;
}

export interface BatchFields {
  readonly messages: readonly MessageFields[];
  readonly compression?: number;
  readonly transactional?: boolean;
  /** A number as text, or an object whose `toString` gives one. */
  readonly producerId?: string | { toString(): string };
  readonly producerEpoch?: number;
  readonly firstSequence?: number;
}

/** Bytes before the records: base offset 8, length 4, leader epoch 4, magic 1, checksum 4, then what the checksum covers. */
const HEAD_BYTES = 61;
const LENGTH_AT = 12;
const CHECKSUM_END = 21;
const [MAGIC, TRANSACTIONAL] = [2, 16];

/**
 * Encodes a record batch (format v2, uncompressed) into one buffer of the right size. kafkajs grows a buffer for every record and copies
 * each through four others, which was a tenth of a claim's cost. Throws where compression is asked for, which nothing here does.
 */
export function encodeRecordBatch(batch: BatchFields): Buffer {
  const { messages, compression = 0, producerId = '-1', producerEpoch = 0, firstSequence = 0 } = batch;
  if (compression !== 0) throw new Error('record batches are sent uncompressed');
  const now = Date.now();
  const timestamps = messages.map(({ timestamp }) => (timestamp === undefined ? now : Number(timestamp)));
  const first = timestamps.reduce((least, timestamp) => Math.min(least, timestamp), timestamps[0] ?? now);
  const last = timestamps.reduce((most, timestamp) => Math.max(most, timestamp), first);
  const records = messages.map((message, i): RecordFields => {
    const { key, value } = message;
    return { offsetDelta: i, timestampDelta: (timestamps[i] ?? now) - first, key, value, headers: headersOf(message) };
  });
  const sizes = records.map(sizeOf);
  const total = sizes.reduce((sum, size) => sum + varIntBytes(size) + size, HEAD_BYTES);
  const out = Buffer.allocUnsafe(total);
  out.fill(0, 0, HEAD_BYTES);
  out.writeInt32BE(total - LENGTH_AT, 8);
  out.writeInt8(MAGIC, 16);
  out.writeInt16BE(batch.transactional === true ? TRANSACTIONAL : 0, 21);
  out.writeInt32BE(records.length - 1, 23);
  out.writeBigInt64BE(BigInt(first), 27);
  out.writeBigInt64BE(BigInt(last), 35);
  out.writeBigInt64BE(BigInt(producerId.toString()), 43);
  out.writeInt16BE(producerEpoch, 51);
  out.writeInt32BE(firstSequence, 53);
  out.writeInt32BE(records.length, 57);
  let at = HEAD_BYTES;
  records.forEach((record, i) => {
    at = writeRecord(out, writeVarInt(out, at, sizes[i] ?? 0), record);
  });
  out.writeUInt32BE(crc32c(out.subarray(CHECKSUM_END)), 17);
  return out;
}

type HeaderPairs = readonly (readonly [name: string, value: Bytes])[];

interface RecordFields {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Bytes | undefined;
  readonly value: Bytes;
  readonly headers: HeaderPairs;
}

function headersOf({ headers = {} }: MessageFields): HeaderPairs {
  const list = headers[HEADER_LIST];
  if (list !== undefined) return list;
  return Object.entries(headers).flatMap(([name, values]) =>
    Array.isArray(values) ? values.map((value) => [name, value] as const) : [[name, values as Bytes] as const],
  );
}

const lengthOf = (bytes: Bytes | undefined): number =>
  bytes == null ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

function fieldBytes(bytes: Bytes | undefined): number {
  const length = lengthOf(bytes);
  return varIntBytes(length) + Math.max(length, 0);
}

function sizeOf({ offsetDelta, timestampDelta, key, value, headers }: RecordFields): number {
  let size = 1 + varIntBytes(timestampDelta) + varIntBytes(offsetDelta) + fieldBytes(key) + fieldBytes(value);
  size += varIntBytes(headers.length);
  for (const [name, content] of headers) size += fieldBytes(name) + fieldBytes(content);
  return size;
}

function writeRecord(out: Buffer, from: number, record: RecordFields): number {
  let at = writeVarInt(out, from + 1, record.timestampDelta);
  out[from] = 0; // no attributes
  at = writeVarInt(out, at, record.offsetDelta);
  at = writeField(out, at, record.key);
  at = writeField(out, at, record.value);
  at = writeVarInt(out, at, record.headers.length);
  for (const [name, content] of record.headers) at = writeField(out, writeField(out, at, name), content);
  return at;
}

function writeField(out: Buffer, from: number, bytes: Bytes | undefined): number {
  const length = lengthOf(bytes);
  const at = writeVarInt(out, from, length);
  if (bytes == null) return at;
  if (typeof bytes !== 'string') out.set(bytes, at);
  else if (length > bytes.length) out.write(bytes, at, length, 'utf8');
  // Short ASCII text, copied here because the call of `write` takes longer than the copying.
  else for (let i = 0; i < length; i++) out[at + i] = bytes.charCodeAt(i);
  return at + length;
}

/**
 * Zigzag encoding: small numbers of either sign take few bytes. Without bit operations, as timestamp deltas may need more than 32 bits.
 */
const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1);

function varIntBytes(value: number): number {
  let rest = zigzag(value);
  let bytes = 1;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

function writeVarInt(out: Buffer, from: number, value: number): number {
  let at = from;
  let rest = zigzag(value);
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) | 0x80;
  out[at++] = rest;
  return at;
}

import { crc32c } from '@node-rs/crc32';
import { timestampOf } from '@repo/domain';
import type { KafkaMessage } from 'kafkajs';
import { type InputRecord, type Unread, type WaitingRecord, waiting } from '../port.ts';
import { TooLarge } from './codecs.ts';

/** What the header of a batch says of all its records. */
interface BatchFacts {
  readonly baseOffset: bigint;
  readonly firstTimestampMs: number;
  /** When the broker appended the batch, where the topic uses append time; else undefined, and each record has its own timestamp. */
  readonly appendedAtMs: number | undefined;
  readonly isControlBatch: boolean;
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** The parts of kafkajs' decoder that are used here. */
interface Decoder {
  readInt32(): number;
  canReadBytes(bytes: number): boolean;
  readBytes(bytes: number): Buffer;
}

interface Parts {
  readonly Decoder: new (buffer: Buffer) => Decoder;
  readonly codecOf: (attributes: number) => { decompress(bytes: Buffer): Promise<Buffer> } | null;
  /** Reads the formats before v2. */
  readonly decodeOlder: (decoder: Decoder, size: number) => Promise<unknown[]>;
}

/** Base offset (8 bytes) and length (4). The positions below are counted from the end of these. */
const HEAD_BYTES = 12;
const [MAGIC, CHECKSUM, ATTRIBUTES, LAST_DELTA, FIRST_TIMESTAMP] = [4, 5, 9, 11, 15] as const;
const [MAX_TIMESTAMP, PRODUCER, COUNT, RECORDS] = [23, 31, 45, 49] as const;
const [APPEND_TIME, TRANSACTIONAL, CONTROL] = [0x8, 0x10, 0x20] as const;
const VERSION_2 = 2;

/**
 * Decompressed bytes after which the rest of an answer is left to the next fetch, though each partition gets one batch at least.
 * Compressed, an answer may hold a thousand times the bytes that were asked for.
 */
const ANSWER_BYTES_MAX = 32 << 20;
/** Records in a batch. 8 MiB, the most that a topic takes, hold this many records with a key, a value and no header. */
const RECORDS_MAX = 200_000;
/** Headers of a record. An empty one takes two bytes in the topic and hundreds in memory. */
const HEADERS_MAX = 1_000;
/** The same for tools, which also read dead letters: those have the original's headers and ours. */
const TOOL_HEADERS_MAX = 1_100;

/**
 * Finds the records in a partition's part of a fetch answer without decoding them. kafkajs decodes each at once into some twenty objects,
 * which then wait in memory with it (a tenth of all that outlived the young generation), and it fails on batches of more than about 100,000
 * records.
 */
export function decodingMessages({ Decoder, codecOf, decodeOlder }: Parts): (answer: Decoder) => Promise<unknown[]> {
  /** Decompressed bytes per answer. All partitions of an answer lie in one buffer, which identifies the answer. */
  const readOf = new WeakMap<ArrayBufferLike, number>();
  return async (answer) => {
    const size = answer.readInt32();
    if (size <= 0 || !answer.canReadBytes(size)) return [];
    const set = answer.readBytes(size);
    if (set.readInt8(HEAD_BYTES + MAGIC) !== VERSION_2) return decodeOlder(new Decoder(set), size);
    const messages: FetchedMessage[] = [];
    for (let at = 0; set.length - at >= HEAD_BYTES + RECORDS; ) {
      const end = at + HEAD_BYTES + set.readInt32BE(at + 8);
      const read = readOf.get(set.buffer) ?? 0;
      // The broker cut the batch off at the end of the answer, or we have read enough of this answer.
      if (end > set.length || (messages.length > 0 && read > ANSWER_BYTES_MAX)) break;
      const batch = await readBatch(set.subarray(at, end), codecOf);
      readOf.set(set.buffer, read + batch.bytes);
      for (const message of batch.messages) messages.push(message);
      at = end;
    }
    return messages;
  };
}

interface ReadBatch {
  readonly messages: readonly FetchedMessage[];
  /** Decompressed size of the batch, in bytes. */
  readonly bytes: number;
}

async function readBatch(whole: Buffer, codecOf: Parts['codecOf']): Promise<ReadBatch> {
  const batch = whole.subarray(HEAD_BYTES);
  const attributes = batch.readInt16BE(ATTRIBUTES);
  const lastTimestampMs = Number(batch.readBigInt64BE(MAX_TIMESTAMP));
  const facts: BatchFacts = {
    baseOffset: whole.readBigInt64BE(),
    firstTimestampMs: Number(batch.readBigInt64BE(FIRST_TIMESTAMP)),
    appendedAtMs: (attributes & APPEND_TIME) === 0 ? undefined : lastTimestampMs,
    isControlBatch: (attributes & CONTROL) !== 0,
    producerId: String(batch.readBigInt64BE(PRODUCER)),
    inTransaction: (attributes & TRANSACTIONAL) !== 0,
  };
  const count = batch.readInt32BE(COUNT);
  try {
    if (count > RECORDS_MAX) throw new TooLarge();
    const codec = codecOf(attributes);
    const bytes = batch.subarray(RECORDS);
    const records = codec === null ? bytes : await codec.decompress(bytes);
    return { messages: findRecords(records, count, facts), bytes: records.length };
  } catch (error) {
    // With a wrong checksum the network damaged the batch: throw, so that it is fetched again. With a right one it was sent like this and
    // will never be readable.
    if (isOutOfMemory(error) || crc32c(batch.subarray(ATTRIBUTES)) !== batch.readUInt32BE(CHECKSUM)) throw error;
    const unread = { isTooLarge: error instanceof TooLarge, from: facts.baseOffset, count };
    const last = facts.baseOffset + BigInt(batch.readInt32BE(LAST_DELTA));
    const record = waiting(unreadRecord(last, lastTimestampMs, unread));
    return { messages: [new FetchedMessage(record, facts)], bytes: 0 };
  }
}

/** Recognises the out-of-memory errors of zlib, Zstandard and V8. */
const isOutOfMemory = (error: unknown): boolean =>
  /Z_MEM_ERROR|memory_allocation|MEMORY_ALLOCATION|allocation failed/.test(
    `${(error as NodeJS.ErrnoException).code} ${error}`,
  );

function findRecords(bytes: Buffer, count: number, facts: BatchFacts): FetchedMessage[] {
  const records: FetchedMessage[] = [];
  const cursor = new Cursor(bytes, 0);
  for (let index = 0; index < count; index++) {
    const size = cursor.varInt();
    const end = cursor.at + size;
    if (size < 0 || end > bytes.length) throw new RangeError('a record does not end within its batch');
    cursor.at += 1; // attributes, of which none are defined
    const timestampMs = facts.firstTimestampMs + cursor.varInt();
    const offset = facts.baseOffset + BigInt(cursor.varInt());
    const place = { bytes, at: cursor.at, size };
    records.push(new FetchedMessage(new FetchedRecord(offset, facts.appendedAtMs ?? timestampMs, place), facts));
    cursor.at = end;
  }
  return records;
}

/** Reads the numbers and fields of a record one after the other. Throws `RangeError` where they do not end within the buffer. */
class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A zigzag varint. Computed without bit operations because timestamp deltas may need more than 32 bits. */
  varInt(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw new RangeError('a record ends within a number');
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      unit *= 0x80;
    }
  }

  field(): Buffer | null {
    const length = this.varInt();
    if (length < 0) return null;
    const from = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError('a field does not end within its record');
    return this.#bytes.subarray(from, this.at);
  }
}

const NOTHING = Buffer.alloc(0);

/** A record that remembers its place in the fetched buffer and decodes itself when `read` is called. */
class FetchedRecord implements WaitingRecord {
  readonly offset: bigint;
  readonly size: number;
  readonly #timestampMs: number;
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(offset: bigint, timestampMs: number, { bytes, at, size }: { bytes: Buffer; at: number; size: number }) {
    this.offset = offset;
    this.#timestampMs = timestampMs;
    this.size = size;
    this.#bytes = bytes;
    this.#at = at;
  }

  read(headersMax = HEADERS_MAX): InputRecord {
    const [offset, timestampMs] = [this.offset, timestampOf(this.#timestampMs)];
    try {
      const cursor = new Cursor(this.#bytes, this.#at);
      const [key, value] = [cursor.field(), cursor.field()];
      const count = cursor.varInt();
      // With its key, so that it stays in the order of that key; without its value, which nobody can judge by some of the headers.
      if (count > headersMax)
        return { ...unreadRecord(offset, timestampMs, { isTooLarge: true, from: offset, count: 1 }), key };
      const headers: [string, Buffer][] = [];
      // The protocol allows a header without a value; it is read as an empty one.
      for (let left = count; left > 0; left--)
        headers.push([(cursor.field() ?? NOTHING).toString(), cursor.field() ?? NOTHING]);
      return { offset, key, value, headers, timestampMs };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return unreadRecord(offset, timestampMs, { isTooLarge: false, from: offset, count: 1 });
    }
  }
}

/** The placeholder that is delivered instead of records that cannot be read. */
const unreadRecord = (offset: bigint, timestampMs: number, unread: Unread): InputRecord => ({
  ...{ offset, key: null, value: null, headers: [] },
  ...{ timestampMs: timestampOf(timestampMs), unread },
});

/** A fetched record in the form that kafkajs expects. kafkajs itself reads only the offset and whether the transaction was aborted. */
class FetchedMessage {
  readonly record: WaitingRecord;
  readonly offset: string;
  readonly batchContext: BatchFacts;
  #read: InputRecord | undefined;

  constructor(record: WaitingRecord, batchContext: BatchFacts) {
    this.record = record;
    this.offset = String(record.offset);
    this.batchContext = batchContext;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  get timestamp(): string {
    return String(this.#whole().timestampMs);
  }

  get key(): Buffer | null {
    return this.#whole().key;
  }

  get value(): Buffer | null {
    return this.#whole().value;
  }

  /** As kafkajs gives them: a name that repeats has the list of its values. */
  get headers(): Readonly<Record<string, Buffer | Buffer[]>> {
    const named = Map.groupBy(this.#whole().headers, ([name]) => name);
    return Object.fromEntries(
      [...named].map(([name, [first, ...others]]) => {
        const value = first?.[1] ?? NOTHING;
        return [name, others.length === 0 ? value : [value, ...others.map((pair) => pair[1])]];
      }),
    );
  }

  #whole(): InputRecord {
    this.#read ??= this.record.read();
    return this.#read;
  }
}

/**
 * The record of a message from kafkajs, not yet decoded. Messages of formats before v2 have been decoded by kafkajs; they have no headers.
 */
export function waitingRecordOf(message: KafkaMessage): WaitingRecord {
  const { record } = message as KafkaMessage & Partial<FetchedMessage>;
  if (record !== undefined) return record;
  const { key, value, timestamp } = message;
  const timestampMs = timestampOf(Number(timestamp));
  return waiting({ offset: BigInt(message.offset), key, value, headers: [], timestampMs });
}

/** The record of a message from kafkajs, decoded, for tools. */
export function recordOf(message: KafkaMessage): InputRecord {
  const record = waitingRecordOf(message);
  return record instanceof FetchedRecord ? record.read(TOOL_HEADERS_MAX) : record.read();
}

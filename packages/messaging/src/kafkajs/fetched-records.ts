import type { KafkaMessage } from 'kafkajs';
import { type InputRecord, type WaitingRecord, waiting } from '../port.ts';

/** What a batch says of all its records. */
interface BatchFacts {
  readonly baseOffset: bigint;
  readonly firstTimestampMs: number;
  /** When the broker appended the batch, where its topic says that; else each record has a time of its own. */
  readonly appendedAtMs: number | undefined;
  readonly isControlBatch: boolean;
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** Where kafkajs' decoder of an answer is. */
interface Source {
  readonly buffer: Buffer;
  offset: number;
}

interface Parts {
  /** kafkajs' error for a batch that the answer had no room for; it keeps those before. */
  readonly PartialMessageError: new (
    message: string,
  ) => Error;
  readonly codecOf: (attributes: number) => { decompress(bytes: Buffer): Promise<Buffer> } | null;
}

/** Base offset 8 and length 4; the other places are counted from behind these. */
const HEAD_BYTES = 12;
const [ATTRIBUTES, FIRST_TIMESTAMP, MAX_TIMESTAMP, PRODUCER, COUNT, RECORDS] = [9, 15, 23, 31, 45, 49] as const;
const [APPEND_TIME, TRANSACTIONAL, CONTROL] = [0x8, 0x10, 0x20] as const;

/**
 * Finds the records of a batch (format v2) without reading them. kafkajs makes some twenty objects of each at once, which then wait with it:
 * a tenth of all that outlived the young generation.
 */
export const decodingBatches =
  ({ PartialMessageError, codecOf }: Parts) =>
  async (source: Source): Promise<{ records: FetchedMessage[] }> => {
    const { buffer, offset } = source;
    const length = buffer.readInt32BE(offset + 8);
    const batch = buffer.subarray(offset + HEAD_BYTES, offset + HEAD_BYTES + length);
    source.offset += HEAD_BYTES + length;
    if (batch.length < length) throw new PartialMessageError('the answer ends within a record batch');
    const attributes = batch.readInt16BE(ATTRIBUTES);
    const facts: BatchFacts = {
      baseOffset: buffer.readBigInt64BE(offset),
      firstTimestampMs: Number(batch.readBigInt64BE(FIRST_TIMESTAMP)),
      appendedAtMs: (attributes & APPEND_TIME) === 0 ? undefined : Number(batch.readBigInt64BE(MAX_TIMESTAMP)),
      isControlBatch: (attributes & CONTROL) !== 0,
      producerId: String(batch.readBigInt64BE(PRODUCER)),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    };
    const count = batch.readInt32BE(COUNT);
    const bytes = batch.subarray(RECORDS);
    const codec = codecOf(attributes);
    return { records: findRecords(codec === null ? bytes : await codec.decompress(bytes), count, facts) };
  };

function findRecords(bytes: Buffer, count: number, facts: BatchFacts): FetchedMessage[] {
  const records: FetchedMessage[] = [];
  const cursor = new Cursor(bytes, 0);
  for (let index = 0; index < count; index++) {
    const size = cursor.varInt();
    const end = cursor.at + size;
    if (size < 0 || end > bytes.length) throw new RangeError('a record does not end within its batch');
    cursor.at += 1; // attributes, of which none are known
    const timestampMs = facts.firstTimestampMs + cursor.varInt();
    const offset = facts.baseOffset + BigInt(cursor.varInt());
    const place = { bytes, at: cursor.at, size };
    records.push(new FetchedMessage(new FetchedRecord(offset, facts.appendedAtMs ?? timestampMs, place), facts));
    cursor.at = end;
  }
  return records;
}

/** Reads the numbers and fields of a record one after the other. */
class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Zigzag, in groups of seven bits: deltas of time may need more than 32. */
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

/** A record that is read when it is asked for: until then it is a place in what was fetched. */
class FetchedRecord implements WaitingRecord {
  readonly offset: bigint;
  readonly size: number;
  readonly timestampMs: number;
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(offset: bigint, timestampMs: number, { bytes, at, size }: { bytes: Buffer; at: number; size: number }) {
    this.offset = offset;
    this.timestampMs = timestampMs;
    this.size = size;
    this.#bytes = bytes;
    this.#at = at;
  }

  read(): InputRecord {
    const { offset, timestampMs } = this;
    const cursor = new Cursor(this.#bytes, this.#at);
    const [key, value] = [cursor.field(), cursor.field()];
    const headers: [string, Buffer][] = [];
    // A value may be missing; an empty one stands for it.
    for (let left = cursor.varInt(); left > 0; left--)
      headers.push([(cursor.field() ?? NOTHING).toString(), cursor.field() ?? NOTHING]);
    return { offset, key, value, headers, timestampMs };
  }
}

/** A fetched record as kafkajs hands it over. It looks at the offset itself, and at whether the transaction was aborted. */
class FetchedMessage {
  readonly record: FetchedRecord;
  readonly offset: string;
  readonly batchContext: BatchFacts;
  #read: InputRecord | undefined;

  constructor(record: FetchedRecord, batchContext: BatchFacts) {
    this.record = record;
    this.offset = String(record.offset);
    this.batchContext = batchContext;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  get timestamp(): string {
    return String(this.record.timestampMs);
  }

  get key(): Buffer | null {
    return this.#whole().key;
  }

  get value(): Buffer | null {
    return this.#whole().value;
  }

  /** Of names that repeat, the list of their values. */
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

/** The record of a message that kafkajs hands over, unread. One of a format before v2 it has read itself; those have no headers. */
export function waitingRecordOf(message: KafkaMessage): WaitingRecord {
  const { record } = message as KafkaMessage & Partial<FetchedMessage>;
  if (record !== undefined) return record;
  const { key, value, timestamp } = message;
  return waiting({ offset: BigInt(message.offset), key, value, headers: [], timestampMs: Number(timestamp) });
}

/** The same, read. */
export const recordOf = (message: KafkaMessage): InputRecord => waitingRecordOf(message).read();

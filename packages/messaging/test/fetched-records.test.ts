import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GZIP, LZ4, SNAPPY, ZSTD } from '../src/kafkajs/codecs.ts';
import { decodingMessages, recordOf } from '../src/kafkajs/fetched-records.ts';
import { encodeRecordBatch, HEADER_LIST } from '../src/kafkajs/record-batch.ts';
import type { WaitingRecord } from '../src/port.ts';
import { HUGE, lz4Of, recordsOf, SHORTEST, sent, snappyOf } from './compressed.fixture.ts';

// kafkajs as it is published: this file loads none of the replacements.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const Decoder = require('kafkajs/src/protocol/decoder');
const Encoder = require('kafkajs/src/protocol/encoder');
const Long = require('kafkajs/src/utils/long');
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const decodeOlder = require('kafkajs/src/protocol/messageSet/decoder');

const CODECS = [null, GZIP(), SNAPPY(), LZ4(), ZSTD()];
const codecOf = (attributes: number) => CODECS[attributes & 7] ?? null;
const decode = decodingMessages({ Decoder, codecOf, decodeOlder });

/** What kafkajs has of a message. */
interface Message {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  readonly record: WaitingRecord;
}

const answerOf = (buffer: Buffer) => new Decoder(new Encoder().writeBytes(buffer).buffer);
const decodeAll = async (buffer: Buffer) => (await decode(answerOf(buffer))) as Message[];

const shown = (messages: Iterable<Message>) =>
  [...messages].map(({ offset, timestamp, key, value, headers, isControlRecord, batchContext }) => {
    const { producerId, inTransaction } = batchContext;
    return { offset, timestamp, key, value, headers, isControlRecord, producerId, inTransaction };
  });

const ATTRIBUTES_AT = 21;
const [APPEND_TIME, CONTROL] = [0x8, 0x20];
/** kafkajs looks so far into an answer without asking whether there is as much. */
const ANSWER_BYTES_MIN = 17;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(
    // kafkajs takes what every object has by itself, such as `toString`, for a header that came before.
    fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => !(name in {})),
    fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 })),
    { maxKeys: 4, noNullPrototype: true },
  ),
  timestampDelta: fc.oneof(
    fc.nat({ max: 100 }),
    fc.maxSafeInteger().map((ms) => Math.trunc(ms / 4096)),
  ),
});
const batch = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 20 }),
  firstOffset: fc.bigInt({ min: 0n, max: 2n ** 60n }),
  firstTimestamp: fc.nat({ max: 2 ** 31 - 1 }),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 60n }),
  transactional: fc.boolean(),
  isControl: fc.boolean(),
  isAppendTime: fc.boolean(),
  compression: fc.constantFrom(0, 1),
});

type BatchFields = typeof batch extends fc.Arbitrary<infer Fields> ? Fields : never;

async function encode({ records, firstOffset, isControl, isAppendTime, ...fields }: BatchFields) {
  const encoded = await RecordBatch({
    ...fields,
    producerId: Long.fromValue(fields.producerId),
    maxTimestamp: fields.firstTimestamp + 1_000,
    lastOffsetDelta: records.length - 1,
    records: records.map((each, offsetDelta) => encodeRecord({ ...each, offsetDelta })),
  });
  const buffer: Buffer = Buffer.from(encoded.buffer);
  buffer.writeBigInt64BE(firstOffset, 0);
  const flags = (isControl ? CONTROL : 0) | (isAppendTime ? APPEND_TIME : 0);
  buffer.writeInt16BE(buffer.readInt16BE(ATTRIBUTES_AT) | flags, ATTRIBUTES_AT);
  return buffer;
}

test('batches have the records that kafkajs finds in them: compressed, of a transaction, control records, and cut off anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(batch, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      async (all, cut, isCut) => {
        const whole = Buffer.concat(await Promise.all(all.map(encode)));
        const answer = isCut ? whole.subarray(0, Math.max(ANSWER_BYTES_MIN, cut % whole.length)) : whole;
        const theirs = (await decodeMessages(answerOf(answer))) as Message[];
        const ours = await decodeAll(answer);
        expect(shown(ours)).toEqual(shown(theirs));
        expect(ours.map(({ record }) => String(record.offset))).toEqual(ours.map(({ offset }) => offset));
      },
    ),
    { numRuns: 100 },
  );
});

const one = (headers: readonly (readonly [string, Buffer])[]) =>
  encodeRecordBatch({
    messages: [{ key: 'k', value: '{}', timestamp: '5', headers: { [HEADER_LIST]: headers } }],
  });

test('headers keep their order, repeated names too', async () => {
  const headers = (['b', '1', 'a', 'b'] as const).map((name, i) => [name, Buffer.from([i])] as const);
  const [message] = await decodeAll(one(headers));
  expect(message?.record.read()).toEqual({
    ...{ offset: 0n, timestampMs: 5, key: Buffer.from('k'), value: Buffer.from('{}') },
    headers,
  });
});

/** A record with so many headers of no name and no value, two bytes each. */
const withHeaders = (count: number) => {
  const headers = Buffer.alloc(count * 2);
  const fields = Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('k'), Buffer.from([2]), Buffer.from('v')]);
  const body = Buffer.concat([fields, varInt(count), headers]);
  return Buffer.concat([varInt(body.length), body]);
};
function varInt(value: number): Buffer {
  const bytes: number[] = [];
  let left = value * 2;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Buffer.from([...bytes, left]);
}

test('headers by the million take no memory: the record is not read but for its key', async () => {
  const [message] = await decodeAll(sent(0, withHeaders(4_000_000), { from: 100n, count: 1 }));
  const before = process.memoryUsage().heapUsed;
  expect(message?.record.read()).toMatchObject({
    ...{ offset: 100n, key: Buffer.from('k'), value: null, headers: [] },
    unread: { isTooLarge: true, from: 100n, count: 1 },
  });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50 << 20);
});

test('a thousand headers are read, and by tools those that a dead letter has besides', async () => {
  const readOf = async (count: number) => {
    const [message] = await decodeAll(sent(0, withHeaders(count), { from: 100n, count: 1 }));
    if (message === undefined) throw new Error('there is a record');
    const isTools = recordOf(message as unknown as Parameters<typeof recordOf>[0]).unread === undefined;
    return [message.record.read().headers.length, isTools];
  };
  expect(await Promise.all([1_000, 1_001, 1_007, 1_101].map(readOf))).toEqual([
    [1_000, true],
    [0, true],
    [0, true],
    [0, false],
  ]);
});

test('a missing value of a header is read as an empty one', async () => {
  const buffer = one([['h', Buffer.from('x')]]);
  buffer.writeUInt8(1, buffer.length - 2); // its length: -1
  const [message] = await decodeAll(buffer);
  expect(message?.record.read().headers).toEqual([['h', Buffer.alloc(0)]]);
});

test.each([
  ['a record that does not end within its batch', 61],
  ['a number that does not end within its batch', 62],
])('%s is told at once', async (_, at) => {
  const buffer = one([]);
  buffer.fill(0xff, at);
  await expect(decodeAll(buffer)).rejects.toThrow(RangeError);
});

test.each([
  ['GZIP', 1, HUGE.gzip],
  ['Snappy', 2, Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04])],
  ['Snappy in frames', 2, HUGE.snappy],
  ['LZ4', 3, HUGE.lz4],
  ['Zstandard', 4, HUGE.zstd],
] as const)('a batch that holds more than is read at once is not read: %s', async (_, codec, records) => {
  const next = sent(0, Buffer.concat([SHORTEST, SHORTEST]), { from: 107n, count: 2 });
  const messages = await decodeAll(Buffer.concat([sent(codec, records, { from: 100n, count: 7 }), next]));
  expect(messages.map(({ offset }) => offset)).toEqual(['106', '107', '107']);
  expect(messages[0]?.record.read()).toMatchObject({
    ...{ offset: 106n, key: null, value: null, headers: [] },
    unread: { isTooLarge: true, from: 100n, count: 7 },
  });
  expect(messages[1]?.record.read()).not.toHaveProperty('unread');
});

test('as large as is read at once is read', async () => {
  const value = Buffer.alloc((16 << 20) - 100);
  const plain = recordsOf(value);
  for (const [codec, records] of [
    [1, gzipSync(plain)],
    [4, zstdCompressSync(plain)],
  ] as const) {
    const [message] = await decodeAll(sent(codec, records, { from: 100n, count: 1 }));
    expect(message?.record.read().value?.equals(value)).toBe(true);
  }
  // Zeros are no record that a broker takes, but they come out of it whole.
  const zeros = Buffer.alloc(16 << 20);
  expect((await SNAPPY().decompress(snappyOf(zeros))).equals(zeros)).toBe(true);
  expect((await LZ4().decompress(lz4Of(zeros))).equals(zeros)).toBe(true);
});

test('of small batches that hold much no more is read than fits; the rest is fetched again', async () => {
  const value = Buffer.alloc(10 << 20);
  const records = zstdCompressSync(recordsOf(value));
  const answer = Buffer.concat(Array.from({ length: 20 }, () => sent(4, records, { from: 100n, count: 1 })));
  expect(await decodeAll(answer)).toHaveLength(4);
});

test('many small records in one batch are read, and too many are not', async () => {
  const many = Buffer.concat(Array.from({ length: 200_000 }, () => SHORTEST));
  expect(await decodeAll(sent(0, many, { from: 100n, count: 200_000 }))).toHaveLength(200_000);
  const [message, ...others] = await decodeAll(
    sent(0, Buffer.concat([many, SHORTEST]), { from: 100n, count: 200_001 }),
  );
  expect(others).toEqual([]);
  expect(message?.record.read().unread).toEqual({ isTooLarge: true, from: 100n, count: 200_001 });
});

test('a record that does not hold what it says is not read, and those beside it are', async () => {
  const wrong = Buffer.from([12, 0, 0, 2, 40, 1, 0]);
  const messages = await decodeAll(sent(0, Buffer.concat([SHORTEST, wrong]), { from: 100n, count: 2 }));
  expect(messages.map(({ record }) => record.read().unread)).toEqual([
    undefined,
    { isTooLarge: false, from: 101n, count: 1 },
  ]);
});

test('a batch that does not hold what it says is not read; one that was damaged on its way is told', async () => {
  const broken = sent(4, Buffer.from('not compressed'), { from: 100n, count: 3 });
  const [message] = await decodeAll(broken);
  expect(message?.record.read()).toMatchObject({ offset: 102n, unread: { isTooLarge: false, from: 100n, count: 3 } });
  broken.writeUInt8(0, broken.length - 1);
  await expect(decodeAll(broken)).rejects.toThrow();
});

const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;

test.each(['-9000000000000000', '9000000000000000', '-9223372036854775808', '9223372036854775807'])(
  'a timestamp that is no moment of the calendar, %s, is read as none',
  async (timestamp) => {
    const ms = BigInt(timestamp);
    const stamped = one([]);
    stamped.writeBigInt64BE(ms, FIRST_TIMESTAMP_AT);
    const appended = one([]);
    appended.writeBigInt64BE(ms, MAX_TIMESTAMP_AT);
    appended.writeInt16BE(APPEND_TIME, ATTRIBUTES_AT);
    const unread = sent(4, Buffer.from('not compressed'), { from: 0n, count: 1 });
    unread.writeBigInt64BE(ms, MAX_TIMESTAMP_AT);
    unread.writeUInt32BE(crc32c(unread.subarray(ATTRIBUTES_AT)), 17);
    for (const batch of [stamped, appended, unread]) {
      const [message] = await decodeAll(batch);
      expect(message?.record.read().timestampMs).toBe(-1);
    }
    const older = { offset: '7', key: null, value: null, timestamp, attributes: 0, headers: {} };
    expect(recordOf(older).timestampMs).toBe(-1);
  },
);

test('a message of an older format, which kafkajs has read itself, has no headers', () => {
  const message = { offset: '7', key: null, value: Buffer.from('v'), timestamp: '9', attributes: 0, headers: {} };
  expect(recordOf(message)).toEqual({ offset: 7n, key: null, value: Buffer.from('v'), timestampMs: 9, headers: [] });
});

test('a header may have the name of what every object has', async () => {
  const headers = [['toString', Buffer.from('x')]] as const;
  const [message] = await decodeAll(one(headers));
  expect(message?.record.read().headers).toEqual(headers);
  expect(message?.headers).toEqual({ toString: Buffer.from('x') });
});

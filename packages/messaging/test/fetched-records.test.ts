import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodingBatches, recordOf } from '../src/kafkajs/fetched-records.ts';
import { encodeRecordBatch, HEADER_LIST } from '../src/kafkajs/record-batch.ts';

// kafkajs as it is published: this file loads none of the replacements.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const Decoder = require('kafkajs/src/protocol/decoder');
const Encoder = require('kafkajs/src/protocol/encoder');
const Long = require('kafkajs/src/utils/long');
const decodeMessages = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const { KafkaJSPartialMessageError } = require('kafkajs/src/errors');
const { lookupCodecByAttributes } = require('kafkajs/src/protocol/message/compression');

const decodeBatch = decodingBatches({
  PartialMessageError: KafkaJSPartialMessageError,
  codecOf: lookupCodecByAttributes,
});

type Messages = Awaited<ReturnType<typeof decodeBatch>>['records'];

/** As kafkajs goes through an answer: batch after batch, up to one that the answer had no room for. */
async function decodeAll(buffer: Buffer): Promise<Messages> {
  const messages: Messages = [];
  const source = { buffer, offset: 0 };
  while (buffer.length - source.offset >= 49) {
    try {
      messages.push(...(await decodeBatch(source)).records);
    } catch (error) {
      if (error instanceof KafkaJSPartialMessageError) break;
      throw error;
    }
  }
  return messages;
}

const shown = (messages: Iterable<Messages[number]>) =>
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
        const theirs = await decodeMessages(new Decoder(new Encoder().writeBytes(answer).buffer));
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

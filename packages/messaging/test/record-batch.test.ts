import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { joiningOnce, producingInParts } from '../src/kafkajs/produce-request.ts';
import { encodeRecordBatch, HEADER_LIST } from '../src/kafkajs/record-batch.ts';

// kafkajs as it is published: this file loads none of the replacements.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const Encoder = require('kafkajs/src/protocol/encoder');
const produceV3 = require('kafkajs/src/protocol/requests/produce/v3/request');
const theirRequest = require('kafkajs/src/protocol/request');
const Long = require('kafkajs/src/utils/long');

const long = (value: number) => Long.fromValue(value);
const lengths = [0, 1, 62, 63, 64, 65, 127, 128, 8_191, 8_192, 70_000];
const FIRST = 1_741_572_000_123;
/** Up to a century: records carry whatever time their sender says. */
const deltaOf = (index: number) => (index % 2 === 0 ? 10 ** (index + 2) : 7 ** index) - 100;
const message = (length: number, index: number) => ({
  timestamp: String(FIRST + deltaOf(index)),
  key: index % 3 === 0 ? null : Buffer.from('人'.repeat(index)),
  value: index % 4 === 3 ? null : Buffer.alloc(length, index),
  headers: { ce_type: 'settlement.settled', 参: Buffer.alloc(length, 7), many: ['1', '2'] },
});
const messages = lengths.map(message);

test('a batch has the bytes that kafkajs gives it', async () => {
  const fields = {
    producerId: long(9_007_199_254_740_000),
    producerEpoch: 7,
    firstSequence: 2_147_483_000,
    transactional: true,
  };
  const deltas = lengths.map((_, index) => deltaOf(index));
  const first = Math.min(...deltas);
  const records = messages.map((each, offsetDelta) =>
    encodeRecord({ ...each, offsetDelta, timestampDelta: deltaOf(offsetDelta) - first }),
  );
  const theirs = await RecordBatch({
    ...{ ...fields, records, lastOffsetDelta: lengths.length - 1 },
    ...{ firstTimestamp: FIRST + first, maxTimestamp: FIRST + Math.max(...deltas) },
  });
  expect(encodeRecordBatch({ ...fields, messages }).equals(theirs.buffer)).toBe(true);
});

test.each([
  ['transactional', { transactionalId: 'gongji-claims-0', producerId: long(7), producerEpoch: 3 }],
  ['plain', {}],
])('a %s Produce request has the bytes that kafkajs gives it', async (_, producer) => {
  const part = (partition: number, firstSequence: number) => ({ partition, firstSequence, messages });
  const topicData = [
    { topic: '结算', partitions: [part(0, 0), part(5, 70_000)] },
    { topic: 'dead-letters', partitions: [part(11, 1)] },
  ];
  const produce = { acks: -1, timeout: 30_000, compression: 0, topicData, ...producer };
  const sent = { correlationId: 70_000, clientId: 'gongji-1' };
  const theirs = await theirRequest({ ...sent, request: produceV3(produce) });
  const request = producingInParts(Encoder)(produceV3)(produce) as ReturnType<typeof produceV3>;
  const ours = await joiningOnce(Encoder)({ ...sent, request });
  expect(ours.buffer.equals(theirs.buffer)).toBe(true);
  // Where kafkajs was loaded before its replacements, its own request takes the body.
  const mixed = await theirRequest({ ...sent, request });
  expect(mixed.buffer.equals(theirs.buffer)).toBe(true);
});

test('a list of headers keeps its order, repeated names too', async () => {
  const named = { key: null, value: Buffer.from('{}') };
  const list = (['b', 'a', 'b'] as const).map((name, i) => [name, Buffer.from([i])] as const);
  const bytes = encodeRecordBatch({ messages: [{ ...named, headers: { [HEADER_LIST]: list } }] });
  expect(bytes.subarray(-16).toString('latin1')).toBe('\x04{}\x06\x02b\x02\x00\x02a\x02\x01\x02b\x02\x02');
});

test('a record without a time has that of its sending', () => {
  const before = Date.now();
  const bytes = encodeRecordBatch({ messages: [{ value: null }, { value: null }] });
  const [first, last] = [27, 35].map((at) => Number(bytes.readBigInt64BE(at)));
  expect(first).toBe(last);
  expect(first).toBeGreaterThanOrEqual(before);
  expect(first).toBeLessThanOrEqual(Date.now());
});

test('compression is refused', () => {
  expect(() => encodeRecordBatch({ messages: [], compression: 1 })).toThrow('uncompressed');
});

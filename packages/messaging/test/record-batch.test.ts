import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { encodeRecordBatch, HEADER_LIST } from '../src/kafkajs/record-batch.ts';

// kafkajs as it is published: this file loads none of the replacements.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
const Long = require('kafkajs/src/utils/long');

const long = (value: number) => Long.fromValue(value);
const lengths = [0, 1, 62, 63, 64, 65, 127, 128, 8_191, 8_192, 70_000];
const record = (length: number, offsetDelta: number) => ({
  offsetDelta,
  // Up to a century, and before the first: records carry whatever time their sender says.
  timestampDelta: offsetDelta % 2 === 0 ? 10 ** (offsetDelta + 2) : -(7 ** offsetDelta),
  key: offsetDelta % 3 === 0 ? null : Buffer.from('人'.repeat(offsetDelta)),
  value: offsetDelta % 4 === 3 ? null : Buffer.alloc(length, offsetDelta),
  headers: { ce_type: 'settlement.settled', 参: Buffer.alloc(length, 7), many: ['1', '2'] },
});

test('a batch has the bytes that kafkajs gives it', async () => {
  const fields = {
    firstTimestamp: 1_741_572_000_123,
    maxTimestamp: 1_741_572_000_999,
    producerId: long(9_007_199_254_740_000),
    producerEpoch: 7,
    firstSequence: 2_147_483_000,
    transactional: true,
    lastOffsetDelta: lengths.length - 1,
  };
  const records = lengths.map(record);
  const theirs = await RecordBatch({ ...fields, records: records.map(encodeRecord) });
  const ours = encodeRecordBatch({ ...fields, records });
  expect(ours.equals(theirs.buffer)).toBe(true);
});

test('a list of headers keeps its order, repeated names too', async () => {
  const fields = { firstTimestamp: 1, maxTimestamp: 1, producerId: long(-1) };
  const named = { key: null, value: Buffer.from('{}') };
  const list = (['b', 'a', 'b'] as const).map((name, i) => [name, Buffer.from([i])] as const);
  const bytes = encodeRecordBatch({ ...fields, records: [{ ...named, headers: { [HEADER_LIST]: list } }] });
  expect(bytes.subarray(-16).toString('latin1')).toBe('\x04{}\x06\x02b\x02\x00\x02a\x02\x01\x02b\x02\x02');
});

test('compression is refused', () => {
  const fields = { firstTimestamp: 1, maxTimestamp: 1, producerId: long(-1), records: [] };
  expect(() => encodeRecordBatch({ ...fields, compression: 1 })).toThrow('uncompressed');
});

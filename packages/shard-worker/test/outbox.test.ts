import { DECODE_LIMITS, decodeClaims } from '@repo/contracts';
import { expect, test } from 'vitest';
import { badRows } from '../src/index.ts';

const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const SHARD = { topic: 'gongji.claims.v1', partition: 3 };

test('the rejection of a claim carries its trace context, as every other output does', () => {
  const headers = [
    ['ce_type', Buffer.from('claim.submitted')],
    ['traceparent', Buffer.from(TRACE)],
  ] as const;
  const value = Buffer.from(JSON.stringify({ claim_id: 'C1', psn_no: 'P1' }));
  const record = { offset: 42n, key: Buffer.from('P1'), value, headers, timestampMs: 0 };
  const bad = decodeClaims(record, DECODE_LIMITS);
  if (bad.kind !== 'BAD') throw new Error('a claim without amounts is none');
  const [rejected, dead] = badRows(SHARD, record, bad);
  expect(JSON.parse(rejected?.stamp ?? '')).toEqual({
    type: 'settlement.rejected',
    id: 'rejected:gongji.claims.v1:3:42',
    time: '1970-01-01T08:00:00+08:00',
    traceparent: TRACE,
  });
  expect(dead).toMatchObject({ dest: 'D', key: record.key, payload: value });
});

test.each([
  ['P1', 'P1'],
  ['长'.repeat(200), '长'.repeat(200)],
  [Buffer.from([0x50, 0xff]), null],
  ['P'.repeat(1_025), null],
])('the rejection of a claim has its key, where that can be a person number: %j', (given, key) => {
  const bad = { kind: 'BAD', code: 'CLAIM_MALFORMED', issues: [], claimId: 'C1', personNo: null } as const;
  const record = { offset: 42n, key: Buffer.from(given), value: null, headers: [], timestampMs: 0 };
  const [rejected, dead] = badRows(SHARD, record, bad);
  expect(rejected?.key?.toString() ?? null).toBe(key);
  expect(dead?.key).toEqual(record.key);
});

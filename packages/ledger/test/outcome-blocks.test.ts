import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BadBlock, type OutcomeRow, payloadText, readStored, storedRows } from '../src/outcome-blocks.ts';

const result = fc.record({
  dest: fc.constant('R' as const),
  key: fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))),
  stamp: fc.json(),
  payload: fc.json().map((text) => Buffer.from(text)),
  alone: fc.boolean(),
});
const dead = fc.record({
  dest: fc.constant('D' as const),
  key: fc.constant(null),
  stamp: fc.json(),
  payload: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
});
const rows = fc.array(fc.oneof({ weight: 20, arbitrary: result }, { weight: 1, arbitrary: dead }), { maxLength: 200 });

/** A row as `all_outcome` gives it. */
function viewed(stored: ReturnType<typeof storedRows<OutcomeRow>>, n: number) {
  const { lead, stamp, payload } = stored[n] as (typeof stored)[number];
  if (lead === null) return { stamp, payload };
  const place = Buffer.alloc(4);
  place.writeUInt32BE(lead);
  return { stamp, payload: Buffer.concat([place, stored[n - lead]?.payload as Buffer]) };
}

test('whatever is stored is read back to the byte, in whatever block it stands', () => {
  fc.assert(
    fc.property(rows, (given: OutcomeRow[]) => {
      const stored = storedRows(given);
      expect(given.map((_, n) => readStored(viewed(stored, n)))).toEqual(
        given.map(({ stamp, payload }) => ({ stamp, payload })),
      );
    }),
  );
});

const settled = (n: number): OutcomeRow => ({
  dest: 'R',
  key: Buffer.from('P1'),
  stamp: `{"id":"claim:C${n}"}`,
  payload: Buffer.from(JSON.stringify({ claim_id: `C${n}`, status: 'SETTLED', psn_cash_pay: '0.00' })),
});
const run = (count: number) => Array.from({ length: count }, (_, n) => settled(n));

test('fifty outcomes are a block, and a dead letter or a rejection ends one', () => {
  const letter: OutcomeRow = { dest: 'D', key: null, stamp: '{"note":{}}', payload: Buffer.from('x') };
  const leads = (given: OutcomeRow[]) => storedRows(given).map(({ lead }) => lead);
  expect(leads(run(120)).flatMap((lead, n) => (lead === 0 ? [n] : []))).toEqual([0, 50, 100]);
  expect(leads([settled(1), settled(2), letter, settled(3), { ...settled(4), alone: true }, settled(5)])).toEqual([
    ...[0, 1, null, 0, null, 0],
  ]);
});

test('large outcomes are not put together', () => {
  const large = (n: number): OutcomeRow => ({ ...settled(n), payload: Buffer.alloc(100_000, `${n}`) });
  expect(storedRows([large(1), large(2), large(3), large(4)]).map(({ lead }) => lead)).toEqual([0, 1, 0, 1]);
});

test('a block takes less than a sixth of what is in it', () => {
  const bytes = run(50).reduce((sum, { stamp, payload }) => sum + stamp.length + (payload?.length ?? 0), 0);
  const packed = storedRows(run(50))[0]?.payload as Buffer;
  expect(packed.length).toBeLessThan(bytes / 6);
});

test('a payload of the view is text, from a block or by itself', () => {
  const stored = storedRows([settled(1), settled(2), { ...settled(3), alone: true }]);
  for (const n of [0, 1, 2]) {
    const { payload } = viewed(stored, n);
    expect(JSON.parse(payloadText(payload as Buffer))).toMatchObject({ claim_id: `C${n + 1}` });
  }
});

test.for<[string, (packed: Buffer) => Buffer | null]>([
  ['without a block', () => null],
  ['of a block that has fewer', (packed) => Buffer.concat([Buffer.from([0, 0, 0, 9]), packed])],
  ['of a block that was cut', (packed) => Buffer.concat([Buffer.alloc(4), packed.subarray(0, -1)])],
  ['of a block that is none', () => Buffer.from('\0\0\0\0{"claim_id":"C1"}')],
])('an outcome %s is an error, not another outcome', ([, damaged]) => {
  const packed = storedRows(run(3))[0]?.payload as Buffer;
  expect(() => readStored({ stamp: null, payload: damaged(packed) })).toThrow(BadBlock);
});

test('a changed byte is found, wherever it stands', () => {
  const packed = storedRows(run(3))[0]?.payload as Buffer;
  for (let at = 0; at < packed.length; at++) {
    const changed = Buffer.concat([Buffer.alloc(4), packed]);
    changed[4 + at] = 255 - (changed[4 + at] as number);
    expect(() => readStored({ stamp: null, payload: changed }), `byte ${at}`).toThrow(BadBlock);
  }
});

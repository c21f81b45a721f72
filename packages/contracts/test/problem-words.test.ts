import { DEAD_DETAILS } from '@repo/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimRefunded, claimSubmitted, premiumSubmitted } from '../src/claims-in.ts';
import { DECODE_LIMITS, decodeClaims, decodeMembers, detailInChinese, problemInChinese } from '../src/index.ts';
import { arrearsCheck, memberSchemas } from '../src/members-in.ts';
import { decoded, mutated } from './mutated.ts';
import { CLAIM_SAMPLES, record } from './samples.ts';

const isChinese = (text: string): boolean => /\p{Script=Han}/u.test(text);
const untold = (problems: Iterable<string>): string[] =>
  [...new Set(problems)].filter((problem) => !isChinese(problemInChinese(problem)));

const WRONG: readonly unknown[] = [
  ...[undefined, '', 'x', 'x'.repeat(201), '-1', '1.005', '0.00', '2025-13-99', '1800-01-01', '1.5', 5, -1.5, true],
  ...[{}, ['x'], [null], Array.from({ length: 1_201 }, () => '2025-01')],
];
const SCHEMAS = { ...memberSchemas, arrearsCheck, claimSubmitted, claimRefunded, premiumSubmitted };

test('whatever is wrong with whichever field of an input is said in Chinese too', () => {
  const problems = Object.values(SCHEMAS).flatMap((schema) =>
    Object.keys(schema.shape).flatMap((field) =>
      WRONG.flatMap((value) => schema.safeParse({ [field]: value }).error?.issues.map(({ message }) => message) ?? []),
    ),
  );
  expect(new Set(problems).size).toBeGreaterThan(25);
  expect(untold(problems)).toEqual([]);
});

test('what is wrong with a message as a whole is said in Chinese too', () => {
  const { required } = CLAIM_SAMPLES['claim.submitted'];
  const claim = (over: object, key = 'P1') =>
    record(JSON.stringify({ ...required, psn_no: 'P1', ...over }), { key, type: 'claim.submitted' });
  const scope = { fulamt_ownpay_amt: '1', overlmt_selfpay: '1', preselfpay_amt: '1', inscp_scp_amt: '1' };
  const binding = {
    binding_id: 'B1',
    payer: 'P1',
    beneficiary: 'P2',
    relation: 'SPOUSE',
    bound_at: required.setl_time,
  };
  const opened = (state: string) =>
    record(JSON.stringify({ ...binding, state }), { key: 'P1', type: 'binding.opened' });
  const decodedClaims = [
    record('[]', { key: 'P1', type: 'claim.submitted' }),
    record('{}', { key: 'P1', type: 'claim.unheard' }),
    claim({}, 'P2'),
    claim({ setl_time: '9000-01-01T00:00:00Z' }),
    { ...claim({}), timestampMs: -1 },
    claim({ medfee_sumamt: '99999.00' }),
    claim(scope),
    ...[true, false].map((isTooLarge) => ({ ...claim({}), unread: { isTooLarge, from: 100n, count: 7 } })),
  ].map((raw) => decodeClaims(raw, DECODE_LIMITS));
  const decodedMembers = ['PAUSED', 'EXPIRED'].map((state) => decodeMembers(opened(state), DECODE_LIMITS));
  const problems = [...decodedClaims, ...decodedMembers].flatMap((read) =>
    read.kind === 'BAD' ? read.issues.map(({ problem }) => problem) : [],
  );
  expect(new Set(problems).size).toBe(11);
  expect(untold(problems)).toEqual([]);
});

test('nothing that the decoders say of inputs near their rules is left in English', () => {
  const property = fc.property(mutated, ({ type, fields }) => {
    const read = decoded(type, fields);
    expect(untold(read.kind === 'BAD' ? read.issues.map(({ problem }) => problem) : [])).toEqual([]);
  });
  fc.assert(property, { numRuns: 2_000 });
});

test('why the rules set an event of members aside is said in Chinese too', () => {
  expect(DEAD_DETAILS.filter((detail) => !isChinese(detailInChinese(detail)))).toEqual([]);
});

test('a detail is said field by field, and what is not known of it stays as it is', () => {
  expect(
    detailInChinese('med_type: expected a visit type code; unpaid_periods.3: expected a whole number from 1 to 9'),
  ).toBe('med_type：应为医疗类别代码；unpaid_periods.3：应为 1 至 9 的整数');
  expect(detailInChinese('9437185 bytes, more than a dead letter may hold: see its place; expected a code')).toBe(
    '原消息有 9437185 字节，超过死信的上限，请到原位置查看；应为代码',
  );
  expect(detailInChinese('reason: expected one of USER, ARREARS')).toBe('reason：应为以下之一：USER, ARREARS');
  // Cut where it is shown.
  expect(detailInChinese('at: expected an ISO 8601 date and ti')).toBe('at：应为带时区的 ISO 8601 日期时间');
  for (const other of ['', 'expected', 'something else: here; and there', 'at: so what'])
    expect(detailInChinese(other)).toBe(other);
  expect(detailInChinese('at: so what; at: expected a code')).toBe('at: so what；at：应为代码');
});

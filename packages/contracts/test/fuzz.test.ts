import { isNegative, MONEY_MAX } from '@repo/domain';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  DECODE_LIMITS,
  type DecodedClaims,
  type DecodedMembers,
  decodeClaims,
  decodeMembers,
  type RawMessage,
} from '../src/index.ts';
import { CAME, CHECK_SAMPLE, CLAIM_SAMPLES, CLAIM_TYPES, MEMBER_SAMPLES, MEMBER_TYPES, record } from './samples.ts';

const TYPES = [...CLAIM_TYPES, ...MEMBER_TYPES, 'arrears.check', 'no.such', '__proto__'];
const ALL = { ...CLAIM_SAMPLES, ...MEMBER_SAMPLES, 'arrears.check': CHECK_SAMPLE };
const utf8 = new TextEncoder();

/** A busy machine may take its time over so many messages. */
vi.setConfig({ testTimeout: 60_000 });

const bytes = fc.uint8Array({ maxLength: 40 });
const name = fc.oneof(
  fc.constantFrom('ce_type', 'ce_time', 'traceparent', '__proto__', ''),
  fc.string({ maxLength: 8 }),
);
const headers = fc.array(fc.tuple(name, bytes), { maxLength: 4 });
const type = fc.constantFrom(...TYPES);

/** Numbers, texts and shapes that decoders trip over. */
const awkward = fc.oneof(
  fc.constantFrom(
    '1e999',
    '-0',
    '1E-7',
    '1.7976931348623157e308',
    '9007199254740993',
    '99999999999999.99',
    '"\\u0000"',
    '"\\ud800"',
    '""',
    'null',
    'true',
    '[]',
    '{}',
    '"2025-02-30"',
    '"9999-12"',
    '"9999-12-31"',
    '"9999-12-31T23:59:59-23:59"',
    '"0000-01-01T00:00:00Z"',
    `"${'9'.repeat(400)}"`,
  ),
  fc.jsonValue().map((value) => JSON.stringify(value)),
);
/** A well-formed message with any number of its fields replaced, taken away or joined by others. */
const damaged = fc
  .tuple(
    type,
    fc.array(fc.tuple(fc.nat(), awkward), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__'), fc.constant('constructor')), awkward, { maxKeys: 3 }),
  )
  .map(([of, changes, more]) => {
    const { required = {}, optional = {} } =
      (ALL as Record<string, { required: object; optional: object }>)[Object.hasOwn(ALL, of) ? of : ''] ?? {};
    const fields = Object.entries({ ...required, ...optional }).map(([key, value]) => [key, JSON.stringify(value)]);
    for (const [place, value] of changes) {
      const field = fields[place % Math.max(1, fields.length)];
      if (field !== undefined) field[1] = value;
    }
    const parts = [...fields, ...Object.entries(more)].map(([key, value]) => `${JSON.stringify(key)}:${value}`);
    return { of, json: `{${parts.join(',')}}` };
  });
const message: fc.Arbitrary<RawMessage> = fc
  .tuple(damaged, fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: bytes }), headers)
  .map(([{ of, json }, key, others]) => ({
    key: key ?? utf8.encode(of in CLAIM_SAMPLES ? 'P1' : 'P2'),
    value: utf8.encode(json),
    headers: [['ce_type', utf8.encode(of)] as const, ...others],
    timestampMs: CAME,
  }));

const decoders = [decodeClaims, decodeMembers] as const;

/** Nothing undefined where the types promise a value; every amount within the national interface; every issue says something. */
function look(decoded: DecodedClaims | DecodedMembers): void {
  if (decoded.kind === 'BAD') {
    if (decoded.code !== 'EVENT_TOO_LARGE') expect(decoded.issues.length).toBeGreaterThan(0);
    expect(decoded.issues.every(({ problem }) => problem.length > 0 && problem !== 'Invalid input')).toBe(true);
    return;
  }
  expect(decoded.identity.length).toBeGreaterThan(0);
  expect(JSON.parse(decoded.content)).toBeInstanceOf(Array);
  const fact =
    decoded.kind === 'CLAIM'
      ? decoded.claim
      : decoded.kind === 'REFUND'
        ? decoded.refund
        : decoded.kind === 'PREMIUM'
          ? decoded.premium
          : decoded.kind === 'MEMBER'
            ? decoded.event
            : decoded.check;
  walk(fact);
}

function walk(value: unknown): void {
  expect(value).not.toBeUndefined();
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
  if (typeof value === 'string') expect(value.isWellFormed() && !value.includes('\0')).toBe(true);
  if (typeof value === 'bigint') {
    expect(isNegative(value as never)).toBe(false);
    expect(value <= MONEY_MAX).toBe(true);
  }
  if (value instanceof Map) for (const one of value.entries()) walk(one);
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) walk(one);
}

describe.each(decoders)('%o never throws', (decode) => {
  test('on any bytes', () => {
    fc.assert(
      fc.property(
        fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null }),
        fc.option(bytes, { nil: null }),
        headers,
        fc.integer(),
        (value, key, others, timestampMs) => {
          look(decode({ key, value, headers: others, timestampMs }, DECODE_LIMITS));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('on any JSON', () => {
    fc.assert(
      fc.property(fc.json(), type, (json, of) => look(decode(record(json, { type: of, key: 'P1' }), DECODE_LIMITS))),
      { numRuns: 500 },
    );
  });

  test('on damaged messages, and what it lets through is whole', () => {
    let good = 0;
    fc.assert(
      fc.property(message, (raw) => {
        const decoded = decode(raw, DECODE_LIMITS);
        look(decoded);
        if (decoded.kind !== 'BAD') good += 1;
      }),
      { numRuns: 1500 },
    );
    expect(good).toBeGreaterThan(20);
  });

  test.each([
    ['arrays', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ])('on deeply nested %s', (_, deep) => {
    for (const of of ['claim.submitted', 'account.opened'] as const) {
      const sampleFields = JSON.stringify(
        of === 'claim.submitted' ? CLAIM_SAMPLES[of].required : MEMBER_SAMPLES[of].required,
      );
      look(decode(record(deep, { type: of, key: 'P1' }), DECODE_LIMITS));
      look(decode(record(`${sampleFields.slice(0, -1)},"note":${deep}}`, { type: of, key: 'P1' }), DECODE_LIMITS));
      look(
        decode(
          record(`${sampleFields.slice(0, -1)},"amount":1,"prior_year":1,"psn_part_amt":150,"note":${deep}}`, {
            type: of,
            key: 'P1',
          }),
          DECODE_LIMITS,
        ),
      );
    }
  });

  test('on a megabyte of wrong months', () => {
    const many = JSON.stringify({
      ...MEMBER_SAMPLES['account.opened'].required,
      unpaid_periods: Array.from({ length: 180_000 }, () => 7),
    });
    look(decode(record(many, { type: 'account.opened', key: 'P2' }), DECODE_LIMITS));
  });
});

test('a key called __proto__ is a field like any other and reaches nothing', () => {
  const json = `${JSON.stringify(CLAIM_SAMPLES['claim.submitted'].required).slice(0, -1)},"__proto__":{"purpose":"FITNESS","polluted":1}}`;
  const decoded = decodeClaims(record(json, { type: 'claim.submitted', key: 'P1' }), DECODE_LIMITS);
  expect(decoded.kind === 'CLAIM' && decoded.claim.purpose).toBe('MEDICAL');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  const hidden = decodeClaims(record('{"__proto__":{"ce_type":"claim.submitted"}}', { key: 'P1' }), DECODE_LIMITS);
  expect(hidden).toMatchObject({ code: 'EVENT_TYPE_UNKNOWN' });
});

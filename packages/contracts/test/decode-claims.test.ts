import { formatMoney } from '@repo/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bad,
  DECODE_LIMITS,
  type DecodedClaims,
  decodeClaims,
  parseInstant,
  type RawMessage,
  readJson,
} from '../src/index.ts';
import { CAME, CLAIM_SAMPLES, CLAIM_TYPES, type Fields, record, sample } from './samples.ts';

const decode = (raw: RawMessage): DecodedClaims => decodeClaims(raw, DECODE_LIMITS);
const claimOf = (raw: RawMessage) => {
  const decoded = decode(raw);
  if (decoded.kind !== 'CLAIM') throw new Error(`not a claim: ${JSON.stringify(decoded)}`);
  return decoded;
};
const badOf = (raw: RawMessage): Bad => {
  const decoded = decode(raw);
  if (decoded.kind !== 'BAD') throw new Error('decoded although it must not be');
  return decoded;
};
const submitted = (changes: Fields = {}) => sample('claim.submitted', changes);

describe('a claim', () => {
  test('with what it must state alone takes the defaults', () => {
    const { claim, identity, personNo } = claimOf(submitted());
    expect({ identity, personNo }).toEqual({ identity: 'claim:C1', personNo: 'P1' });
    expect(claim).toMatchObject({
      claimId: 'C1',
      encounterId: 'M1',
      personNo: 'P1',
      providerCode: 'H33010600001',
      designated: true,
      providerArea: '330106',
      visitType: '11',
      purpose: 'MEDICAL',
      crossRegionFiled: false,
      accountsUsed: true,
      settledAt: CAME,
      settledAtText: '2025-03-10T10:00:00+08:00',
      senderSettlementId: null,
      scope: { fullyOwnPaid: null, overLimit: null, preSelfPaid: null, inScope: null },
    });
    expect([claim.totalFee, claim.fundPaid, claim.hospitalBorne, claim.personalShare].map(formatMoney)).toEqual([
      '350.00',
      '200.00',
      '0.00',
      '150.00',
    ]);
  });

  test('with everything it may state', () => {
    const { claim } = claimOf(submitted(CLAIM_SAMPLES['claim.submitted'].optional));
    expect(claim).toMatchObject({
      purpose: 'COSMETIC',
      crossRegionFiled: true,
      accountsUsed: false,
      senderSettlementId: 'S9',
    });
    const { fullyOwnPaid, overLimit, preSelfPaid, inScope } = claim.scope;
    expect([fullyOwnPaid, overLimit, preSelfPaid, inScope].map((part) => part !== null && formatMoney(part))).toEqual([
      '10.00',
      '20.00',
      '20.00',
      '300.00',
    ]);
  });

  test.each(Object.keys(CLAIM_SAMPLES['claim.submitted'].required))('without %s is CLAIM_MALFORMED', (name) => {
    const raw = record(JSON.stringify({ ...CLAIM_SAMPLES['claim.submitted'].required, [name]: undefined }), {
      key: 'P1',
      type: 'claim.submitted',
    });
    expect(badOf(raw)).toMatchObject({ code: 'CLAIM_MALFORMED', issues: [{ path: name }] });
  });

  test.each(Object.keys(CLAIM_SAMPLES['claim.submitted'].required))('with null for %s is CLAIM_MALFORMED', (name) => {
    expect(badOf(sample('claim.submitted', { [name]: null }, { key: 'P1' })).code).toBe('CLAIM_MALFORMED');
  });

  test('null for what it may state means it is not stated', () => {
    const nothing = Object.fromEntries(
      Object.keys(CLAIM_SAMPLES['claim.submitted'].optional).map((name) => [name, null]),
    );
    expect(claimOf(submitted(nothing))).toEqual(claimOf(submitted()));
  });

  test('unknown fields and headers are ignored', () => {
    const headers = [['x-hospital', new Uint8Array([0xff, 0])]] as const;
    const raw = sample(
      'claim.submitted',
      { insu_admdvs: '990000', at: '2999-01-01T00:00:00Z', __proto__x: { a: [1] } },
      { headers },
    );
    expect(claimOf(raw)).toEqual(claimOf(submitted()));
  });

  test.each([
    { designated: 'true' },
    { designated: 1 },
    { fix_blng_admdvs: '33010' },
    { fix_blng_admdvs: '33010a' },
    { med_type: '' },
    { med_type: 11 },
    { med_type: '11a' },
    { purpose: 'UNKNOWN' },
    { acct_used_flag: 1 },
    { acct_used_flag: '2' },
    { cross_region_filed: 'yes' },
    { claim_id: '' },
    { claim_id: 'x'.repeat(201) },
    { claim_id: 'a\u0000b' },
    { claim_id: 'a\nb' },
    { claim_id: 'a\u007fb' },
    { mdtrt_id: '\ud800' },
    { claim_id: 7 },
    { medins_setl_id: '' },
    { medfee_sumamt: true },
    { medfee_sumamt: ['350.00'] },
    { setl_time: '2025-03-10' },
  ])('%j is CLAIM_MALFORMED', (changes) => expect(badOf(submitted(changes)).code).toBe('CLAIM_MALFORMED'));

  test('an id of 200 characters, and one outside the basic plane, are ids', () => {
    expect(claimOf(submitted({ claim_id: 'x'.repeat(200) })).claim.claimId).toHaveLength(200);
    expect(claimOf(submitted({ claim_id: '🏥1' })).identity).toBe('claim:🏥1');
  });
});

describe('amounts', () => {
  const priced = (text: string) =>
    JSON.stringify({
      ...CLAIM_SAMPLES['claim.submitted'].required,
      medfee_sumamt: 'M',
      fund_pay_sumamt: '0',
      psn_part_amt: 'M',
    }).replaceAll('"M"', text);
  const inJson = (text: string) => decode(record(priced(text), { key: 'P1', type: 'claim.submitted' }));

  test.each([
    ['1', '1.00'],
    ['"1"', '1.00'],
    ['"1.0"', '1.00'],
    ['350.00', '350.00'],
    ['0', '0.00'],
    ['0.10', '0.10'],
    ['99999999999999.99', '99999999999999.99'],
    ['"99999999999999.99"', '99999999999999.99'],
    ['90071992547409.93', '90071992547409.93'],
    ['"007.5"', '7.50'],
    ['1e2', '100.00'],
    ['1E+2', '100.00'],
    ['1.5e2', '150.00'],
    ['1.005e2', '100.50'],
    ['1.0E7', '10000000.00'],
    ['9.999999999999999e13', '99999999999999.99'],
    ['9999999999999999e-2', '99999999999999.99'],
    ['1e-2', '0.01'],
    ['0.000012e4', '0.12'],
    ['12.30000e0', '12.30'],
    ['0e400', '0.00'],
    ['0.0e-400', '0.00'],
    [`1${'0'.repeat(300)}e-300`, '1.00'],
  ])('%s is read from its source text as %s', (text, exact) => {
    const decoded = inJson(text);
    expect(decoded.kind === 'CLAIM' && formatMoney(decoded.claim.personalShare)).toBe(exact);
  });

  test.each([
    '1.005',
    '"1.005"',
    '-1',
    '"-1.00"',
    '-0',
    '"1e2"',
    '"1.5E1"',
    '1e-3',
    '1.0005e1',
    '-1e2',
    '-0e0',
    '1e14',
    '9.9999999999999999e13',
    '1e-400',
    `1e${'9'.repeat(400)}`,
    `1e-${'9'.repeat(400)}`,
    '"+1.00"',
    '100000000000000',
    '"100000000000000.00"',
    '1e400',
    '"1,000.00"',
    '" 1"',
    '"1."',
    '".5"',
    '"0x1"',
    '""',
    '"一"',
    '"NaN"',
  ])('%s is CLAIM_AMOUNT_INVALID', (text) =>
    expect(inJson(text)).toMatchObject({ kind: 'BAD', code: 'CLAIM_AMOUNT_INVALID', claimId: 'C1' }),
  );

  test('a number is worth the same wherever its point is, and an exponent that no amount has makes no text longer', () => {
    const fen = fc.bigInt({ min: 0n, max: 9_999_999_999_999_999n });
    fc.assert(
      fc.property(fen, fc.nat(20), fc.nat(20), (worth, zeros, places) => {
        const digits = `${worth}${'0'.repeat(zeros)}`.padStart(places + 1, '0');
        const whole = digits.slice(0, digits.length - places).replace(/^0+(?=\d)/, '');
        const fraction = places === 0 ? '' : `.${digits.slice(-places)}`;
        const decoded = inJson(`${whole}${fraction}e${places - zeros - 2}`);
        expect(decoded.kind === 'CLAIM' && decoded.claim.personalShare).toBe(worth);
      }),
    );
    const bytes = new TextEncoder().encode('{"amount":1e400}');
    expect(readJson(bytes)).toEqual({ amount: '1e400' });
  });

  test.each(['.5', '+1', '1.', '01', '0x1', 'NaN'])('%s is no JSON at all', (text) =>
    expect(inJson(text)).toMatchObject({ code: 'EVENT_UNREADABLE' }),
  );
});

describe('moments', () => {
  test.each([
    ['2025-03-10T02:00:00Z', CAME],
    ['2025-03-10T10:00+08:00', CAME],
    ['2025-03-10T10:00:00+0800', CAME],
    ['2025-03-10T10:00:00+08', CAME],
    ['2025-03-09T21:00:00-05:00', CAME],
    ['2025-03-10T10:00:00.123456789+08:00', CAME + 123],
    ['2025-03-10T10:00:00.5+08:00', CAME + 500],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1900-01-01T00:00:00Z', Date.UTC(1900, 0, 1)],
  ])('%s', (text, ms) =>
    expect(claimOf(submitted({ setl_time: text })).claim).toMatchObject({ settledAt: ms, settledAtText: text }),
  );

  test.each([
    '2025-03-10T10:00:00',
    '2025-03-10 10:00:00+08:00',
    '2025-02-29T00:00:00Z',
    '2025-03-10T24:00:00Z',
    '2025-03-10T10:60:00Z',
    '2025-03-10T10:00:60Z',
    '2025-03-10T10:00:00+24:00',
    '2025-3-10T10:00:00Z',
    '1899-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    'now',
    '',
  ])('%j is none', (text) =>
    expect(badOf(submitted({ setl_time: text }))).toMatchObject({
      code: 'CLAIM_MALFORMED',
      issues: [{ path: 'setl_time' }],
    }),
  );

  test('a moment is of the year 9999 in Shanghai at the latest, wherever it is told from', () => {
    expect(parseInstant('9999-12-31T15:59:59.999Z')).toBe(Date.parse('9999-12-31T15:59:59.999Z'));
    for (const text of ['9999-12-31T16:00:00Z', '9999-12-31T23:59:59-23:59']) expect(parseInstant(text)).toBeNull();
  });

  test('400 days after the record is the last moment taken', () => {
    const limit = CAME + 400 * 86_400_000;
    expect(claimOf(submitted({ setl_time: new Date(limit).toISOString() })).claim.settledAt).toBe(limit);
    expect(badOf(submitted({ setl_time: new Date(limit + 1).toISOString() }))).toMatchObject({
      code: 'CLAIM_MALFORMED',
      issues: [{ path: 'setl_time' }],
    });
    expect(
      decodeClaims(submitted({ setl_time: '2025-03-11T10:00:01+08:00' }), { ...DECODE_LIMITS, futureDaysMax: 1 }).kind,
    ).toBe('BAD');
  });

  test("ce_time is no claim's moment: it states its own", () => {
    const headers = [['ce_time', new TextEncoder().encode('2999-01-01T00:00:00Z')]] as const;
    expect(claimOf(sample('claim.submitted', {}, { headers })).claim.settledAt).toBe(CAME);
  });
});

describe('which code comes first', () => {
  const wrongKey = { key: 'P9' };
  const noAmount = { psn_part_amt: '1.005' };
  const unbalanced = { psn_part_amt: '150.01' };

  test('size, before anything is read', () => {
    const raw = record(new Uint8Array(DECODE_LIMITS.valueBytesMax + 1), { key: 'P1' });
    expect(badOf(raw)).toEqual({ kind: 'BAD', code: 'EVENT_TOO_LARGE', issues: [], claimId: null, personNo: null });
  });

  test('what nobody could read, before its size', () => {
    const raw = { ...record(null, { key: null }), unread: { isTooLarge: true, from: 100n, count: 7 } };
    const problem = 'the batch it came in holds too much to be read: offsets 100 to 106';
    expect(badOf(raw)).toMatchObject({ code: 'EVENT_TOO_LARGE', issues: [{ path: '', problem }], claimId: null });
    const other = { ...raw, unread: { isTooLarge: false, from: 5n, count: 1 } };
    expect(badOf(other)).toMatchObject({ code: 'EVENT_UNREADABLE' });
  });

  test('a value of exactly the largest size is read', () => {
    const json = JSON.stringify(CLAIM_SAMPLES['claim.submitted'].required).padEnd(DECODE_LIMITS.valueBytesMax, ' ');
    expect(decode(record(json, { key: 'P1', type: 'claim.submitted' })).kind).toBe('CLAIM');
  });

  test.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['an array', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['a number', '7'],
    ['empty', ''],
    ['broken UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['a byte order mark', '\ufeff{}'],
  ])('%s is EVENT_UNREADABLE, before the type', (_, value) => {
    expect(badOf(record(value, { key: 'P1', type: 'no.such' })).code).toBe('EVENT_UNREADABLE');
  });

  test('the type before the key; a type of the other topic is unknown here', () => {
    for (const type of ['claim.unknown', 'account.opened', 'constructor', '__proto__', '', null]) {
      expect(badOf(record('{"psn_no":"P1"}', { ...wrongKey, type })).code).toBe('EVENT_TYPE_UNKNOWN');
    }
    expect(badOf(record('{"psn_no":"P1","ce_type":7}', wrongKey)).code).toBe('EVENT_TYPE_UNKNOWN');
  });

  test('the type may be a top-level field; the header wins', () => {
    const json = JSON.stringify({ ...CLAIM_SAMPLES['claim.submitted'].required, ce_type: 'claim.submitted' });
    expect(claimOf(record(json, { key: 'P1' }))).toEqual(claimOf(submitted()));
    expect(badOf(record(json, { key: 'P1', type: 'claim.unknown' })).code).toBe('EVENT_TYPE_UNKNOWN');
    expect(claimOf(sample('claim.submitted', { ce_type: 'claim.unknown' })).kind).toBe('CLAIM');
  });

  test('the key before the fields: no key, another, one with a byte order mark', () => {
    for (const key of [null, 'P9', '', '\ufeffP1', 'p1', 'P1 ']) {
      const bad = badOf(sample('claim.submitted', { designated: 7, ...noAmount }, { key }));
      expect(bad).toMatchObject({ code: 'KEY_MISMATCH', claimId: 'C1', personNo: 'P1' });
    }
  });

  test('malformed before amount, whatever else is wrong', () => {
    expect(badOf(submitted({ designated: 7, ...noAmount })).code).toBe('CLAIM_MALFORMED');
    expect(badOf(submitted({ setl_time: '2027-01-01T00:00:00Z', ...noAmount })).code).toBe('CLAIM_MALFORMED');
    expect(badOf(submitted({ inscp_scp_amt: false, ...noAmount })).code).toBe('CLAIM_MALFORMED');
  });

  test('amount before identity, and every problem is named', () => {
    const bad = badOf(submitted({ ...noAmount, fund_pay_sumamt: '-1' }));
    expect(bad).toMatchObject({
      code: 'CLAIM_AMOUNT_INVALID',
      issues: [{ path: 'fund_pay_sumamt' }, { path: 'psn_part_amt' }],
    });
  });

  test('identity I1, then I3', () => {
    expect(badOf(submitted(unbalanced))).toMatchObject({
      code: 'CLAIM_IDENTITY_VIOLATION',
      issues: [{ path: 'medfee_sumamt' }],
    });
    const scope = { ...CLAIM_SAMPLES['claim.submitted'].optional, inscp_scp_amt: '300.01' };
    const [first] = badOf(submitted({ ...scope, ...unbalanced })).issues;
    const [third] = badOf(submitted(scope)).issues;
    expect([first?.problem, third?.problem]).toEqual([
      expect.stringContaining('fund_pay_sumamt'),
      expect.stringContaining('inscp_scp_amt'),
    ]);
    expect(decode(submitted({ ...scope, overlmt_selfpay: null })).kind).toBe('CLAIM');
  });
});

test('problems repeat nothing of what they are about', () => {
  const secret = '张三330106';
  for (const name of Object.keys({
    ...CLAIM_SAMPLES['claim.submitted'].required,
    ...CLAIM_SAMPLES['claim.submitted'].optional,
  })) {
    const bad = decode(sample('claim.submitted', { [name]: { [secret]: secret } }, { key: 'P1' }));
    expect(JSON.stringify(bad.kind === 'BAD' ? bad.issues : null)).toMatch(/^\[.*expected/);
    expect(JSON.stringify(bad)).not.toContain(secret);
  }
});

describe('refunds and premiums', () => {
  test('a refund of all that is left, and of a part', () => {
    expect(decode(sample('claim.refunded'))).toMatchObject({
      kind: 'REFUND',
      identity: 'refund:R1',
      personNo: 'P1',
      refund: { refundId: 'R1', claimId: 'C1', personNo: 'P1', at: CAME - 3_600_000, amount: null },
    });
    const part = decode(sample('claim.refunded', { amount: '20.00' }));
    expect(
      part.kind === 'REFUND' &&
        part.refund.amount !== null &&
        part.refund.amount !== 'INVALID' &&
        formatMoney(part.refund.amount),
    ).toBe('20.00');
  });

  test.each(['0.00', '0', '-5.00', '1.005', 'abc', '', '1e2', '9'.repeat(300)])(
    'a refund or premium of %j is answered, not rejected',
    (amount) => {
      expect(decode(sample('claim.refunded', { amount }))).toMatchObject({
        kind: 'REFUND',
        refund: { amount: 'INVALID' },
      });
      expect(decode(sample('premium.submitted', { amount }))).toMatchObject({
        kind: 'PREMIUM',
        premium: { amount: 'INVALID' },
      });
    },
  );

  test('a premium shares the namespace of claims and is keyed by who is paid for', () => {
    expect(decode(sample('premium.submitted'))).toMatchObject({
      kind: 'PREMIUM',
      identity: 'claim:Q1',
      personNo: 'P1',
      premium: { payer: 'P2', beneficiary: 'P1', year: 2025 },
    });
    expect(decode(sample('premium.submitted', {}, { key: 'P2' }))).toMatchObject({ code: 'KEY_MISMATCH' });
  });

  test.each([
    ['claim.refunded', { at: 7 }],
    ['claim.refunded', { amount: true }],
    ['claim.refunded', { refund_id: null }],
    ['premium.submitted', { year: '2025' }],
    ['premium.submitted', { year: 2025.5 }],
    ['premium.submitted', { amount: null }],
    ['premium.submitted', { at: '2027-01-01T00:00:00Z' }],
  ] as const)('%s with %j is EVENT_MALFORMED', (type, changes) =>
    expect(badOf(sample(type, changes)).code).toBe('EVENT_MALFORMED'),
  );

  test.each(CLAIM_TYPES.slice(1))('%s without any one required field is EVENT_MALFORMED', (type) => {
    for (const name of Object.keys(CLAIM_SAMPLES[type].required)) {
      expect(badOf(sample(type, { [name]: undefined }, { key: 'P1' }))).toMatchObject({
        code: 'EVENT_MALFORMED',
        issues: [{ path: name }],
      });
    }
  });
});

import { describe, expect, it } from 'vitest';
import { partitionOf } from '../src/auditor/partition.ts';
import { FAMILY_PACKS, Policies, SHIPPED_PACKS, SHIPPED_TEMPLATES } from '../src/index.ts';
import { deadLetters, noon, only, Scene, settlement } from './scene.ts';

describe('an input that cannot be taken', () => {
  const scene = new Scene();
  scene.person('P1', '0.00', '10.00');

  it.each([
    ['CLAIM_MALFORMED', { mdtrt_id: undefined }],
    ['CLAIM_MALFORMED', { designated: 'yes' }],
    ['CLAIM_MALFORMED', { setl_time: '2027-06-01T00:00:00Z' }],
    ['CLAIM_AMOUNT_INVALID', { psn_part_amt: '1.005' }],
    ['CLAIM_AMOUNT_INVALID', { fund_pay_sumamt: '-1.00' }],
    ['CLAIM_AMOUNT_INVALID', { medfee_sumamt: 'abc' }],
    ['CLAIM_IDENTITY_VIOLATION', { medfee_sumamt: '1.01' }],
    [
      'CLAIM_IDENTITY_VIOLATION',
      { fulamt_ownpay_amt: '1', overlmt_selfpay: '0', preselfpay_amt: '0', inscp_scp_amt: '0.01' },
    ],
  ])('is rejected with %s and also a dead letter: %o', (code, rest) => {
    const outputs = scene.claim('1.00', '2025-03-10', rest);
    expect(settlement(outputs)).toMatchObject({ psn_no: 'P1', status: 'REJECTED', code });
    expect(deadLetters(outputs)).toEqual([code]);
  });

  it.each([
    ['EVENT_UNREADABLE', 'claim.submitted', 'P1', '{"claim_id":'],
    ['EVENT_UNREADABLE', 'claim.submitted', 'P1', '[]'],
    ['EVENT_TYPE_UNKNOWN', 'account.opened', 'P1', '{}'],
    ['EVENT_TYPE_UNKNOWN', null, 'P1', '{}'],
    ['EVENT_TOO_LARGE', 'claim.submitted', 'P1', JSON.stringify({ note: 'x'.repeat(1_048_576) })],
    ['KEY_MISMATCH', 'claim.submitted', 'P2', '{"psn_no":"P1","claim_id":"C9"}'],
    ['EVENT_MALFORMED', 'claim.refunded', 'P1', '{"psn_no":"P1","claim_id":"C9"}'],
  ])('is a dead letter only: %s', (code, type, key, value) => {
    const outputs = scene.auditor.apply({ topic: 'claims', type, key, value, timestamp: 0 });
    expect(outputs.map((each) => each.topic === 'dead-letters' && [each.code, each.value])).toEqual([[code, value]]);
  });
});

describe('an input sent again', () => {
  it('publishes nothing when its decoded content is the same, and conflicts when it is not', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '10.00');
    const first = { claim_id: 'C1', setl_time: '2025-03-10T04:00:00Z' };
    scene.claim('1.00', '2025-03-10', first);
    expect(scene.claim('1', '2025-03-10', { ...first, purpose: 'MEDICAL', setl_time: noon('2025-03-10') })).toEqual([]);
    const conflict = scene.claim('2.00', '2025-03-10', first);
    expect(settlement(conflict)).toMatchObject({ code: 'CLAIM_DUPLICATE_CONFLICT' });
    expect(deadLetters(conflict)).toEqual(['CLAIM_DUPLICATE_CONFLICT']);
    const credit = (amount: string) =>
      scene.member('account.credited', 'P1', '2025-03-10', { credit_id: 'D1', amount });
    expect([credit('5.00'), credit('5.0')]).toEqual([[], []]);
    expect(deadLetters(credit('5.01'))).toEqual(['EVENT_CONFLICT']);
    expect(scene.balances('P1')).toEqual(['0.00', '14.00']);
  });

  it('is judged afresh when it was rejected before', () => {
    const scene = new Scene();
    const credit = () => scene.member('account.credited', 'P1', '2025-03-10', { credit_id: 'D1', amount: '5.00' });
    expect(deadLetters(credit())).toEqual(['PERSON_UNKNOWN']);
    scene.person('P1', '0.00', '10.00', { status: 'CLOSED' });
    expect(deadLetters(credit())).toEqual(['TRANSITION_NOT_ALLOWED']);
    scene.member('account.changed', 'P1', '2025-03-10', { change_id: 'H1', status: 'ACTIVE' });
    expect(credit()).toEqual([]);
    expect(scene.balances('P1')).toEqual(['0.00', '15.00']);
  });
});

describe('an amount', () => {
  it('is read from its source text, up to the largest of the standard', () => {
    const scene = new Scene();
    scene.person('P1', '99999999999999.98', '0.00');
    const value = `{"claim_id":"C1","mdtrt_id":"M","psn_no":"P1","fixmedins_code":"H","designated":true,"fix_blng_admdvs":"130200",
      "med_type":"41","setl_time":"2025-03-10T00:00:00Z","medfee_sumamt":99999999999999.99,"fund_pay_sumamt":0,
      "psn_part_amt":99999999999999.99}`;
    const outputs = scene.auditor.apply({
      topic: 'claims',
      type: 'claim.submitted',
      key: 'P1',
      value,
      timestamp: Date.now(),
    });
    expect(only(outputs).value).toMatchObject({ acct_pay: '99999999999999.98', psn_cash_pay: '0.01', clr_type: '41' });
  });

  it.each([
    ['1.005e2', '100.50'],
    ['10050E-2', '100.50'],
    ['0e99', '0.00'],
    ['1e-3', null],
    ['1e14', null],
    ['1e400', null],
    ['"1e2"', null],
  ])('may be a number with an exponent, if it is worth one: %s', (text, worth) => {
    const premium = '"premium_id":"Q1","payer":"P2","beneficiary":"P1","year":2025,"at":"2025-03-10T00:00:00Z"';
    const input = { topic: 'claims', type: 'premium.submitted', key: 'P1', timestamp: Date.now() } as const;
    const outputs = new Scene().auditor.apply({ ...input, value: `{${premium},"amount":${text}}` });
    expect(only(outputs).value).toMatchObject({ amount: worth });
  });
});

describe('policy', () => {
  const policies = new Policies([...SHIPPED_PACKS, ...FAMILY_PACKS], SHIPPED_TEMPLATES);

  it('is inherited from the district over the city and the province to the country, each on its own dates', () => {
    expect(policies.at('130102', '2025-02-28')).toMatchObject({ minRemaining: 10000n, resumeWaitDays: 0 });
    expect(policies.at('130102', '2025-03-01')).toMatchObject({ minRemaining: 0n, resumeWaitDays: 3 });
    expect(policies.at('330106', '2024-11-30').sharablePortion).toBe('TOTAL');
    expect(policies.at('330106', '2024-12-01').sharablePortion).toBe('PRIOR_YEAR_AUTHORISED');
    expect(policies.at('140200', '2025-01-01')).toMatchObject({ shareThreshold: 600000n, minRemaining: 300000n });
    expect(policies.at('500101', '2025-09-19').premiumRelations).toHaveLength(3);
    expect(policies.at('500101', '2025-09-20').premiumRelations).toHaveLength(6);
    expect([
      policies.at('310118', '2025-01-01').memberScope,
      policies.at('310118', '2025-01-01').poolAreaDigits,
    ]).toEqual(['NATIONWIDE', 2]);
  });
});

describe('the partition of a key', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['abc', 479470107],
  ])('is that of murmur2 as published with Kafka: %s', (key, hash) => {
    expect(partitionOf(key, 1_000_003)).toBe((hash & 0x7fffffff) % 1_000_003);
  });
});

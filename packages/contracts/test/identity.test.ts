import { describe, expect, test } from 'vitest';
import { DECODE_LIMITS, decodeClaims, decodeMembers, type RawMessage } from '../src/index.ts';
import {
  CLAIM_SAMPLES,
  CLAIM_TYPES,
  type ClaimType,
  type Fields,
  MEMBER_SAMPLES,
  MEMBER_TYPES,
  type MemberType,
  record,
  sample,
} from './samples.ts';

type Type = ClaimType | MemberType;
const SAMPLES = { ...CLAIM_SAMPLES, ...MEMBER_SAMPLES };
const isClaim = (type: Type): type is ClaimType => type in CLAIM_SAMPLES;

function contentOf(raw: RawMessage, type: Type): string {
  const decoded = isClaim(type) ? decodeClaims(raw, DECODE_LIMITS) : decodeMembers(raw, DECODE_LIMITS);
  if (decoded.kind === 'BAD') throw new Error(`not decoded: ${JSON.stringify(decoded)}`);
  return decoded.content;
}
const content = (type: Type, changes: Fields = {}) => contentOf(sample(type, changes), type);

describe('same content by other bytes', () => {
  test('white space, order of fields, escapes, unknown fields and headers', () => {
    const { required } = CLAIM_SAMPLES['claim.submitted'];
    const backwards = Object.fromEntries([...Object.entries(required), ['note', { a: 1 }] as const].reverse());
    const json = JSON.stringify(backwards, null, 2).replace('"C1"', '"\\u0043\\u0031"');
    const headers = [['traceparent', new Uint8Array([1, 2])]] as const;
    expect(contentOf(record(json, { key: 'P1', type: 'claim.submitted', headers }), 'claim.submitted')).toBe(
      content('claim.submitted'),
    );
  });

  test.each<[Type, Fields, Fields]>([
    ['claim.submitted', { medfee_sumamt: 350, fund_pay_sumamt: '200', psn_part_amt: '150.0' }, {}],
    ['claim.submitted', { hosp_part_amt: '0', purpose: 'MEDICAL', cross_region_filed: false, acct_used_flag: '1' }, {}],
    ['claim.submitted', { setl_time: '2025-03-10T02:00:00.000Z' }, {}],
    ['claim.refunded', { amount: 20 }, { amount: '20.00' }],
    ['premium.submitted', { amount: 400 }, {}],
    ['account.opened', { prior_year: '0.00', current_year: '0.00' }, { current_year: 0 }],
    ['account.opened', { prior_year: '0.00', current_year: '0.00' }, { prior_year: 0 }],
    ['account.opened', { prior_year: '5.00' }, { prior_year: 5, current_year: '0.00' }],
    [
      'account.opened',
      { unpaid_periods: ['2025-02', '2025-01', '2025-02'] },
      { unpaid_periods: ['2025-01', '2025-02'] },
    ],
    [
      'account.opened',
      { unpaid_periods: [], status: 'ACTIVE', card_active: true, employer_enabled: true, wallet_open: false },
      {},
    ],
    ['account.opened', { certno: '110101199003070000' }, {}],
    ['account.opened', { certno: '110101199003070000' }, { certno: 7 }],
    ['account.changed', { status: null, insured: null }, {}],
    ['contribution.received', { amount: '0.00' }, {}],
    [
      'binding.opened',
      {
        effective_from: '2025-03-10',
        state: 'ACTIVE',
        type: 'FAMILY_SHARING',
        pause_reasons: [],
        premium_registered: false,
      },
      {},
    ],
    [
      'binding.opened',
      { state: 'PAUSED', pause_reasons: ['USER', 'ARREARS'] },
      { pause_reasons: ['ARREARS', 'USER', 'USER'] },
    ],
    ['binding.opened', { state: 'EXPIRED', effective_to: '2025-01-01' }, { effective_to: '2025-01-01' }],
    ['binding.opened', { state: 'REVOKED', pause_reasons: ['USER'] }, { state: 'REVOKED' }],
    ['binding.changed', { premium_registered: null }, {}],
    ['binding.resumed', { reason: 'USER' }, {}],
  ])('%s %j and %j', (type, one, other) => expect(content(type, one)).toBe(content(type, other)));
});

describe('different content differs', () => {
  /** Another value that each field may have. */
  const OTHER: Fields = {
    designated: false,
    fix_blng_admdvs: '330108',
    med_type: '21',
    setl_time: '2025-03-10T10:00:00.001+08:00',
    medfee_sumamt: '360.00',
    fund_pay_sumamt: '210.00',
    year: 2024,
    amount: '7.00',
    at: '2025-03-10T09:00:01+08:00',
    bound_at: '2025-03-10T09:00:01+08:00',
    insutype: '390',
    psn_type: '12',
    employment: 'NONE',
    insu_admdvs: '440106',
    insured: false,
    period: '2025-03',
    due_date: '2025-03-01',
    relation: 'CHILD',
  };
  /** What must change with a field for the message still to be a claim. */
  const WITH: Readonly<Record<string, Fields>> = {
    medfee_sumamt: { fund_pay_sumamt: '210.00' },
    fund_pay_sumamt: { psn_part_amt: '140.00' },
  };

  test.each([...CLAIM_TYPES, ...MEMBER_TYPES])('every required field of %s counts', (type) => {
    for (const name of Object.keys(SAMPLES[type].required)) {
      if (name === 'psn_part_amt') continue;
      const changed = { [name]: OTHER[name] ?? 'Z9', ...WITH[name] };
      expect(content(type, changed), name).not.toBe(content(type));
    }
  });

  test.each([...CLAIM_TYPES, ...MEMBER_TYPES])('every optional field of %s counts', (type) => {
    const { optional } = SAMPLES[type] as { optional: Fields };
    for (const name of Object.keys(optional)) {
      // The state of a live binding follows from the rest; 0.00 of the hospital is what its absence means; a certificate number
      // is no part of the event.
      if (name === 'state' || name === 'hosp_part_amt' || name === 'certno') continue;
      const without = { ...optional, state: undefined, [name]: undefined };
      expect(content(type, without), name).not.toBe(content(type, { ...optional, state: undefined }));
    }
  });

  test.each<[Type, Fields, Fields]>([
    ['account.opened', {}, { prior_year: '0.00' }],
    ['account.changed', {}, { status: 'ACTIVE' }],
    ['account.changed', {}, { card_active: true }],
    ['binding.changed', {}, { daily_limit: null }],
    ['binding.changed', { effective_to: null }, { effective_to: '2026-01-01' }],
    ['binding.opened', {}, { state: 'PENDING' }],
    ['binding.opened', {}, { daily_limit: '0.00' }],
    ['claim.refunded', {}, { amount: '0.00' }],
  ])('%s %j and %j', (type, one, other) => expect(content(type, one)).not.toBe(content(type, other)));

  test('types differ, values cannot pose as fields', () => {
    expect(content('binding.approved')).not.toBe(content('binding.revoked'));
    expect(content('claim.refunded', { refund_id: 'R1","claim_id' })).not.toBe(
      content('claim.refunded', { refund_id: 'R1' }),
    );
  });
});

describe('a command that is sent again', () => {
  const [early, late] = ['2025-03-10T10:00:00+08:00', '2025-03-10T10:00:07+08:00'];
  const COMMANDS = [
    'binding.requested',
    'binding.approved',
    'binding.resumed',
    'binding.changed',
    'claim.refunded',
  ] as const;
  const moment = (type: Type) => (type === 'binding.requested' ? 'bound_at' : 'at');

  test.each(COMMANDS)('as %s is the same event though it comes later, unless its moment was stated', (type) => {
    const sent = (at: string, over: Fields = {}) => content(type, { command_id: 'K1', [moment(type)]: at, ...over });
    expect(sent(early)).toBe(sent(late));
    expect(sent(early, { at_stated: true })).not.toBe(sent(late, { at_stated: true }));
    expect(sent(early)).not.toBe(sent(early, { at_stated: true }));
    expect(content(type, { [moment(type)]: early })).not.toBe(content(type, { [moment(type)]: late }));
  });

  test('is known by its id, whatever binding it names', () => {
    const named = (binding_id: string) => {
      const decoded = decodeMembers(sample('binding.approved', { command_id: 'K1', binding_id }), DECODE_LIMITS);
      return decoded.kind === 'MEMBER' ? decoded.identity : decoded.kind;
    };
    expect([named('B1'), named('B9')]).toEqual(['binding.approved/command:K1', 'binding.approved/command:K1']);
    expect(content('binding.approved', { command_id: 'K1', binding_id: 'B1' })).not.toBe(
      content('binding.approved', { command_id: 'K1', binding_id: 'B9' }),
    );
  });
});

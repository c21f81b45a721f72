import { BEGINNING, dateOf, formatMoney } from '@repo/domain';
import { describe, expect, test } from 'vitest';
import { type Bad, DECODE_LIMITS, type DecodedMembers, decodeMembers, type RawMessage } from '../src/index.ts';
import {
  CAME,
  CHECK_SAMPLE,
  type Fields,
  MEMBER_SAMPLES,
  MEMBER_TYPES,
  type MemberType,
  record,
  sample,
} from './samples.ts';

const AT = CAME - 3_600_000;
const decode = (raw: RawMessage): DecodedMembers => decodeMembers(raw, DECODE_LIMITS);
const eventOf = (type: MemberType, changes: Fields = {}) => {
  const decoded = decode(sample(type, changes));
  if (decoded.kind !== 'MEMBER') throw new Error(`not an event: ${JSON.stringify(decoded)}`);
  return decoded;
};
const badOf = (raw: RawMessage): Bad => {
  const decoded = decode(raw);
  if (decoded.kind !== 'BAD') throw new Error('decoded although it must not be');
  return decoded;
};
const text = (value: unknown) =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint' ? `${one} fen` : one instanceof Map ? [...one] : one,
  );

const IDENTITIES: Readonly<Record<MemberType, string>> = {
  'account.opened': 'account.opened:P2:',
  'account.changed': 'account.changed:X1',
  'account.credited': 'account.credited:K1',
  'contribution.received': 'contribution.received:N1',
  'contribution.missed': 'contribution.missed:P2:2025-02',
  'contribution.recovered': 'contribution.recovered:P2:2025-02',
  'binding.opened': 'binding.opened:B1:',
  'binding.requested': 'binding.requested:B1:',
  'binding.approved': `binding.approved:B1:${AT}`,
  'binding.rejected': `binding.rejected:B1:${AT}`,
  'binding.revoked': `binding.revoked:B1:${AT}`,
  'binding.changed': 'binding.changed:X1',
  'binding.paused': `binding.paused:B1:${AT}`,
  'binding.resumed': `binding.resumed:B1:${AT}`,
  'refund.paid': 'refund.paid:R1:P2',
};

describe.each(MEMBER_TYPES)('%s', (type) => {
  const { required, optional, key } = MEMBER_SAMPLES[type];

  test('alone and with all it may state', () => {
    expect(eventOf(type)).toMatchObject({ identity: IDENTITIES[type], personNo: 'P2' });
    expect(eventOf(type, optional).identity).toBe(IDENTITIES[type]);
  });

  test('null for what it may state is not stating it, unknown fields are ignored', () => {
    if (type === 'binding.changed') return;
    const nothing = Object.fromEntries(Object.keys(optional).map((name) => [name, null]));
    expect(text(eventOf(type, { ...nothing, hospital: 7 }))).toBe(text(eventOf(type)));
  });

  test('without any one required field it is EVENT_MALFORMED', () => {
    for (const name of Object.keys(required)) {
      const bad = badOf(sample(type, { [name]: undefined }, { key: 'P2' }));
      expect(bad.code).toBe('EVENT_MALFORMED');
      expect(bad.issues[0]?.path).toBe(name);
    }
  });

  test('a field of another kind is EVENT_MALFORMED and is not repeated', () => {
    const { certno, ...read } = { ...required, ...optional } as Fields;
    for (const name of Object.keys(read)) {
      const bad = badOf(sample(type, { [name]: { 秘密: 1 } }, { key: 'P2' }));
      expect([bad.code, bad.issues[0]?.path]).toEqual(['EVENT_MALFORMED', name]);
      expect(text(bad)).not.toContain('秘密');
    }
  });

  test('a certificate number leaves no trace in what is decoded', () => {
    const decoded = decode(sample(type, { ...optional, certno: '秘密' }));
    expect(decoded.kind).toBe('MEMBER');
    expect(text(decoded)).not.toMatch(/秘密|certno/);
  });

  test('on another key it is KEY_MISMATCH, whatever is wrong besides', () => {
    expect(badOf(sample(type, { at: 7, amount: 'x' }, { key: 'P9' }))).toMatchObject({
      code: 'KEY_MISMATCH',
      issues: [{ path: key }],
    });
    expect(badOf(sample(type, {}, { key: null })).code).toBe('KEY_MISMATCH');
  });

  test('every moment of it is bounded', () => {
    const late = '2026-04-15T00:00:00Z';
    for (const name of ['at', 'bound_at', 'as_of'].filter((one) => one in { ...required, ...optional })) {
      expect(badOf(sample(type, { [name]: late }))).toMatchObject({
        code: 'EVENT_MALFORMED',
        issues: [{ path: name }],
      });
    }
  });
});

test('a type of the claims topic is unknown here', () => {
  for (const type of ['claim.submitted', 'toString', '__proto__'])
    expect(badOf(record('{}', { type })).code).toBe('EVENT_TYPE_UNKNOWN');
});

describe('accounts', () => {
  test('an account with all its facts', () => {
    const { event } = eventOf('account.opened', MEMBER_SAMPLES['account.opened'].optional);
    expect(event).toMatchObject({
      kind: 'ACCOUNT_OPENED',
      name: '张三',
      unpaidPeriods: ['2025-01', '2025-02'],
      arrearsSince: '2025-02-01',
      asOf: AT,
      person: {
        personNo: 'P2',
        status: 'FROZEN',
        cardActive: false,
        employerEnabled: false,
        walletOpen: true,
        recoveredOn: '2024-06-01',
        uninsuredSince: null,
      },
    });
    const { purse } = event.kind === 'ACCOUNT_OPENED' ? event.person : { purse: null };
    expect(purse && [purse.year, formatMoney(purse.priorYear), formatMoney(purse.currentYear)]).toEqual([
      2025,
      '10.00',
      '20.00',
    ]);
  });

  test('one portion stated means an account, none means no account; the year is that of as_of in Shanghai', () => {
    const purseOf = (changes: Fields) => {
      const { event } = eventOf('account.opened', changes);
      return event.kind === 'ACCOUNT_OPENED' ? event.person.purse : undefined;
    };
    expect(purseOf({})).toBeNull();
    expect(text(purseOf({ current_year: 5 }))).toBe(text({ year: 2025, priorYear: '0 fen', currentYear: '500 fen' }));
    expect(purseOf({ prior_year: '1', as_of: '2024-12-31T15:59:59.999Z' })?.year).toBe(2024);
    expect(purseOf({ prior_year: '1', as_of: '2024-12-31T16:00:00Z' })?.year).toBe(2025);
  });

  test('not insured on import is from the beginning', () => {
    expect(eventOf('account.opened', { insured: false }).event).toMatchObject({
      person: { uninsuredSince: BEGINNING },
    });
  });

  test('a change says only what it states', () => {
    expect(eventOf('account.changed').event).toMatchObject({ changes: {} });
    expect(eventOf('account.changed', { insured: false, status: null }).event).toMatchObject({
      changes: { insured: false },
    });
    expect(
      Object.keys((eventOf('account.changed', { card_active: true }).event as { changes: object }).changes),
    ).toEqual(['cardActive']);
  });

  test('nothing is no credit; a contribution of 0.00 credits nothing', () => {
    for (const amount of ['0', '0.00', 0, '-1', '1.005', '100000000000000'])
      expect(badOf(sample('account.credited', { amount })).code).toBe('EVENT_MALFORMED');
    expect(eventOf('contribution.received', { amount: '0.00' }).event).toMatchObject({
      kind: 'CONTRIBUTION_PAID',
      amount: null,
    });
  });
});

describe('moments of events', () => {
  const header = (value: string) => ({ headers: [['ce_time', new TextEncoder().encode(value)]] as const });
  const atOf = (type: MemberType, changes: Fields, envelope: object) => {
    const decoded = decode(sample(type, changes, envelope));
    return decoded.kind === 'MEMBER' ? decoded.event.at : decoded;
  };

  test('its own, else ce_time, else that of the record', () => {
    const own = { at: '2025-01-01T00:00:00Z' };
    expect(atOf('contribution.missed', own, header('2025-02-01T00:00:00Z'))).toBe(Date.UTC(2025, 0, 1));
    expect(atOf('contribution.missed', {}, header('2025-02-01T00:00:00Z'))).toBe(Date.UTC(2025, 1, 1));
    expect(atOf('contribution.missed', {}, header('yesterday'))).toBe(CAME);
    expect(atOf('contribution.missed', {}, {})).toBe(CAME);
  });

  test('a ce_time far ahead is refused only where it would be used', () => {
    expect(atOf('contribution.missed', {}, header('2999-01-01T00:00:00Z'))).toMatchObject({
      code: 'EVENT_MALFORMED',
      issues: [{ path: 'ce_time' }],
    });
    expect(atOf('account.opened', {}, header('2999-01-01T00:00:00Z'))).toMatchObject({ code: 'EVENT_MALFORMED' });
    expect(atOf('contribution.missed', { at: '2025-01-01T00:00:00Z' }, header('2999-01-01T00:00:00Z'))).toBe(
      Date.UTC(2025, 0, 1),
    );
  });
});

describe('dates and months', () => {
  test.each(['2025-13', '2025-00', '2025-1', '9999-12', '1899-12', ''])('%j is no month of contributions', (period) => {
    expect(badOf(sample('contribution.missed', { period })).code).toBe('EVENT_MALFORMED');
    expect(badOf(sample('account.opened', { unpaid_periods: [period] }))).toMatchObject({
      issues: [{ path: 'unpaid_periods.0' }],
    });
  });

  test.each(['2025-02-29', '9999-12-31', '0000-01-01', '1899-12-31', '20250228'])(
    '%j is no date to count days from',
    (due_date) => {
      expect(badOf(sample('contribution.missed', { due_date })).code).toBe('EVENT_MALFORMED');
    },
  );

  test('the last day of a binding may be the last of the calendar', () => {
    expect(eventOf('binding.opened', { effective_to: '9999-12-31', effective_from: '0001-01-01' }).event).toMatchObject(
      { binding: { effectiveTo: '9999-12-31' } },
    );
    expect(badOf(sample('binding.opened', { effective_to: '0000-12-31' })).code).toBe('EVENT_MALFORMED');
  });
});

describe('bindings', () => {
  const bindingOf = (changes: Fields) => {
    const { event } = eventOf('binding.opened', changes);
    return event.kind === 'BINDING_OPENED' ? event.binding : undefined;
  };

  test('by default it is active family sharing from the day it was bound', () => {
    expect(bindingOf({ bound_at: '2025-03-09T16:00:00Z' })).toMatchObject({
      type: 'FAMILY_SHARING',
      state: 'ACTIVE',
      priority: null,
      effectiveFrom: '2025-03-10',
      effectiveTo: null,
      dailyLimit: null,
      authorisedAmount: null,
      premiumRegistered: false,
    });
  });

  test('reasons make it paused, from the beginning; a paused one needs a reason', () => {
    const paused = bindingOf({ pause_reasons: ['USER', 'ARREARS'] });
    expect([paused?.state, [...(paused?.holds ?? [])]]).toEqual([
      'PAUSED',
      [
        ['USER', BEGINNING],
        ['ARREARS', BEGINNING],
      ],
    ]);
    expect(badOf(sample('binding.opened', { state: 'PAUSED' }))).toMatchObject({ issues: [{ path: 'pause_reasons' }] });
    expect(badOf(sample('binding.opened', { pause_reasons: ['BORED'] }))).toMatchObject({
      issues: [{ path: 'pause_reasons.0' }],
    });
  });

  test('what has ended holds no reasons; an expired one states its last day', () => {
    for (const state of ['PENDING', 'REJECTED', 'REVOKED']) {
      const ended = bindingOf({ state, pause_reasons: ['USER'] });
      expect([ended?.state, ended?.holds.size]).toEqual([state, 0]);
    }
    expect(badOf(sample('binding.opened', { state: 'EXPIRED' }))).toMatchObject({ issues: [{ path: 'effective_to' }] });
    expect(bindingOf({ state: 'EXPIRED', effective_to: '2025-01-01' })).toMatchObject({
      state: 'ACTIVE',
      effectiveTo: '2025-01-01',
    });
  });

  test('an expired one whose last day is not over is refused, as it would be live', () => {
    const of = (effective_to: string, timestampMs: number) =>
      decodeMembers({ ...sample('binding.opened', { state: 'EXPIRED', effective_to }), timestampMs }, DECODE_LIMITS);
    const [before, after] = [Date.parse('2025-03-10T15:59:59Z'), Date.parse('2025-03-10T16:00:00Z')];
    expect(of('2025-03-10', before)).toMatchObject({ code: 'EVENT_MALFORMED', issues: [{ path: 'effective_to' }] });
    expect(of('2025-03-10', after)).toMatchObject({ kind: 'MEMBER' });
  });

  test.each([-1, -9e15, 9e15])('of a record stamped %j, which is no moment, none can be judged', (timestampMs) => {
    const issues = [{ path: '', problem: 'expected a record with a timestamp of the years 1 to 9999' }];
    for (const type of MEMBER_TYPES)
      for (const headers of [[], [['ce_time', new TextEncoder().encode('2025-03-10T09:00:00Z')] as const]]) {
        const raw = sample(type, {}, { headers });
        expect(badOf({ ...raw, timestampMs })).toMatchObject({ code: 'EVENT_MALFORMED', issues });
      }
  });

  test('a request is pending, whatever state it claims', () => {
    expect(eventOf('binding.requested', { state: 'ACTIVE', pause_reasons: ['USER'] }).event).toMatchObject({
      at: AT,
      binding: { state: 'PENDING', holds: new Map() },
    });
  });

  test('a change clears with null and leaves what it does not state', () => {
    const changesOf = (fields: Fields) => {
      const { event } = eventOf('binding.changed', fields);
      return event.kind === 'BINDING_CHANGED' ? event.changes : undefined;
    };
    expect(changesOf({})).toEqual({});
    expect(
      changesOf({
        priority: null,
        daily_limit: null,
        authorised_amount: null,
        effective_to: null,
        premium_registered: null,
      }),
    ).toEqual({
      priority: null,
      dailyLimit: null,
      authorisedAmount: null,
      effectiveTo: null,
    });
  });

  test.each([2.5, '1', 2_147_483_648, -2_147_483_649, 1e300])('priority %j is malformed', (priority) => {
    expect(badOf(sample('binding.opened', { priority })).code).toBe('EVENT_MALFORMED');
  });

  test('resuming is by the payer unless a reason is stated', () => {
    expect(eventOf('binding.resumed').event).toMatchObject({ reason: 'USER' });
    expect(badOf(sample('binding.resumed', { reason: 'ZERO_BALANCE' })).code).toBe('EVENT_MALFORMED');
  });
});

describe('arrears.check', () => {
  const check = (changes: Fields = {}) =>
    decode(record(JSON.stringify({ ...CHECK_SAMPLE.required, ...changes }), { type: 'arrears.check' }));
  test('for all shards or for one, on any key', () => {
    expect(check()).toMatchObject({
      kind: 'ARREARS_CHECK',
      identity: 'arrears.check:A1:all',
      check: { checkId: 'A1', on: '2025-03-10', shard: null, shards: null },
      at: CAME,
    });
    expect(check(CHECK_SAMPLE.optional)).toMatchObject({
      identity: 'arrears.check:A1:3',
      check: { shard: 3, shards: 6 },
    });
    expect(decode(record(JSON.stringify(CHECK_SAMPLE.required), { type: 'arrears.check', key: 'x' })).kind).toBe(
      'ARREARS_CHECK',
    );
  });
  test.each([{ on: '2025-02-30' }, { on: null }, { check_id: '' }, { shard: -1 }, { shard: 1.5 }, { shards: 0 }])(
    '%j is malformed',
    (changes) => {
      expect(check(changes)).toMatchObject({ code: 'EVENT_MALFORMED' });
    },
  );
});

test('ids with colons do not run into each other', () => {
  const identity = (refund_id: string, psn_no: string) => {
    const decoded = decode(sample('refund.paid', { refund_id, psn_no }));
    return decoded.kind === 'MEMBER' && decoded.identity;
  };
  expect(identity('R:1', '2')).not.toBe(identity('R', '1:2'));
});

test('a message names at most 50 problems, however many it has', () => {
  const many = Array.from({ length: 1200 }, () => 'x');
  expect(badOf(sample('account.opened', { unpaid_periods: many })).issues).toHaveLength(50);
  expect(dateOf(CAME)).toBe('2025-03-10');
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLAIMS, MEMBERS } from '../../src/families/family.ts';
import { eventRecord, Story } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';
import type { RawRecord } from '../../src/system/topics.ts';

type Wire = Readonly<Record<string, unknown>>;

/** One message that cannot be taken, and what must become of it. */
interface Bad {
  readonly what: string;
  readonly record: RawRecord;
  readonly code: string;
  /** The claim that is told it was rejected; null = the message is a dead letter and nothing else. */
  readonly rejected: string | null;
  /** Paths named by the rejection. */
  readonly issues?: readonly string[];
}

const NOON = '2025-03-10T12:00:00+08:00';
const NAME = '欧阳某某';

const claim = (rest: Wire = {}) => ({
  ...{ claim_id: 'C-BAD', mdtrt_id: 'M1', psn_no: 'P1', fixmedins_code: 'H1', designated: true, med_type: '11' },
  ...{
    fix_blng_admdvs: '420106',
    setl_time: NOON,
    medfee_sumamt: '1.00',
    fund_pay_sumamt: '0.00',
    psn_part_amt: '1.00',
  },
  ...rest,
});
const change = (rest: Wire = {}) => ({ change_id: 'H-BAD', psn_no: 'P1', at: NOON, psn_name: NAME, ...rest });
const binding = (rest: Wire = {}) => ({ binding_id: 'B-NONE', payer: 'P1', at: NOON, ...rest });

const submitted = (rest: Wire): RawRecord => ({
  ...eventRecord('claim.submitted', claim(rest)),
  timestamp: Date.parse(NOON),
});
const raw = (topic: string, value: string | Buffer | null, type = 'claim.submitted'): RawRecord => ({
  ...{ topic, key: 'P1', headers: { ce_type: type }, value, timestamp: Date.parse(NOON) },
});
const dead = (what: string, code: string, record: RawRecord): Bad => ({ what, code, record, rejected: null });
const rejected = (what: string, code: string, record: RawRecord, issues: string[], id = 'C-BAD'): Bad => ({
  ...{ what, code, record, issues, rejected: id },
});

const text = JSON.stringify(claim());
const latin1 = Buffer.from(JSON.stringify(claim({ mdtrt_id: 'é' })), 'latin1');
const untyped = { ...raw(CLAIMS, text), headers: { ce_specversion: '1.0' } };
const large = raw(CLAIMS, JSON.stringify(claim({ note: 'x'.repeat(5 << 20) })));

const BAD_CLAIMS: readonly Bad[] = [
  dead('bytes that are not JSON', 'EVENT_UNREADABLE', raw(CLAIMS, Buffer.from([0, 255, 254, 10, 123]))),
  dead('text that is not UTF-8', 'EVENT_UNREADABLE', raw(CLAIMS, latin1)),
  dead('JSON cut off', 'EVENT_UNREADABLE', raw(CLAIMS, text.slice(0, -2))),
  dead('JSON that is a list', 'EVENT_UNREADABLE', raw(CLAIMS, '[1]')),
  dead('an empty value', 'EVENT_UNREADABLE', raw(CLAIMS, '')),
  dead('a tombstone', 'EVENT_UNREADABLE', raw(CLAIMS, null)),
  dead('5 MB', 'EVENT_TOO_LARGE', large),
  dead('an unknown ce_type', 'EVENT_TYPE_UNKNOWN', raw(CLAIMS, text, 'claim.exploded')),
  dead('an event type of the other topic', 'EVENT_TYPE_UNKNOWN', raw(CLAIMS, text, 'account.changed')),
  dead('no type at all', 'EVENT_TYPE_UNKNOWN', untyped),
  dead('the key of another person', 'KEY_MISMATCH', { ...submitted({}), key: 'P2', partition: 0 }),
  dead('no key', 'KEY_MISMATCH', { ...submitted({}), key: null }),
  dead('no claim_id', 'CLAIM_MALFORMED', submitted({ claim_id: undefined })),
  dead('an empty claim_id', 'CLAIM_MALFORMED', submitted({ claim_id: '' })),
  dead('a claim_id that is a number', 'CLAIM_MALFORMED', submitted({ claim_id: 17 })),
  rejected('a missing field', 'CLAIM_MALFORMED', submitted({ mdtrt_id: undefined }), ['mdtrt_id']),
  rejected('two ill-typed fields', 'CLAIM_MALFORMED', submitted({ designated: 'yes', setl_time: '2025-03-10' }), [
    ...['designated', 'setl_time'],
  ]),
  rejected('an id with NUL', 'CLAIM_MALFORMED', submitted({ mdtrt_id: 'M\0' }), ['mdtrt_id']),
  rejected('a code with a control character', 'CLAIM_MALFORMED', submitted({ med_type: '1\u001f1' }), ['med_type']),
  rejected('a moment years ahead', 'CLAIM_MALFORMED', submitted({ setl_time: '2029-01-01T00:00:00Z' }), ['setl_time']),
  rejected(
    'a JSON number of three decimals',
    'CLAIM_AMOUNT_INVALID',
    raw(CLAIMS, text.replace('"psn_part_amt":"1.00"', '"psn_part_amt":1.005')),
    ['psn_part_amt'],
  ),
  rejected('a negative amount', 'CLAIM_AMOUNT_INVALID', submitted({ fund_pay_sumamt: '-1.00' }), ['fund_pay_sumamt']),
  rejected('a sum that does not add up', 'CLAIM_IDENTITY_VIOLATION', submitted({ medfee_sumamt: '1.01' }), [
    'medfee_sumamt',
  ]),
  rejected('the id of another claim', 'CLAIM_DUPLICATE_CONFLICT', submitted({ claim_id: 'C-FIRST' }), [''], 'C-FIRST'),
  dead(
    'a refund with the id of another',
    'EVENT_CONFLICT',
    eventRecord('claim.refunded', { refund_id: 'R-FIRST', claim_id: 'C-OTHER', psn_no: 'P1', at: NOON }),
  ),
  dead(
    'a refund of nobody',
    'EVENT_MALFORMED',
    eventRecord('claim.refunded', { refund_id: 'R-BAD', claim_id: 'C-FIRST', psn_no: '', at: NOON }),
  ),
];

const BAD_MEMBERS: readonly Bad[] = [
  dead('bytes that are not JSON', 'EVENT_UNREADABLE', raw(MEMBERS, Buffer.from([0, 255, 254]), 'account.changed')),
  dead('a tombstone', 'EVENT_UNREADABLE', raw(MEMBERS, null, 'account.changed')),
  dead('an unknown ce_type', 'EVENT_TYPE_UNKNOWN', eventRecord('account.exploded', change())),
  dead('no type at all', 'EVENT_TYPE_UNKNOWN', { ...eventRecord('account.changed', change()), headers: {} }),
  dead('more than 1 MiB', 'EVENT_TOO_LARGE', eventRecord('account.changed', change({ note: 'x'.repeat(1 << 20) }))),
  dead('the key of another person', 'KEY_MISMATCH', {
    ...eventRecord('account.changed', change()),
    key: 'P2',
    partition: 0,
  }),
  dead('no key', 'KEY_MISMATCH', { ...eventRecord('account.changed', change()), key: null }),
  dead('a missing field', 'EVENT_MALFORMED', eventRecord('account.changed', { ...change(), change_id: undefined })),
  dead('an id with NUL', 'EVENT_MALFORMED', eventRecord('account.changed', change({ change_id: 'H\0' }))),
  dead(
    'an amount of three decimals',
    'EVENT_MALFORMED',
    eventRecord('account.credited', { credit_id: 'D-BAD', psn_no: 'P1', amount: 1.005, at: NOON }),
  ),
  dead(
    'the id of another credit',
    'EVENT_CONFLICT',
    eventRecord('account.credited', { credit_id: 'D-FIRST', psn_no: 'P1', amount: '2.00', at: NOON }),
  ),
  dead('a person nobody opened', 'PERSON_UNKNOWN', eventRecord('account.changed', change({ psn_no: 'P9' }))),
  dead('a binding nobody opened', 'BINDING_UNKNOWN', eventRecord('binding.paused', binding())),
  dead(
    'a transition from where it cannot start',
    'TRANSITION_NOT_ALLOWED',
    eventRecord('binding.approved', binding({ binding_id: 'B1' })),
  ),
];

let system: TestSystem;

/** All messages of a topic are on one partition: each bad one stands in the way of the good one behind it. */
beforeAll(async () => {
  system = await TestSystem.start({ partitions: 1 });
  const story = new Story(system);
  const employee = { insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '420100', insured: true };
  const opened = {
    ...employee,
    psn_no: 'P1',
    psn_name: NAME,
    prior_year: '1000.00',
    current_year: '0.00',
    as_of: NOON,
  };
  await story.when(
    eventRecord('account.opened', opened),
    eventRecord('binding.opened', {
      ...{ binding_id: 'B1', payer: 'P1', beneficiary: 'P2', relation: 'CHILD', bound_at: NOON },
    }),
    eventRecord('account.credited', { credit_id: 'D-FIRST', psn_no: 'P1', amount: '1.00', at: NOON }),
  );
  await story.when(
    submitted({ claim_id: 'C-FIRST', mdtrt_id: 'M-FIRST' }),
    eventRecord('claim.refunded', {
      refund_id: 'R-FIRST',
      claim_id: 'C-FIRST',
      psn_no: 'P1',
      amount: '0.01',
      at: NOON,
    }),
  );
  const withGood = (bads: readonly Bad[], good: (index: number) => RawRecord) =>
    bads.flatMap(({ record }, index) => [marked(record, index), good(index)]);
  await story.when(
    ...withGood(BAD_CLAIMS, (index) => submitted({ claim_id: `C-GOOD-${index}` })),
    ...withGood(BAD_MEMBERS, (index) =>
      eventRecord('account.credited', { credit_id: `D-GOOD-${index}`, psn_no: 'P1', amount: '0.01', at: NOON }),
    ),
  );
});
afterAll(() => system?.[Symbol.asyncDispose]());

/** With headers that are no text, and by which the test finds the message again. */
const marked = (record: RawRecord, index: number): RawRecord => ({
  ...record,
  headers: { ...record.headers, 'x-number': String(index), 'x-bytes': Buffer.from([0, 255, 13, 10]) },
});

const letterOf = (topic: string, index: number) =>
  system.topics.raw.filter(
    ({ headers }) =>
      textOf(headers, 'x-number') === String(index) &&
      textOf(headers, 'gongji-topic') === (topic === CLAIMS ? system.topics.names.claims : system.topics.names.members),
  );

const textOf = (headers: readonly (readonly [string, Buffer])[], name: string) =>
  headers.find(([other]) => other === name)?.[1].toString();

const isSame = (one: Buffer | null, other: string | Buffer | null) =>
  one === null || other === null ? one === other : one.equals(Buffer.from(other));

function expectDeadLetter(topic: string, index: number, { record, code }: Bad): void {
  const [letter, ...others] = letterOf(topic, index);
  if (letter === undefined) throw new Error('there is no dead letter of this message');
  expect(others).toEqual([]);
  expect(letter.partition).toBe(topic === CLAIMS ? 0 : 1);
  expect(isSame(letter.value, record.value)).toBe(true);
  expect(letter.key?.toString() ?? null).toBe(record.key);
  const original = Object.entries(marked(record, index).headers).map(([name, value]) => [name, Buffer.from(value)]);
  expect(letter.headers.slice(0, original.length)).toEqual(original);
  const added = Object.fromEntries(letter.headers.slice(original.length).map(([name, value]) => [name, String(value)]));
  expect(added).toEqual({
    ...{ 'gongji-code': code, 'gongji-detail': expect.any(String), 'gongji-partition': '0' },
    'gongji-topic': topic === CLAIMS ? system.topics.names.claims : system.topics.names.members,
    ...{ 'gongji-offset': expect.stringMatching(/^\d+$/), 'gongji-sequence': expect.stringMatching(/^\d+$/) },
    'gongji-at': expect.stringMatching(/^\d{4}-/),
  });
  expect(added['gongji-detail']).not.toMatch(new RegExp(`${NAME}|P1`));
}

const outcomesOf = (claim_id: string) =>
  system.topics.published
    .filter(({ topic, value }) => topic === 'settlements' && JSON.parse(value).claim_id === claim_id)
    .map(({ headers, value }) => ({ type: headers.ce_type, ...JSON.parse(value) }));

describe('a claims message that cannot be taken', () => {
  it.each(BAD_CLAIMS.map((bad, index) => ({ ...bad, index })))('$what: $code', ({ index, ...bad }) => {
    expectDeadLetter(CLAIMS, index, bad);
    expect(outcomesOf(`C-GOOD-${index}`)).toMatchObject([{ type: 'settlement.settled', acct_pay: '1.00' }]);
  });

  it('publishes a rejection where its claim_id could be read, and none where not', () => {
    const told = system.topics.published
      .filter(({ headers }) => headers.ce_type === 'settlement.rejected')
      .map(({ key, value }) => ({ key, ...JSON.parse(value) }));
    expect(told).toEqual(
      BAD_CLAIMS.filter(({ rejected }) => rejected !== null).map(({ rejected: claim_id, code, issues = [] }) => ({
        ...{ key: 'P1', claim_id, psn_no: 'P1', status: 'REJECTED', code },
        issues: issues.map((path) => ({ path, problem: expect.any(String) })),
      })),
    );
  });

  it('takes no id: the corrected claim is settled, and the first claim of an id stays as it was', async () => {
    const told = await new Story(system).when(submitted({}), submitted({ claim_id: 'C-FIRST', mdtrt_id: 'M-FIRST' }));
    expect(told).toMatchObject([{ type: 'settlement.settled', claim_id: 'C-BAD', acct_pay: '1.00' }]);
    expect(await system.read('/v1/settlements/C-FIRST')).toMatchObject({ mdtrt_id: 'M-FIRST', status: 'SETTLED' });
  });
});

describe('a members message that cannot be taken', () => {
  it.each(BAD_MEMBERS.map((bad, index) => ({ ...bad, index })))('$what: $code', ({ index, ...bad }) => {
    expectDeadLetter(MEMBERS, index, bad);
  });

  it('does not keep the credits behind it from the account, nor make a worker try twice', async () => {
    const claims = 1 + BAD_CLAIMS.length + 1;
    const fen = 100_000 + 100 + BAD_MEMBERS.length - 100 * claims + 1;
    const account = await system.read(`/v1/accounts/P1?at=${encodeURIComponent(NOON)}`);
    expect(account?.balance).toBe(`${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`);
    expect(system.complaints()).toEqual([]);
  });
});

describe('a message that is unusual and good', () => {
  it.each([
    [
      'its type in the body, where a producer cannot set headers',
      { body: { ce_type: 'claim.submitted' }, headers: {} },
    ],
    ['another type in the body than in the header, which wins', { body: { ce_type: 'claim.exploded' } }],
    [
      'unknown fields and headers',
      { body: { nonsense: [{ a: null }] }, headers: { ce_type: 'claim.submitted', odd: '\u0007' } },
    ],
    [
      'amounts as JSON numbers of the largest size',
      { body: { medfee_sumamt: 'BIG', fund_pay_sumamt: 'BIG', psn_part_amt: 0 } },
    ],
  ])('is settled: %s', async (what, { body, headers }: { body: Wire; headers?: Record<string, string> }) => {
    const record = submitted({ claim_id: `C-ODD ${what}`, ...body });
    const value = String(record.value).replaceAll('"BIG"', '99999999999999.99');
    const told = await new Story(system).when({ ...record, value, headers: headers ?? record.headers });
    expect(told).toMatchObject([{ type: 'settlement.settled', claim_id: `C-ODD ${what}` }]);
  });

  it('is settled: a value of exactly 1 MiB', async () => {
    const length = (1 << 20) - JSON.stringify(claim({ claim_id: 'C-MIB', note: '' })).length;
    const told = await new Story(system).when(submitted({ claim_id: 'C-MIB', note: 'x'.repeat(length) }));
    expect(told).toMatchObject([{ type: 'settlement.settled', claim_id: 'C-MIB' }]);
  });
});

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeBackdated } from '@repo/contracts';
import { findBackdated, Ledger } from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventRecord } from '../../src/system/story.ts';
import { account, binding, claim, claims, fact, members, refund } from '../../src/workers/events.ts';
import { type Move, Site } from '../../src/workers/site.ts';

const policies = await shippedPolicies();

let site: Site;
let reader: Ledger;

/** A1 shares with P1, who has 10.00 of their own, and with P2; A2 comes after A1. */
const FAMILY = members(
  account('P1', '10.00'),
  account('P2', '0.00', { insutype: '390', prior_year: undefined }),
  account('A1', '500.00'),
  account('A2', '500.00'),
  binding('B1', 'A1', 'P1', { priority: 1, authorised_amount: '500.00', daily_limit: '60.00' }),
  binding('B2', 'A2', 'P1', { priority: 2, relation: 'PARENT', authorised_amount: '500.00' }),
  binding('B3', 'A1', 'P2', { relation: 'CHILD', authorised_amount: '500.00' }),
);

beforeEach(async () => {
  site = await Site.open({ policyOf: policies.policyAt, shards: ['members/0', 'claims/0', 'claims/1'] });
  reader = await Ledger.open({ url: site.url, role: 'gongji_reader', name: 'reader' });
  await site.run(FAMILY);
});
afterEach(async () => {
  await reader.close();
  await site[Symbol.asyncDispose]();
});

async function after(...moves: readonly Move[]): Promise<void> {
  for (const move of moves) await site.run(move);
  await site.settleDown();
}

const list = async (payer?: string) => encodeBackdated(await findBackdated(reader, { payer, payersMax: 10 }));

/** The list in short: payer, claim or premium, what stands, and why. */
const listed = async () =>
  (await list()).flatMap(({ payer, draws }) =>
    draws.map(
      ({ claim_id, premium_id, net, reasons }) =>
        `${payer} ${claim_id ?? premium_id} ${net} ${reasons.map(({ code, since }) => `${code} ${since}`).join(' ')}`,
    ),
  );

const ofP1 = (claim_id: string, share: string, setl_time: string) => claims(0, claim(claim_id, 'P1', share, setl_time));
const ofP2 = (claim_id: string, share: string, setl_time: string) => claims(1, claim(claim_id, 'P2', share, setl_time));
const missed = (at: string) =>
  members(fact('contribution.missed', { psn_no: 'A1', period: '2025-02', due_date: '2025-02-28', at }));
const recovered = (at: string) => members(fact('contribution.recovered', { psn_no: 'A1', period: '2025-02', at }));
const ofB1 = { binding_id: 'B1', payer: 'A1' };

test('a month that turns out to have been missed lists what its payer has paid since, and nothing else', async () => {
  await after(
    ofP1('BEFORE', '40.00', '2025-02-28T23:59:59+08:00'),
    ofP1('FIRST', '100.00', '2025-03-01T00:00:00+08:00'),
    ofP2('SECOND', '30.00', '2025-03-10T10:00:00+08:00'),
    claims(0, refund('R1', 'FIRST', 'P1', '2025-03-11T10:00:00+08:00', '65.00')),
    // A1's own use of the account is no sharing.
    claims(0, claim('OWN', 'A1', '20.00', '2025-03-12T10:00:00+08:00')),
    claims(
      1,
      eventRecord('premium.submitted', {
        ...{ premium_id: 'Q1', payer: 'A1', beneficiary: 'P2', year: 2027, amount: '50.00' },
        at: '2025-03-13T10:00:00+08:00',
      }),
    ),
  );
  expect(await listed()).toEqual([]);
  await after(
    missed('2025-03-20T09:00:00+08:00'),
    // Known by now, so it is not paid, whatever its date.
    ofP1('AFTER', '15.00', '2025-03-14T10:00:00+08:00'),
  );
  const cause = { ce_type: 'contribution.missed', id: 'A1:2025-02' };
  const reasons = [{ code: 'PAYER_IN_ARREARS', since: '2025-03-01', cause, known_at: expect.stringMatching(/Z$/) }];
  const ofP2s = { binding_id: 'B3', beneficiary: 'P2', relation: 'CHILD', refunded: '0.00', reasons };
  expect(await list()).toEqual([
    {
      payer: 'A1',
      count: 3,
      amount: '140.00',
      refunded: '25.00',
      net: '115.00',
      draws: [
        // 100.00 were 60.00 of A1 and 40.00 of A2; of the 65.00 that came back, A2 had 40.00 first.
        {
          claim_id: 'FIRST',
          premium_id: null,
          setl_id: expect.any(String),
          on: '2025-03-01',
          binding_id: 'B1',
          beneficiary: 'P1',
          relation: 'SPOUSE',
          amount: '60.00',
          refunded: '25.00',
          net: '35.00',
          reasons,
        },
        {
          ...ofP2s,
          claim_id: 'SECOND',
          premium_id: null,
          setl_id: expect.any(String),
          on: '2025-03-10',
          amount: '30.00',
          net: '30.00',
        },
        { ...ofP2s, claim_id: null, premium_id: 'Q1', setl_id: null, on: '2025-03-13', amount: '50.00', net: '50.00' },
      ],
    },
  ]);
  expect(await list('A2')).toEqual([]);

  await after(claims(1, refund('R2', 'SECOND', 'P2', '2025-03-21T10:00:00+08:00')));
  expect(await listed()).toEqual([
    'A1 FIRST 35.00 PAYER_IN_ARREARS 2025-03-01',
    'A1 SECOND 0.00 PAYER_IN_ARREARS 2025-03-01',
    'A1 Q1 50.00 PAYER_IN_ARREARS 2025-03-01',
  ]);
  // Nothing is taken back: what a refund did not return stays paid.
  const [payer] = await site.query(`select prior_year::text from account where psn_no = 'A1'`);
  expect(payer).toEqual({ prior_year: '365.00' });
});

const MARCH = [
  ofP2('C0', '10.00', '2025-02-20T10:00:00+08:00'),
  ofP2('C1', '11.00', '2025-03-03T10:00:00+08:00'),
  ofP2('C2', '12.00', '2025-03-08T10:00:00+08:00'),
];

test('the command prints the same list, a payer a line', async () => {
  await after(...MARCH, missed('2025-03-20T09:00:00+08:00'));
  const main = fileURLToPath(new URL('../main.ts', import.meta.resolve('@repo/cli/system')));
  const env = { ...process.env, GONGJI_DATABASE_URL: site.url };
  const gongji = async (...args: string[]) =>
    (await promisify(execFile)(process.execPath, [main, 'backdated', ...args], { env })).stdout;
  expect(
    (await gongji('--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(await list());
  expect(await gongji('--payer', 'A1')).toMatch(/^A1 {2}2 drawn, 23\.00 yuan, 0\.00 given back, 23\.00 stand\n/);
  expect(await gongji('--payer', 'A2')).toMatch(/^Nothing was drawn/);
});

test('a recovery ends what is listed, and a later spell does not bring it back or take more off', async () => {
  await after(...MARCH, missed('2025-03-20T09:00:00+08:00'));
  expect(await listed()).toHaveLength(2);
  await after(recovered('2025-03-08T08:00:00+08:00'));
  expect(await listed()).toEqual(['A1 C1 11.00 PAYER_IN_ARREARS 2025-03-01']);
  // Another spell, known in time, is another matter.
  await after(
    members(
      fact('contribution.missed', {
        psn_no: 'A1',
        period: '2025-05',
        due_date: '2025-05-31',
        at: '2025-06-01T01:00:00+08:00',
      }),
    ),
    members(fact('contribution.recovered', { psn_no: 'A1', period: '2025-05', at: '2025-06-03T01:00:00+08:00' })),
  );
  expect(await listed()).toEqual(['A1 C1 11.00 PAYER_IN_ARREARS 2025-03-01']);
});

test('a month that was paid in time after all leaves nothing', async () => {
  await after(...MARCH, missed('2025-03-20T09:00:00+08:00'), recovered('2025-02-27T09:00:00+08:00'));
  expect(await listed()).toEqual([]);
});

test('an arrears check that runs late lists what was paid since the month was due', async () => {
  await after(...MARCH, members(eventRecord('arrears.check', { check_id: 'late', on: '2025-03-15' })));
  expect(await listed()).toEqual([
    'A1 C1 11.00 PAYER_IN_ARREARS 2025-03-01',
    'A1 C2 12.00 PAYER_IN_ARREARS 2025-03-01',
  ]);
});

test('an earlier month that becomes known later adds the days before', async () => {
  const january = { psn_no: 'A1', period: '2025-01', due_date: '2025-01-31', at: '2025-03-25T09:00:00+08:00' };
  await after(...MARCH, missed('2025-03-20T09:00:00+08:00'), members(fact('contribution.missed', january)));
  expect(await listed()).toEqual([
    'A1 C0 10.00 PAYER_IN_ARREARS 2025-02-01',
    'A1 C1 11.00 PAYER_IN_ARREARS 2025-03-01',
    'A1 C2 12.00 PAYER_IN_ARREARS 2025-03-01',
  ]);
});

const SAME_DAY = [
  ofP1('MORNING', '30.00', '2025-03-05T09:00:00+08:00'),
  ofP1('EVENING', '25.00', '2025-03-05T18:00:00+08:00'),
  ofP2('OTHER', '12.00', '2025-03-05T18:00:00+08:00'),
];
const NOON = '2025-03-05T12:00:00+08:00';
const changed = (facts: object, at = NOON) =>
  members(fact('account.changed', { change_id: `H-${JSON.stringify(facts)}`, psn_no: 'A1', at, ...facts }));

test.each([
  [
    'a revocation',
    members(fact('binding.revoked', { ...ofB1, at: NOON })),
    ['A1 EVENING 25.00 BINDING_REVOKED 2025-03-05'],
  ],
  [
    "the payer's own pause",
    members(fact('binding.paused', { ...ofB1, at: NOON })),
    ['A1 EVENING 25.00 PAUSED_BY_USER 2025-03-05'],
  ],
  [
    'an account that was closed',
    changed({ status: 'CLOSED' }),
    ['A1 EVENING 25.00 PAYER_ACCOUNT_CLOSED 2025-03-05', 'A1 OTHER 12.00 PAYER_ACCOUNT_CLOSED 2025-03-05'],
  ],
  [
    // As arrears, it counts by date.
    'insurance that ended',
    changed({ insured: false }),
    ['MORNING 20.00', 'EVENING 25.00', 'OTHER 12.00'].map((draw) => `A1 ${draw} PAYER_IN_ARREARS 2025-03-05`),
  ],
  [
    'the last day of a binding',
    members(
      fact('binding.changed', {
        ...ofB1,
        change_id: 'H1',
        effective_to: '2025-03-04',
        at: '2025-03-06T09:00:00+08:00',
      }),
    ),
    ['A1 MORNING 20.00 BINDING_EXPIRED 2025-03-05', 'A1 EVENING 25.00 BINDING_EXPIRED 2025-03-05'],
  ],
  [
    'a setting other than these',
    members(fact('binding.changed', { ...ofB1, change_id: 'H1', daily_limit: '1.00', at: NOON })),
    [],
  ],
])('%s that becomes known later lists what came after it', async (_fact, move, expected) => {
  await after(...SAME_DAY, move);
  expect(await listed()).toEqual(expected);
});

test('each fact against a draw is listed, and stays as long as it holds', async () => {
  await after(...SAME_DAY, missed('2025-03-20T09:00:00+08:00'), changed({ status: 'FROZEN' }));
  const evening = 'A1 EVENING 25.00 PAYER_IN_ARREARS 2025-03-01 PAYER_ACCOUNT_FROZEN 2025-03-05';
  expect((await listed())[1]).toBe(evening);
  // Thawed later, and recovered later still: both held on that evening.
  await after(changed({ status: 'ACTIVE' }, '2025-04-01T09:00:00+08:00'), recovered('2025-04-02T09:00:00+08:00'));
  expect((await listed())[1]).toBe(evening);
  expect((await list())[0]).toMatchObject({ count: 3, amount: '57.00' });
});

test('facts of one batch are taken in their order', async () => {
  const [late, undone] = [missed('2025-03-20T09:00:00+08:00'), recovered('2025-03-08T08:00:00+08:00')];
  if (late.records === 'IDLE' || undone.records === 'IDLE') throw new Error('both are records');
  await after(...MARCH, members(...late.records, ...undone.records));
  expect(await listed()).toEqual(['A1 C1 11.00 PAYER_IN_ARREARS 2025-03-01']);
});

test.each([
  ['in one batch', (records: Parameters<typeof members>) => [members(...records)]],
  ['one by one', (records: Parameters<typeof members>) => records.map((record) => members(record))],
])('a reason taken back and come again has its new first day and cause, %s', async (_, moves) => {
  const ofA1 = (type: string, period: string, at: string, more = {}) =>
    fact(type, { psn_no: 'A1', period, at, ...more });
  await after(
    ...MARCH,
    members(ofA1('contribution.missed', '2025-01', '2025-03-15T09:00:00+08:00', { due_date: '2025-01-31' })),
    ...moves([
      ofA1('contribution.recovered', '2025-01', '2025-03-05T09:00:00+08:00'),
      ofA1('contribution.missed', '2025-02', '2025-03-20T09:00:00+08:00', { due_date: '2025-02-28' }),
    ]),
  );
  expect(await listed()).toContain('A1 C2 12.00 PAYER_IN_ARREARS 2025-03-01');
});

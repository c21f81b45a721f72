import { eventRecord } from '../../src/system/story.ts';
import type { RawRecord } from '../../src/system/topics.ts';
import { AT, account, binding, claim, claims, fact, members, refund } from '../../src/workers/events.ts';
import type { Move } from '../../src/workers/site.ts';

type Wire = Readonly<Record<string, unknown>>;

/** Two moves at the same moment. */
export interface Race {
  readonly it: string;
  /** What happened before, one move after the other. */
  readonly given?: readonly Move[];
  readonly one: Move;
  readonly other: Move;
  /** Accounts before whose lock either is held as well: the first and the last that a claim of P1 locks, where absent. */
  readonly accounts?: readonly string[];
  /** The two orders end in the same state: all that could differ is a mixture. */
  readonly commute?: true;
  /** The two lock no row in common: the second goes ahead while the first is held. */
  readonly apart?: true;
  /** The second's facts name a payer the claim did not lock: what the claim says of it when it begins again. */
  readonly raced?: true;
}

/**
 * A city where payers share what they authorised of their prior-year money, so that every draw changes the payer's account, the day's
 * use and the binding. A1 shares with both patients, whose claims are of two shards.
 */
export const FAMILY: readonly RawRecord[] = [
  account('P1', '10.00'),
  account('P2', '0.00', { insutype: '390', prior_year: undefined }),
  account('A1', '100.00'),
  account('A2', '200.00'),
  account('A3', '300.00'),
  account('A4', '0.00'),
  binding('B1', 'A1', 'P1', { priority: 1, daily_limit: '60.00', authorised_amount: '500.00' }),
  binding('B2', 'A2', 'P1', { priority: 2, relation: 'PARENT', authorised_amount: '150.00' }),
  binding('B3', 'A1', 'P2', { relation: 'CHILD', authorised_amount: '95.00' }),
  binding('B4', 'A4', 'P1', {
    priority: 0,
    relation: 'CHILD',
    authorised_amount: '500.00',
    pause_reasons: ['ZERO_BALANCE'],
  }),
];

const CLAIM = claims(0, claim('C1', 'P1', '90.00'));
const ofB1 = { binding_id: 'B1', payer: 'A1' };
const ofB3 = { binding_id: 'B3', payer: 'A1' };
const changed = (psn_no: string, facts: Wire) =>
  members(fact('account.changed', { change_id: 'H1', psn_no, ...facts }));
const settings = (facts: Wire) => members(fact('binding.changed', { change_id: 'H1', ...ofB1, ...facts }));
const missed = { psn_no: 'A1', period: '2025-02', due_date: '2025-02-28' };
/** P2's claim has drawn 90.00 from A1; its refund is of the other claims shard than P1's. */
const DRAWN = [claims(1, claim('C0', 'P2', '90.00'))];
const REFUND = claims(1, refund('R0', 'C0', 'P2'));
const PREMIUM = claims(
  1,
  eventRecord('premium.submitted', {
    premium_id: 'Q1',
    payer: 'A1',
    beneficiary: 'P2',
    year: 2027,
    amount: '50.00',
    at: AT,
  }),
);
const OF_P2 = ['A1', 'P2'];

export const RACES: readonly Race[] = [
  { it: 'a claim and a pause by the payer', one: CLAIM, other: members(fact('binding.paused', ofB1)) },
  { it: 'a claim and a missed month', one: CLAIM, other: members(fact('contribution.missed', missed)) },
  {
    it: 'a claim and the arrears check',
    given: [
      members(
        ...['A2', 'A4', 'P1'].map((psn_no) =>
          fact('contribution.received', { contribution_id: `K-${psn_no}`, psn_no, period: '2025-02' }),
        ),
        eventRecord('arrears.check', { check_id: 'night', on: '2025-03-01' }),
      ),
    ],
    one: CLAIM,
    other: { shard: 'members/0', records: 'IDLE' },
  },
  {
    it: 'a claim and the month that was missed being paid',
    given: [members(fact('contribution.missed', { ...missed, at: '2025-03-02T09:00:00+08:00' }))],
    one: CLAIM,
    other: members(
      fact('contribution.recovered', { psn_no: 'A1', period: '2025-02', at: '2025-03-03T09:00:00+08:00' }),
    ),
  },
  { it: 'a claim and a revocation', one: CLAIM, other: members(fact('binding.revoked', ofB1)) },
  { it: 'a claim and a lower daily limit', one: CLAIM, other: settings({ daily_limit: '25.00' }) },
  { it: 'a claim and another order of the relatives', one: CLAIM, other: settings({ priority: 3 }) },
  { it: 'a claim and a lower authorised amount', one: CLAIM, other: settings({ authorised_amount: '5.00' }) },
  { it: 'a claim and the end of a binding', one: CLAIM, other: settings({ effective_to: '2025-03-09' }) },
  {
    it: 'a claim and money for a payer who has none',
    one: CLAIM,
    // Dated last year, so that it enters the portion that is shared.
    other: members(
      fact('account.credited', { credit_id: 'K1', psn_no: 'A4', amount: '30.00', at: '2024-12-30T09:00:00+08:00' }),
    ),
    accounts: ['A1', 'A4', 'P1'],
  },
  {
    it: "a claim and money for the patient's own account",
    one: CLAIM,
    other: members(fact('account.credited', { credit_id: 'K1', psn_no: 'P1', amount: '30.00' })),
  },
  { it: "a claim and the closing of a payer's account", one: CLAIM, other: changed('A1', { status: 'CLOSED' }) },
  { it: "a claim and the end of the patient's insurance", one: CLAIM, other: changed('P1', { insured: false }) },
  {
    it: 'a claim and a binding by a payer it has not locked',
    one: CLAIM,
    other: members(binding('B5', 'A3', 'P1', { priority: 1, authorised_amount: '70.00' })),
    apart: true,
    raced: true,
  },
  {
    it: 'a claim and a binding by a payer who was not there',
    one: CLAIM,
    other: members(account('A0', '40.00'), binding('B5', 'A0', 'P1', { authorised_amount: '70.00', priority: 1 })),
    apart: true,
    raced: true,
  },
  { it: 'claims of two patients with one payer', one: CLAIM, other: claims(1, claim('C2', 'P2', '90.00')) },
  { it: 'a claim and a refund that share a payer', given: DRAWN, one: CLAIM, other: REFUND },
  {
    it: 'a refund and the revocation of its binding',
    given: DRAWN,
    one: REFUND,
    other: members(fact('binding.revoked', ofB3)),
    accounts: OF_P2,
    commute: true,
  },
  {
    it: 'a refund and a higher authorised amount',
    given: DRAWN,
    one: REFUND,
    other: members(fact('binding.changed', { change_id: 'H1', ...ofB3, authorised_amount: '7.00' })),
    accounts: OF_P2,
  },
  {
    it: 'a refund and the closing of the account it goes to',
    given: DRAWN,
    one: REFUND,
    other: changed('A1', { status: 'CLOSED' }),
    accounts: OF_P2,
  },
  { it: 'a premium and a revocation', one: PREMIUM, other: members(fact('binding.revoked', ofB3)), accounts: OF_P2 },
  {
    it: 'a premium and a pause by the payer',
    one: PREMIUM,
    other: members(fact('binding.paused', ofB3)),
    accounts: OF_P2,
  },
  { it: 'a premium and a claim that share a payer', one: PREMIUM, other: CLAIM, accounts: ['A1', 'P1', 'P2'] },
];

/** One way in which a ledger may be wrong, and how many things each check must then find wrong; no other check may. */
export interface Tampering {
  readonly it: string;
  readonly sql: string;
  readonly breaks: Readonly<Record<string, number>>;
}

/** The claims shard that holds the fixture's patient. */
const SHARD = `(select shard_id from event_id where event_id = 'claim:C1')`;
const outcomeOf = (eventId: string): string =>
  `(shard_id, seq) = (select shard_id, seq from event_id where event_id = '${eventId}')`;
const rewrite = (eventId: string, from: string, to: string): string =>
  `update outcome set payload = convert_to(replace(convert_from(payload, 'UTF8'), '${from}', '${to}'), 'UTF8')
   where ${outcomeOf(eventId)};`;
const withoutConstraint = (table: string, name: string): string => `alter table ${table} drop constraint ${name};`;
/** One more entry of a person, with the account moved along, so that only its reason is missing. */
const spend = (personNo: string, reference: string): string =>
  `insert into entry select psn_no, version + 1, 'CLAIM', 'institution:H1', '${reference}', null, -1, 0, 0,
     prior_year - 1, current_year, '2027-01-06', '2027-01-06' from account where psn_no = '${personNo}';
   update account set version = version + 1, prior_year = prior_year - 1, debits = debits + 1 where psn_no = '${personNo}';`;

/** The same of money that entered. */
const enter = (personNo: string, kind: string, reference: string): string =>
  `insert into entry select psn_no, version + 1, '${kind}', 'contribution', '${reference}', null, 0, 25, 0,
     prior_year, current_year + 25, '2027-01-06', '2027-01-06' from account where psn_no = '${personNo}';
   update account set version = version + 1, current_year = current_year + 25, credits = credits + 25 where psn_no = '${personNo}';`;
const event = (id: string): string =>
  `insert into event_id (event_id, content_hash, shard_id, month) values ('${id}', '', 0, '2026-11-01');`;

export const IN_ACCOUNTS: readonly Tampering[] = [
  {
    it: 'one fen more in an account',
    sql: `${withoutConstraint('account', 'ck_account_sums')} update account set prior_year = prior_year + 0.01 where psn_no = 'P2'`,
    breaks: { 'account-balance': 1 },
  },
  {
    it: 'sums of what entered and left that are both a fen too high',
    sql: `update account set credits = credits + 0.01, debits = debits + 0.01 where psn_no = 'P2'`,
    breaks: { 'account-sums': 1 },
  },
  {
    it: 'a version that no entry has',
    sql: `update account set version = version + 1 where psn_no = 'P1'`,
    breaks: { 'account-version': 1 },
  },
  {
    it: 'a balance below zero that an entry says it left',
    sql: `update entry set prior_year_after = -1 where psn_no = 'P1' and version = 1`,
    breaks: { 'account-chain': 1, 'account-never-negative': 1 },
  },
  {
    it: 'a deleted account',
    sql: `delete from account where psn_no = 'P3'`,
    breaks: { 'account-exists': 1, 'opening-account': 1 },
  },
  {
    it: 'an account that was opened twice',
    sql: enter('P2', 'OPENING', 'P2'),
    breaks: { 'account-opened': 1 },
  },
  {
    it: 'an account that nobody opened',
    sql: `delete from event_id where event_id = 'account.opened:P1:'`,
    breaks: { 'account-opened': 1 },
  },
  {
    it: 'an account that was opened and is not there',
    sql: event('account.opened:P9:'),
    breaks: { 'opening-account': 1 },
  },
  {
    it: 'a payout that the entries do not know',
    sql: `update held_refund set paid = 20`,
    breaks: { 'account-held': 1, 'held-refund': 1 },
  },
  {
    it: 'a deleted entry',
    sql: `delete from entry where psn_no = 'P3' and reference = 'C2'`,
    breaks: {
      'account-balance': 1,
      'account-chain': 1,
      'account-sums': 1,
      'account-version': 1,
      'settlement-entries': 1,
      'usage-amount': 1,
    },
  },
];

export const IN_ENTRIES: readonly Tampering[] = [
  { it: 'an entry of a claim that never was', sql: spend('P1', 'C9'), breaks: { 'entry-outcome': 1 } },
  { it: 'a claim that was charged twice', sql: spend('P1', 'C5'), breaks: { 'settlement-entries': 1 } },
  { it: 'a charge for a claim that was refused', sql: spend('P2', 'C3'), breaks: { 'settlement-entries': 1 } },
  {
    it: 'a credit that nobody sent',
    sql: `delete from event_id where event_id = 'account.credited:K1'`,
    breaks: { 'credit-event': 1 },
  },
  { it: 'a credit that was entered twice', sql: enter('P2', 'CREDIT', 'K1'), breaks: { 'credit-once': 1 } },
  {
    it: 'a credit that was entered twice, on another account',
    sql: enter('P3', 'CREDIT', 'K1'),
    breaks: { 'credit-once': 1 },
  },
  { it: 'a credit that was lost', sql: event('account.credited:K9'), breaks: { 'credit-once': 1 } },
  {
    it: 'a credit that was lost, beside a contribution of its id',
    sql: event('account.credited:K3'),
    breaks: { 'credit-once': 1 },
  },
  {
    it: 'a contribution that was entered twice',
    sql: enter('P2', 'CREDIT', 'K2'),
    breaks: { 'credit-once': 1 },
  },
  {
    it: 'a payout that nobody reported',
    sql: `delete from event_id where event_id = 'refund.paid:R2:P3'`,
    breaks: { 'entry-event': 1 },
  },
  {
    it: 'a credit that passes for a claim',
    sql: `update entry set kind = 'CLAIM' where reference = 'K1'`,
    breaks: { 'credit-once': 1, 'entry-direction': 1, 'entry-outcome': 1 },
  },
  {
    it: 'an entry booked before its day',
    sql: `update entry set book_day = on_day - 1 where reference = 'K1'`,
    breaks: { 'entry-day': 1 },
  },
  {
    it: 'an entry of another binding',
    sql: `update entry set binding_id = 'B9' where reference = 'C1' and psn_no = 'P2'`,
    breaks: { 'entry-binding': 1, 'settlement-entries': 1, 'usage-amount': 1 },
  },
  {
    it: 'a refund from another institution',
    sql: `update entry set counterpart = 'institution:H9' where reference = 'R1'`,
    breaks: { 'refund-entries': 1 },
  },
  {
    it: 'a premium paid to someone else',
    sql: `update entry set counterpart = 'payout' where reference = 'Q1'`,
    breaks: { 'premium-entries': 1 },
  },
  {
    it: 'use of a binding counted on another day than that of the claim',
    sql: `update entry set counted_on = counted_on + 1 where reference = 'C1' and binding_id = 'B2'`,
    breaks: { 'usage-amount': 2 },
  },
  {
    it: 'use of a binding above its limit',
    sql: `update binding set daily_limit = 100 where binding_id = 'B2'`,
    breaks: { 'usage-limit': 1 },
  },
  {
    it: 'postings that do not sum to zero',
    sql: `create or replace view posting as select psn_no, version, 'person:' || psn_no as ledger_account,
            prior_year + current_year + held as amount, kind, reference, binding_id, on_day, book_day from entry`,
    breaks: { 'day-balanced': 6 },
  },
  {
    it: 'a posting in a day that had been closed',
    sql: `insert into book_day (day, entries, debits, credits) values ('2026-03-10', 3, 120, 120)`,
    breaks: { 'day-closed': 1 },
  },
  {
    it: 'a posting in a day that had been closed without any',
    sql: `update shard set closed_through = '2026-03-01'`,
    breaks: { 'day-closed': 1 },
  },
];

export const IN_OUTCOMES: readonly Tampering[] = [
  {
    it: 'a total fee that is a fen off',
    sql: rewrite('claim:C2', '"medfee_sumamt":"500.00"', '"medfee_sumamt":"500.01"'),
    breaks: { 'settlement-I1': 1 },
  },
  {
    it: 'cash that is a fen off',
    sql: rewrite('claim:C2', '"psn_cash_pay":"130.00"', '"psn_cash_pay":"130.01"'),
    breaks: { 'settlement-I2': 1 },
  },
  {
    it: 'own money that passes for a relative’s',
    sql: rewrite(
      'claim:C1',
      '"acct_pay":"40.00","acct_mulaid_pay":"110.00"',
      '"acct_pay":"41.00","acct_mulaid_pay":"109.00"',
    ),
    breaks: { 'settlement-I4': 1 },
  },
  {
    it: 'an allocation that is a yuan off',
    sql: rewrite('claim:C1', '"amount":"30.00","prior_year":"30.00"', '"amount":"31.00","prior_year":"31.00"'),
    breaks: { 'settlement-I4': 1, 'settlement-entries': 1 },
  },
  {
    it: 'a balance that is not the account’s',
    sql: rewrite('claim:C5', '"balc":"25.00"', '"balc":"24.00"'),
    breaks: { 'settlement-balance': 1 },
  },
  {
    it: 'a negative amount',
    sql: rewrite('claim:C3', '"balc":"0.00"', '"balc":"-1.00"'),
    breaks: { 'settlement-amounts': 1 },
  },
  {
    it: 'a settlement with a reason to refuse it',
    sql: rewrite('claim:C1', '"code":null', '"code":"PURPOSE_EXCLUDED"'),
    breaks: { 'settlement-status': 1 },
  },
  {
    it: 'a deleted outcome',
    sql: `delete from outcome where ${outcomeOf('claim:C3')}`,
    breaks: { 'outcome-present': 1, 'shard-destination': 1, 'shard-sequence': 1 },
  },
  {
    it: 'an outcome that cannot be read',
    sql: `update outcome set payload = '\\xff00' where ${outcomeOf('claim:C3')}`,
    breaks: { 'outcome-present': 1 },
  },
  {
    it: 'an outcome on another person',
    sql: `update outcome set key = 'P2' where ${outcomeOf('claim:C3')}`,
    breaks: { 'outcome-present': 1 },
  },
  {
    it: 'a settlement whose event was forgotten',
    sql: `delete from event_id where event_id = 'claim:C1'`,
    breaks: { 'entry-outcome': 3, 'outcome-event': 1, 'refund-entries': 1, 'refund-within': 1 },
  },
  {
    it: 'a refund that has no answer and does not wait for its claim',
    sql: `delete from parked_refund where refund_id = 'R3'`,
    breaks: { 'outcome-present': 1 },
  },
  {
    it: 'a refund that waits in a shard that did not take it',
    sql: `update parked_refund set partition = 1 - partition where refund_id = 'R3'`,
    breaks: { 'outcome-present': 1 },
  },
  {
    it: 'a refund that waits and was paid',
    sql: `insert into entry select psn_no, version + 1, 'REFUND', 'institution:H1', 'R3', null, 1, 0, 0,
            prior_year + 1, current_year, '2027-01-06', '2027-01-06' from account where psn_no = 'P1';
          update account set version = version + 1, prior_year = prior_year + 1, credits = credits + 1 where psn_no = 'P1';`,
    breaks: { 'refund-entries': 1 },
  },
  {
    it: 'a refund that is not listed under its claim',
    sql: `delete from claim_refund where claim_id = 'C2'`,
    breaks: { 'refund-listed': 1, 'usage-amount': 1 },
  },
  {
    it: 'a listed refund that never was',
    sql: `insert into claim_refund values ('C5', 99, 1)`,
    breaks: { 'refund-known': 1 },
  },
  {
    it: 'a refund of more than was paid',
    sql: [
      rewrite('refund:R1', '"amount":"130.00"', '"amount":"140.00"'),
      rewrite('refund:R1', '"amount":"150.00"', '"amount":"160.00"'),
      rewrite('refund:R1', '-130.00', '-140.00'),
    ].join('\n'),
    breaks: { 'refund-within': 1 },
  },
  {
    it: 'a refund that says it returned more than it did',
    sql: rewrite('refund:R1', '"amount":"150.00"', '"amount":"151.00"'),
    breaks: { 'refund-amounts': 1 },
  },
  {
    it: 'a gap in a sequence',
    sql: `update outcome set seq = 100 where shard_id = ${SHARD} and seq = 9; update event_id set seq = 100 where event_id = 'claim:C5'`,
    breaks: { 'shard-sequence': 1 },
  },
  {
    it: 'a gap in the sequence of an output partition',
    sql: `update outcome set dest_seq = 100 where shard_id = ${SHARD} and seq = 9`,
    breaks: { 'shard-destination': 1 },
  },
  {
    it: 'more published than written',
    sql: `${withoutConstraint('shard', 'ck_shard_published')} update shard set published_seq = 10 where shard_id = ${SHARD}`,
    breaks: { 'shard-published': 1 },
  },
  {
    it: 'a shard that has forgotten that it holds a message',
    sql: `insert into quarantined_message (partition, topic, log_offset, key, headers, record_ms)
          select partition, topic, 0, 'P1', '[]', 0 from shard where shard_id = ${SHARD}`,
    breaks: { 'shard-held': 1 },
  },
  {
    it: 'a held message that its shard has not come to yet',
    sql: `insert into quarantined_message (partition, topic, log_offset, key, headers, record_ms)
          select partition, topic, next_offset, 'P1', '[]', 0 from shard where shard_id = ${SHARD};
          update shard set quarantined = true where shard_id = ${SHARD}`,
    breaks: { 'shard-held': 1 },
  },
  {
    it: 'a forgotten shard, where nobody waits any more',
    sql: `delete from shard where shard_id = ${SHARD}`,
    breaks: { 'outcome-present': 1, 'shard-known': 1 },
  },
];

/** Sharing events need no event id of their own: one more of them, not published yet, is as it may be. */
export const UNPUBLISHED = `
  insert into outcome select shard_id, out_seq + 1, '2026-11-01', 'R', result_seq + 1, 'P2',
    '{"type":"sharing.resumed","id":"x","time":"2026-03-12T10:00:00+08:00"}', '{}' from shard where topic like '%members%' and partition = 0;
  update shard set out_seq = out_seq + 1, result_seq = result_seq + 1 where topic like '%members%' and partition = 0;`;

const BLOCK = `shard_id = ${SHARD} and lead = 0 and seq = (select min(seq) from outcome where shard_id = ${SHARD} and lead = 0)`;

/** Whatever stands in a block is lost with it. */
export const IN_BLOCKS: readonly Tampering[] = [
  {
    it: 'a block of which a byte was changed',
    sql: `update outcome set payload = set_byte(payload, 40, 255 - get_byte(payload, 40)) where ${BLOCK}`,
    breaks: { 'outcome-present': 1, 'record-content': 1, 'refund-entries': 1, 'refund-within': 1 },
  },
  {
    it: 'an outcome that points to another block than its own',
    // Which of its block it is depends on how the messages came; the first may not point elsewhere.
    sql: `${withoutConstraint('outcome', 'ck_outcome_block')} update outcome set lead = lead + 1000 where ${outcomeOf('claim:C3')}`,
    breaks: { 'outcome-present': 1, 'record-content': 1 },
  },
];

export const IN_KAFKA: readonly Tampering[] = [
  {
    it: 'a row that differs from its record',
    sql: `update outcome set payload = payload || ' ' where ${outcomeOf('claim:C3')}`,
    breaks: { 'record-content': 1 },
  },
  {
    it: 'a row whose record has another id',
    sql: `update outcome set stamp = replace(stamp, 'claim:C3', 'claim:C4') where ${outcomeOf('claim:C3')}`,
    breaks: { 'record-content': 1 },
  },
  {
    it: 'a dead letter that is not the original',
    sql: `update outcome set stamp = replace(stamp, 'CLAIM_AMOUNT_INVALID', 'EVENT_MALFORMED') where dest = 'D' and shard_id = ${SHARD}`,
    breaks: { 'record-content': 1 },
  },
  {
    it: 'a dead letter whose seal was broken',
    sql: `update outcome set payload = set_byte(payload, 300, 65 + (get_byte(payload, 300) = 65)::int) where dest = 'D' and shard_id = ${SHARD}`,
    breaks: { 'record-content': 1 },
  },
  {
    it: 'a database that was set back to before its last outcome',
    sql: `delete from outcome where shard_id = ${SHARD} and seq = 9;
          update shard set out_seq = 8, result_seq = 7, published_seq = 8 where shard_id = ${SHARD}`,
    breaks: { 'outcome-present': 1, 'record-known': 1 },
  },
  {
    it: 'an outcome that was published as the database says, and is not there',
    sql: `${UNPUBLISHED} update shard set published_seq = out_seq where topic like '%members%' and partition = 0`,
    breaks: { 'record-present': 1 },
  },
];

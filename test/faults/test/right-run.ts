import { digestOf, type Evidence, type TopicName } from '../src/evidence.ts';
import type { LogRecord } from '../src/reader.ts';
import type { Sent } from '../src/script.ts';

const sent = (topic: Sent['topic'], type: string, key: string, value: object, meaning: Sent['meaning']): Sent => ({
  topic,
  type,
  key,
  value: JSON.stringify(value),
  meaning,
});

const opening = (account: string, fen: bigint) =>
  sent(
    'members',
    'account.opened',
    account,
    { psn_no: account },
    { kind: 'opening', id: account, account, priorYear: 0n, currentYear: fen, floor: 0n, priorYearOnly: false },
  );

const CLAIM = sent('claims', 'claim.submitted', 'P1', { claim_id: 'C1' }, { kind: 'claim', id: 'C1', share: 1_000n });
const REFUND = sent('claims', 'claim.refunded', 'P1', { refund_id: 'R1' }, { kind: 'refund', id: 'R1', claimId: 'C1' });
const BAD = sent(
  'claims',
  'claim.submitted',
  'P1',
  { claim_id: 'C2' },
  { kind: 'bad', code: 'CLAIM_MALFORMED', rejects: 'C2' },
);
const AT = '2025-03-10T00:00:00.000Z';
const SWITCH = sent(
  'members',
  'binding.paused',
  'P2',
  { at: AT },
  { kind: 'switch', id: 'W1', bindingId: 'B1', paused: true },
);
const BINDING = sent(
  'members',
  'binding.opened',
  'P2',
  { binding_id: 'B1' },
  { kind: 'binding', id: 'B1', payer: 'P2', dailyLimit: 500n, authorised: 900n },
);
const MEMBERS = [opening('P1', 400n), opening('P2', 500n), BINDING, SWITCH];

type Outcome = readonly [type: string, key: string, value: Record<string, unknown>];

const OUTCOMES: readonly Outcome[] = [
  [
    'settlement.settled',
    'P1',
    {
      ...{ claim_id: 'C1', status: 'SETTLED', setl_time: AT, psn_part_amt: '10.00' },
      ...{ acct_pay: '4.00', acct_mulaid_pay: '5.00', psn_cash_pay: '1.00' },
      allocation: [
        { source: 'OWN', account: 'P1', amount: '4.00', prior_year: '0.00', current_year: '4.00' },
        {
          source: 'RELATIVE',
          account: 'P2',
          binding_id: 'B1',
          amount: '5.00',
          prior_year: '0.00',
          current_year: '5.00',
        },
      ],
    },
  ],
  [
    'refund.settled',
    'P1',
    {
      ...{ refund_id: 'R1', claim_id: 'C1', status: 'REFUNDED', amount: '2.00' },
      ...{ acct_pay: '0.00', acct_mulaid_pay: '-1.00', psn_cash_pay: '-1.00' },
      returned: [
        { source: 'CASH', amount: '1.00' },
        { source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '1.00' },
      ],
    },
  ],
  ['settlement.rejected', 'P1', { claim_id: 'C2', status: 'REJECTED', code: 'CLAIM_MALFORMED' }],
];

const SHARING: readonly Outcome[] = [
  ['sharing.paused', 'P2', { binding_id: 'B1', reason: 'USER', cause: { ce_type: 'binding.paused', id: 'B1:0' } }],
  [
    'sharing.paused',
    'P2',
    { binding_id: 'B1', reason: 'ZERO_BALANCE', cause: { ce_type: 'claim.submitted', id: 'C1' } },
  ],
  [
    'sharing.resumed',
    'P2',
    { binding_id: 'B1', reason: 'ZERO_BALANCE', cause: { ce_type: 'claim.refunded', id: 'R1' } },
  ],
];

const input = ({ topic, type, key, value }: Sent, offset: number): LogRecord<TopicName> => ({
  ...{ topic, partition: 0, offset, key, value },
  headers: { ce_type: type },
});

const output = (topic: TopicName, [type, key, value]: Outcome, index: number): LogRecord<TopicName> => ({
  ...{ topic, partition: 0, offset: index, key, value: JSON.stringify(value) },
  headers: { ce_type: type, ce_id: `${topic}:${index}`, ce_time: AT, ce_sequence: String(index + 1) },
});

const DEAD: LogRecord<TopicName> = {
  ...{ topic: 'dead-letters', partition: 0, offset: 0, key: BAD.key, value: BAD.value },
  headers: {
    'gongji-code': 'CLAIM_MALFORMED',
    'gongji-topic': 'gongji.claims.v1',
    'gongji-partition': '0',
    'gongji-offset': '3',
    'gongji-sequence': '1',
  },
};

const entry = (account: string, version: number, kind: string, reference: string, current: string, after: string) => ({
  ...{ account, version, kind, reference, priorYear: '0.00', currentYear: current, held: '0.00' },
  ...{ priorYearAfter: '0.00', currentYearAfter: after },
});

const account = (name: string, version: number, current: string, credits: string, debits: string) => ({
  ...{ account: name, version, priorYear: '0.00', currentYear: current, held: '0.00', credits, debits },
});

const row = (topic: 'claims' | 'members', seq: number, record: LogRecord, isDead = false) => ({
  ...{ topic, partition: 0, seq, isDead, destSeq: isDead ? 1 : Number(record.headers.ce_sequence) },
  ...{ key: record.key, digest: record.value === null ? null : digestOf(record.value) },
});

/** A claim on two accounts, sent twice; a refund that brings money back; a bad message; a payer's switch. All as it should be. */
export function rightRun() {
  const claims = [CLAIM, CLAIM, REFUND, BAD].map(input);
  const members = MEMBERS.map(input);
  const settlements = OUTCOMES.map((outcome, index) => output('settlements', outcome, index));
  const sharing = SHARING.map((outcome, index) => output('sharing', outcome, index));
  const end = (topic: TopicName, high: number) => ({ topic, partition: 0, stable: high, high });
  return {
    sent: [...MEMBERS, CLAIM, REFUND, BAD],
    partitions: 1,
    records: [...claims, ...members, ...settlements, ...sharing, DEAD],
    ends: [end('claims', 4), end('members', 4), end('settlements', 5), end('sharing', 5), end('dead-letters', 2)],
    setAside: new Set(),
    ledger: {
      shards: [
        { topic: 'claims', partition: 0, nextOffset: 4, outSeq: 4, publishedSeq: 4 },
        { topic: 'members', partition: 0, nextOffset: 4, outSeq: 3, publishedSeq: 3 },
      ],
      outcomes: [
        ...settlements.map((record, index) => row('claims', index + 1, record)),
        row('claims', 4, DEAD, true),
        ...sharing.map((record, index) => row('members', index + 1, record)),
      ],
      accounts: [account('P1', 2, '0.00', '4.00', '4.00'), account('P2', 3, '1.00', '6.00', '5.00')],
      entries: [
        entry('P1', 1, 'OPENING', 'P1', '4.00', '4.00'),
        entry('P1', 2, 'CLAIM', 'C1', '-4.00', '0.00'),
        entry('P2', 1, 'OPENING', 'P2', '5.00', '5.00'),
        entry('P2', 2, 'CLAIM', 'C1', '-5.00', '0.00'),
        entry('P2', 3, 'REFUND', 'R1', '1.00', '1.00'),
      ],
      bindings: [{ bindingId: 'B1', payer: 'P2', pausedForZeroBalance: false }],
      openWork: 0,
    },
  } satisfies Evidence;
}

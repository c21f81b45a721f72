import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOf } from '@repo/contracts';
import { migrate } from '@repo/ledger';
import { Sender } from '@repo/messaging';
import { Envelopes } from '@repo/sealing';
import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { Client } from 'pg';
import { readSettings } from '../../src/config.ts';
import type { MemberRow } from '../../src/demo/city.ts';
import { loadMemberRows } from '../../src/load.ts';
import { startSystem } from '../../src/system/system.ts';

const AREA = '610102';

/** Where only what earlier years have left is shared, up to an authorised amount. */
const PRIOR_YEAR_AREA = '330106';

const employee = (psn_no: string, prior_year: string, current_year: string, insu_admdvs = AREA): MemberRow => ({
  type: 'account.opened',
  value: {
    psn_no,
    psn_name: '某人',
    insutype: '310',
    psn_type: '11',
    employment: 'ACTIVE',
    insu_admdvs,
    insured: true,
    prior_year,
    current_year,
    as_of: '2026-03-01T00:00:00+08:00',
  },
});

const bound_at = '2026-01-05T09:00:00+08:00';

/** A patient with 40 yuan of their own, a spouse who gives at most 80 a day, and a parent; and somebody else's payer, who has nothing to share before New Year. */
export const MEMBERS: readonly MemberRow[] = [
  employee('P1', '0.00', '40.00'),
  employee('P2', '500.00', '100.00'),
  employee('P3', '300.00', '0.00'),
  {
    type: 'binding.opened',
    value: { binding_id: 'B1', payer: 'P2', beneficiary: 'P1', relation: 'SPOUSE', daily_limit: '80.00', bound_at },
  },
  { type: 'binding.opened', value: { binding_id: 'B2', payer: 'P3', beneficiary: 'P1', relation: 'CHILD', bound_at } },
  employee('P4', '0.00', '30.00', PRIOR_YEAR_AREA),
  {
    type: 'binding.opened',
    value: {
      ...{ binding_id: 'B4', payer: 'P4', beneficiary: 'P5', relation: 'CHILD', bound_at, authorised_amount: '20.00' },
      ...{ state: 'PAUSED', pause_reasons: ['ZERO_BALANCE'] },
    },
  },
];

export const claim = (claim_id: string, share: string, more: object = {}) => ({
  type: 'claim.submitted',
  value: {
    claim_id,
    mdtrt_id: `M-${claim_id}`,
    psn_no: 'P1',
    fixmedins_code: 'H61010200001',
    designated: true,
    fix_blng_admdvs: AREA,
    med_type: '11',
    setl_time: '2026-03-10T10:00:00+08:00',
    medfee_sumamt: (Number(share) + 100).toFixed(2),
    fund_pay_sumamt: '100.00',
    psn_part_amt: share,
    ...more,
  },
});
const refund = (refund_id: string, claim_id: string, amount?: string) => ({
  type: 'claim.refunded',
  value: { refund_id, claim_id, psn_no: 'P1', at: '2026-03-11T10:00:00+08:00', amount },
});

/** What a dead letter keeps of its original, and what it says anew. */
const OF_A_DEAD_LETTER = { 'gongji-tenant': 'north', 'gongji-code': 'EVENT_MALFORMED' };

/** A ledger that holds one of everything, and where its outcomes were published. */
export interface FilledLedger {
  readonly topicPrefix: string;
  readonly brokers: readonly string[];
  /** Open the dead letters among them. */
  readonly envelopes: Envelopes;
}

/** Fills an empty database through the whole system, which has stopped when this resolves. */
export async function fillLedger(databaseUrl: string): Promise<FilledLedger> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-audit-test-'));
  const topicPrefix = freshTopicPrefix();
  const brokers = testBrokers().split(',');
  const servers = { kafkaBrokers: brokers, databaseUrl, dataDir, topicPrefix };
  const settings = { ...readSettings(), ...servers, httpPort: 0, partitions: 2, logLevel: 'error' };
  await migrate(databaseUrl);
  await loadMemberRows({ databaseUrl, rows: MEMBERS, partitions: 2 });
  const environment = () => ({ GONGJI_REFUND_WAIT_MS: '3600000' });
  const system = await startSystem({ settings, log: () => undefined, instances: { 'query-api': 0 }, environment });
  const envelopes = Envelopes.read(system.envelopeKeyFile);
  try {
    await using sender = await Sender.open({ brokers, clientId: 'audit-test' });
    await feed(sender, databaseUrl, topicPrefix);
  } finally {
    await system.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  return { topicPrefix, brokers, envelopes };
}

async function feed(sender: Sender, databaseUrl: string, topicPrefix: string): Promise<void> {
  const { claims, members } = topicsOf(topicPrefix);
  const send = (
    topic: string,
    key: string,
    { type, value }: { type: string; value: object },
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const all = Object.entries({ ce_type: type, ...headers });
    const inBytes = all.map(([name, text]): [string, Buffer] => [name, Buffer.from(text)]);
    return sender.sendAll(topic, [{ key, value: JSON.stringify(value), headers: inBytes }]);
  };
  const client = new Client(databaseUrl);
  await client.connect();
  const holds = (what: string, sql: string) =>
    until(async () => (await client.query(`select ${sql} as holds`)).rows[0]?.holds === true, {
      what,
      deadlineMs: 30_000,
    });
  const known = (id: string) => holds(id, `exists (select from event_id where event_id = '${id}')`);
  try {
    const credited = { credit_id: 'K1', psn_no: 'P2', amount: '25.00', at: '2026-03-05T09:00:00+08:00' };
    await send(members, 'P2', { type: 'account.credited', value: credited });
    // Two credits by one id, one of which is a contribution, and a contribution that brings no money.
    const again = { ...credited, credit_id: 'K2' };
    const paid = { contribution_id: 'K2', psn_no: 'P2', period: '2026-02', at: credited.at, amount: '5.00' };
    await send(members, 'P2', { type: 'account.credited', value: again });
    await send(members, 'P2', { type: 'account.credited', value: again });
    await send(members, 'P2', { type: 'contribution.received', value: paid });
    const unpaid = { ...paid, contribution_id: 'K3', period: '2026-03', amount: '0.00' };
    await send(members, 'P2', { type: 'contribution.received', value: unpaid });
    await known('contribution.received:K3');
    const settled = claim('C1', '150.00');
    await send(claims, 'P1', settled);
    await send(claims, 'P1', settled);
    await send(claims, 'P1', claim('C2', '400.00'));
    await send(claims, 'P1', claim('C3', '10.00', { designated: false }));
    // A dead letter, whose sender uses a header of our prefix, and one that an earlier trip left.
    await send(claims, 'P1', claim('C4', '1.00', { psn_part_amt: '1.005' }), OF_A_DEAD_LETTER);
    await send(claims, 'P1', refund('R1', 'C2', '150.00'));
    const at = '2026-03-12T10:00:00+08:00';
    const premium = { premium_id: 'Q1', payer: 'P2', beneficiary: 'P1', year: 2026, amount: '50.00', at };
    await send(claims, 'P1', { type: 'premium.submitted', value: premium });
    await known('claim:Q1');
    await send(members, 'P3', {
      type: 'account.changed',
      value: { change_id: 'A1', psn_no: 'P3', at, status: 'CLOSED' },
    });
    await known('account.changed:A1');
    await send(claims, 'P1', refund('R2', 'C1'));
    await known('refund:R2');
    const payout = { refund_id: 'R2', psn_no: 'P3', at };
    // Part of what is held cannot be paid out: a dead letter of the members topic.
    await send(members, 'P3', { type: 'refund.paid', value: { ...payout, amount: '10.00' } });
    await send(members, 'P3', { type: 'refund.paid', value: { ...payout, amount: '30.00' } });
    await send(members, 'P2', { type: 'binding.paused', value: { binding_id: 'B1', payer: 'P2', at } });
    // Finds New Year, which posts nothing but what it moves from one year to the other.
    await send(members, 'P4', {
      type: 'binding.paused',
      value: { binding_id: 'B4', payer: 'P4', at: '2027-01-06T10:00:00+08:00' },
    });
    await send(claims, 'P1', claim('C5', '15.00', { setl_time: '2027-01-05T10:00:00+08:00' }));
    await known('claim:C5');
    // Its claim does not come, so it waits.
    await send(claims, 'P1', refund('R3', 'C9'));
    await known('refund:R3');
    await known('refund.paid:R2:P3');
    await holds('everything published', `(select sum(published_seq) = sum(out_seq) and sum(out_seq) = 15 from shard)`);
  } finally {
    await client.end();
  }
}

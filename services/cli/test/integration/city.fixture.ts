import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOf } from '@repo/contracts';
import { migrate, schemaKey } from '@repo/ledger';
import { Sender } from '@repo/messaging';
import { cloneDatabase, freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { Client } from 'pg';
import { readSettings, type Settings } from '../../src/config.ts';
import { City } from '../../src/demo/city.ts';
import { claims } from '../../src/demo/day.ts';
import { loadMemberRows } from '../../src/load.ts';
import { startSystem } from '../../src/system/system.ts';

const PARTITIONS = 2;
const CLAIMS = 240;
const DAYS = 8;

/** A running system that has settled eight days of a small city, in which everything has happened at least once. */
export interface RunningCity extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly settings: Settings;
  readonly http: string;
  readonly city: City;
}

interface Message {
  readonly type: string;
  readonly key: string;
  readonly value: string;
}

const said = (type: string, keyField: string, value: Readonly<Record<string, unknown>>): Message => ({
  type,
  key: String(value[keyField]),
  value: JSON.stringify(value),
});

/** The n-th day after the city was loaded, at ten in the morning. */
const onDay = (day: number): string => `2026-03-${String(10 + day).padStart(2, '0')}T10:00:00+08:00`;

/** Starts the system, fills it through bulk load and topics, and waits until it has settled everything. */
export async function startCity(): Promise<RunningCity> {
  await using stack = new AsyncDisposableStack();
  const database = await cloneDatabase({ key: await schemaKey(), migrate });
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-tools-test-'));
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const brokers = testBrokers().split(',');
  const settings = {
    ...readSettings(),
    kafkaBrokers: brokers,
    databaseUrl: database.url,
    dataDir,
    topicPrefix: freshTopicPrefix(),
    httpPort: 0,
    partitions: PARTITIONS,
    // As talkative as it gets: nothing personal may be in the least of its lines.
    logLevel: 'debug',
  };
  const city = new City({ seed: 5, people: 160 });
  await loadMemberRows({ databaseUrl: database.url, rows: city.members(), partitions: PARTITIONS });
  const system = await startSystem({ settings, log: () => undefined });
  stack.defer(() => system.stop());
  await feed(settings, city);
  const kept = stack.move();
  return {
    databaseUrl: database.url,
    settings,
    http: system.http,
    city,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function feed(settings: Settings, city: City): Promise<void> {
  const { databaseUrl, topicPrefix, kafkaBrokers = [] } = settings;
  const topics = topicsOf(topicPrefix);
  await using sender = await Sender.open({ brokers: kafkaBrokers, clientId: 'tools-test' });
  await using stack = new AsyncDisposableStack();
  const client = new Client(databaseUrl);
  await client.connect();
  stack.defer(() => client.end());
  const sent = { [topics.claims]: 0, [topics.members]: 0 };
  const send = async (topic: string, messages: readonly Message[]) => {
    sent[topic] = (sent[topic] ?? 0) + messages.length;
    await sender.sendAll(
      topic,
      messages.map(({ type, key, value }) => ({ key, value, headers: [['ce_type', Buffer.from(type)]] })),
    );
    const applied = `select topic, sum(next_offset)::int as done from shard where topic = $1 group by topic`;
    await until(async () => (await client.query(applied, [topic])).rows[0]?.done === sent[topic], {
      what: `everything sent to ${topic} is applied`,
      deadlineMs: 60_000,
    });
  };
  const day = daysOfClaims(city);
  await send(topics.members, family());
  for (let index = 0; index < DAYS; index += 1) {
    await send(topics.claims, day[index] ?? []);
    await send(topics.members, membersOn(index, city));
    await send(topics.claims, familyClaims(index));
  }
  const done = `select bool_and(published_seq = out_seq) and not exists (select from shard_work where kind = 'BALANCE') as done from shard`;
  await until(async () => (await client.query(done)).rows[0]?.done === true, {
    what: 'everything is published',
    deadlineMs: 60_000,
  });
}

/** The demo's claims dealt out over the days: the visits are those of one day, each moved to its own. */
function daysOfClaims(city: City): Message[][] {
  const all = [...claims(city, CLAIMS)];
  const size = Math.ceil(all.length / DAYS);
  return Array.from({ length: DAYS }, (_, index) =>
    all
      .slice(index * size, (index + 1) * size)
      .map(({ type, key, value }) => ({ type, key, value: value.replace('2026-03-10T', onDay(index).slice(0, 11)) })),
  );
}

const opened = (psn_no: string, prior_year: string, current_year: string, more: object = {}): Message =>
  said('account.opened', 'psn_no', {
    psn_no,
    psn_name: '某人',
    insutype: '310',
    psn_type: '1101',
    employment: 'ACTIVE',
    insu_admdvs: '420106',
    insured: true,
    prior_year,
    current_year,
    as_of: '2026-03-10T00:00:00+08:00',
    ...more,
  });
const bound = (binding_id: string, payer: string, relation: string, more: object = {}): Message =>
  said('binding.opened', 'payer', {
    binding_id,
    payer,
    beneficiary: 'F1',
    relation,
    bound_at: '2026-01-05T09:00:00+08:00',
    ...more,
  });

/** A family of Wuhan that comes by the topic, in which much changes. */
const family = (): Message[] => [
  opened('F1', '0.00', '60.00'),
  opened('F2', '900.00', '100.00'),
  opened('F3', '400.00', '0.00', { psn_type: '12', employment: 'RETIRED' }),
  opened('F4', '0.00', '30.00'),
  bound('FB2', 'F2', 'SPOUSE', { priority: 1, daily_limit: '120.00' }),
  bound('FB3', 'F3', 'CHILD', { priority: 2 }),
  bound('FB4', 'F4', 'SIBLING', { priority: 3 }),
  opened('F2', '1.00', '1.00'),
  said('account.credited', 'psn_no', { credit_id: 'FK0', psn_no: 'F9', amount: '1.00', at: onDay(0) }),
];

/** What changes on each day, among people who are known by the topic and people who were loaded. */
function membersOn(day: number, city: City): Message[] {
  const at = onDay(day);
  const lucky = city.family(day).people.filter(({ account }) => account.prior_year !== undefined);
  const paid = lucky.map(({ account: { psn_no } }, n) =>
    said('account.credited', 'psn_no', { credit_id: `K${day}-${n}`, psn_no, amount: '88.80', at }),
  );
  const binding = { binding_id: 'FB2', payer: 'F2', at };
  const f2 = { psn_no: 'F2', at };
  const own: readonly (readonly Message[])[] = [
    [said('binding.paused', 'payer', binding)],
    [said('binding.resumed', 'payer', binding)],
    [said('contribution.missed', 'psn_no', { ...f2, period: '2026-02', due_date: '2026-03-11' })],
    [said('contribution.recovered', 'psn_no', { ...f2, period: '2026-02' })],
    [said('contribution.received', 'psn_no', { ...f2, contribution_id: 'FN1', period: '2026-03', amount: '210.50' })],
    [
      said('account.changed', 'psn_no', { change_id: 'FX1', psn_no: 'F3', at, status: 'FROZEN' }),
      said('binding.changed', 'payer', { ...binding, change_id: 'FX2', daily_limit: '60.00', priority: 9 }),
      said('binding.requested', 'payer', {
        binding_id: 'FB5',
        payer: 'F2',
        beneficiary: 'F3',
        relation: 'PARENT',
        bound_at: at,
      }),
      said('binding.requested', 'payer', {
        binding_id: 'FB6',
        payer: 'F2',
        beneficiary: 'F2',
        relation: 'CHILD',
        bound_at: at,
      }),
      said('binding.requested', 'payer', {
        binding_id: 'FB7',
        payer: 'F2',
        beneficiary: 'F4',
        relation: 'SIBLING',
        bound_at: at,
      }),
    ],
    [
      said('account.changed', 'psn_no', { change_id: 'FX3', psn_no: 'F3', at, status: 'ACTIVE' }),
      said('binding.approved', 'payer', { binding_id: 'FB5', payer: 'F2', at }),
      said('binding.rejected', 'payer', { binding_id: 'FB7', payer: 'F2', at }),
    ],
    [said('binding.revoked', 'payer', { binding_id: 'FB5', payer: 'F2', at })],
  ];
  return [...paid, ...(own[day] ?? [])];
}

/** The family's visit of each day, and what comes of earlier ones. */
function familyClaims(day: number): Message[] {
  const share = (90 + day * 37.37).toFixed(2);
  const visit = said('claim.submitted', 'psn_no', {
    claim_id: `FC${day}`,
    mdtrt_id: `FM${day}`,
    psn_no: 'F1',
    fixmedins_code: 'H42010600001',
    designated: day !== 6,
    fix_blng_admdvs: '420106',
    med_type: day % 3 === 0 ? '41' : '11',
    setl_time: onDay(day),
    medfee_sumamt: (Number(share) + 100).toFixed(2),
    fund_pay_sumamt: '100.00',
    psn_part_amt: share,
  });
  const refund = (refund_id: string, claim_id: string, amount?: string) =>
    said('claim.refunded', 'psn_no', { refund_id, claim_id, psn_no: 'F1', at: onDay(day), amount });
  const premium = { premium_id: 'FP1', payer: 'F3', beneficiary: 'F1', year: 2026, amount: '40.00', at: onDay(day) };
  const more: readonly (readonly Message[])[] = [
    [],
    [refund('FR1', 'FC0', '50.00')],
    [refund('FR2', 'FC0', '999.00'), said('premium.submitted', 'beneficiary', premium)],
    [refund('FR3', 'FP1'), { ...visit, value: visit.value.replace(/FC/, 'FW').replace(share, '1.005') }],
    [said('premium.submitted', 'beneficiary', { ...premium, premium_id: 'FP2', payer: 'F8' })],
    [refund('FR4', 'FC4')],
  ];
  return [visit, ...(more[day] ?? [])];
}

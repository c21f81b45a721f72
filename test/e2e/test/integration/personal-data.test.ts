import { appendFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventRecord } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';

const NOON = '2025-03-10T12:00:00+08:00';
const NAME = '司徒某某';
const CERTIFICATE = '420106198811230042';
const PERSON = 'PSN420000000117';
const CHILD = 'PSN420000000118';
const facts = { insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '420100', insured: true };
const personal = { psn_no: PERSON, psn_name: NAME, certno: CERTIFICATE };

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start({ partitions: 1 });
  await system.topics.send([
    eventRecord('account.opened', { ...facts, ...personal, prior_year: '500.00', as_of: NOON }),
    eventRecord('account.opened', { ...facts, psn_no: CHILD, prior_year: '0.00', as_of: NOON }),
    eventRecord('binding.opened', {
      ...{ binding_id: 'B1', payer: PERSON, beneficiary: CHILD, relation: 'CHILD', bound_at: NOON },
    }),
    eventRecord('account.changed', { ...personal, change_id: 'H1', at: NOON, wallet_open: true }),
  ]);
  await system.waitUntilAnswered(60_000);
  await system.topics.send([
    eventRecord('claim.submitted', {
      ...{ claim_id: 'C1', mdtrt_id: 'M1', psn_no: CHILD, fixmedins_code: 'H1', designated: true, med_type: '11' },
      ...{ fix_blng_admdvs: '420106', setl_time: NOON, medfee_sumamt: '90.00', fund_pay_sumamt: '0.00' },
      ...{ psn_part_amt: '90.00', psn_name: NAME, certno: CERTIFICATE },
    }),
    eventRecord('binding.paused', { binding_id: 'B1', payer: PERSON, at: NOON, certno: CERTIFICATE }),
    // One that cannot be taken, and one of nobody's binding: dead letters.
    eventRecord('account.changed', { ...personal, change_id: 'H2', at: NOON, insured: 'perhaps' }),
    eventRecord('binding.revoked', { binding_id: 'B9', payer: PERSON, at: NOON, certno: CERTIFICATE }),
  ]);
  await system.waitUntilAnswered(60_000);
});
afterAll(() => system?.[Symbol.asyncDispose]());

/** The tables that hold a text anywhere in their rows. */
async function tablesWith(text: string): Promise<string[]> {
  const client = new Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const bytes = Buffer.from(text).toString('hex');
      const { rows } = await client.query(
        `select from public."${name}" as each where each::text like $1 or each::text like $2 limit 1`,
        [`%${text}%`, `%${bytes}%`],
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  } finally {
    await client.end();
  }
}

test('a certificate number is in no table, and in no topic but dead letters, which keep what was sent byte for byte', async () => {
  expect(await tablesWith(CERTIFICATE)).toEqual([]);
  const holding = system.topics.published.filter((record) => JSON.stringify(record).includes(CERTIFICATE));
  expect(holding.map(({ topic }) => topic)).toEqual(['dead-letters', 'dead-letters']);
  expect(system.topics.published.filter(({ topic }) => topic === 'dead-letters')).toHaveLength(2);
  // Whatever explains a dead letter repeats nothing of it.
  for (const { headers } of holding) expect(JSON.stringify(headers)).not.toMatch(new RegExp(`${CERTIFICATE}|${NAME}`));
});

test('a name is in its own table alone', async () => {
  expect(await tablesWith(NAME)).toEqual(['person_name']);
});

test('no log line names anyone, at the most talkative level', async () => {
  expect((await fetch(new URL(`/v1/accounts/${PERSON}`, system.http))).status).toBe(200);
  expect((await fetch(new URL(`/v1/usage?payer=${PERSON}&name=${encodeURIComponent(NAME)}`, system.http))).status).toBe(
    200,
  );
  const text = system
    .logs()
    .map((log) => log.text)
    .join('');
  expect(text).toContain('"level":"debug"');
  for (const secret of [NAME, CERTIFICATE, PERSON, CHILD]) expect(text).not.toContain(secret);
});

test('a system whose log names someone does not end well', async () => {
  const [log] = system.logs();
  appendFileSync(log?.path ?? '', `{"level":"info","state":"${CHILD}"}\n`);
  await expect(system[Symbol.asyncDispose]()).rejects.toThrow(
    `personal data in the logs of the services: ${log?.name}`,
  );
});

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testBrokers, until } from '@repo/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventRecord } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';

/** Numbers that no line of any command may show. */
const [PAYER, PATIENT, OTHER] = ['PSN0000000000001', 'PSN0000000000002', 'PSN0000000000003'] as const;
const NOON = '2025-03-10T12:00:00+08:00';
const CLI = fileURLToPath(new URL('../../../../services/cli/src/main.ts', import.meta.url));

let system: TestSystem;
let owner: Client;

/** What these events write the database refuses: a defect, since that is no condition that passes. */
const POISON = `
  create table poison (event_id text collate "C" primary key);
  grant select on poison to gongji_worker;
  create function poison() returns trigger language plpgsql as $$ begin
    if exists (select from poison where event_id = new.event_id) then raise 'poison'; end if;
    return new; end $$;
  create trigger poison before insert on event_id for each row execute function poison()`;
const poison = (...ids: readonly string[]) => owner.query('insert into poison select unnest($1::text[])', [ids]);
const cure = () => owner.query('delete from poison');

const opened = (psn_no: string, money: string) =>
  eventRecord('account.opened', {
    ...{ psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '420100', insured: true },
    ...{ prior_year: money, current_year: '0.00', as_of: '2025-01-01T00:00:00+08:00' },
  });
const claim = (claim_id: string, psn_no: string, fee: string) =>
  eventRecord('claim.submitted', {
    ...{ claim_id, mdtrt_id: 'M1', psn_no, fixmedins_code: 'H1', designated: true, med_type: '11' },
    ...{ fix_blng_admdvs: '420106', setl_time: NOON, medfee_sumamt: fee, fund_pay_sumamt: '0.00', psn_part_amt: fee },
  });
const credit = (credit_id: string, psn_no: string, amount: string) =>
  eventRecord('account.credited', { credit_id, psn_no, amount, at: NOON });
const paid = (psn_no: string, period: string) =>
  eventRecord('contribution.received', { contribution_id: `K-${psn_no}-${period}`, psn_no, period, at: NOON });

/** What is published from here on, as lines in order. */
function listen() {
  const from = system.topics.published.length;
  return (): string[] =>
    system.topics.published.slice(from).map(({ topic, headers, value }) => {
      if (topic === 'dead-letters') return `dead ${headers['gongji-code']}`;
      const { claim_id, refund_id, binding_id, status, state, reason } = JSON.parse(value);
      return topic === 'sharing'
        ? `${headers.ce_type} ${binding_id} ${reason ?? state}`
        : `${refund_id ?? claim_id} ${status}`;
    });
}
const lines = (heard: () => string[], count: number) =>
  until(() => heard().length >= count && heard(), { what: `${count} outcomes`, deadlineMs: 90_000 });
const heldCount = async (): Promise<number> =>
  Number((await owner.query('select count(*) from quarantined_message')).rows[0].count);
const whenHeld = (count: number) =>
  until(async () => (await heldCount()) === count, { what: `${count} messages to be held`, deadlineMs: 90_000 });
/** Every shard has taken what was sent; some of it may be held. */
const whenTaken = () =>
  until(
    async () => {
      const { rows } = await owner.query("select topic || '/' || partition as shard, next_offset from shard");
      const next = new Map(rows.map(({ shard, next_offset }) => [shard, BigInt(next_offset)]));
      return [...system.topics.ends].every(([shard, end]) => (next.get(shard) ?? 0n) >= end);
    },
    { what: 'everything sent to be taken', deadlineMs: 90_000 },
  );

/** Runs a command as an operator does. */
const gongji = (...args: readonly string[]) => gongjiWith(system.running.envelopeKeyFile, ...args);

async function gongjiWith(envelopeKeyFile: string, ...args: readonly string[]) {
  const environment = {
    GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
    PATH: process.env.PATH,
    GONGJI_DATABASE_URL: system.running.postgresUrl,
    GONGJI_KAFKA_BROKERS: testBrokers(),
    GONGJI_TOPIC_PREFIX: system.topics.names.claims.replace('.claims.v1', ''),
  };
  const ended = await promisify(execFile)(process.execPath, [CLI, ...args], { env: environment }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error) => ({ code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
  if (!args.includes('--value')) expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/PSN0000/);
  const json = () =>
    ended.stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { ...ended, json };
}

async function metric(service: string, name: string): Promise<string | undefined> {
  const port = system.running.services.find(({ name: found }) => found === service)?.adminPort;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text.split('\n').find((line) => line.startsWith(name));
}

beforeAll(async () => {
  system = await TestSystem.start({
    partitions: 1,
    // The first settlement worker dies while it sets a message aside, the second while it carries out an order.
    environment: ({ name, launch }) => {
      const points = name === 'settlement-worker' ? ['quarantine-hold', 'quarantine-order'] : ['quarantine-order'];
      const point = points[launch - 1];
      return point === undefined ? {} : { GONGJI_FAILPOINT: `${point}:1:SIGKILL` };
    },
  });
  owner = new Client(system.running.postgresUrl);
  await owner.connect();
  await owner.query(POISON);
  await system.topics.send([
    opened(PAYER, '40.00'),
    opened(PATIENT, '100.00'),
    opened(OTHER, '100.00'),
    eventRecord('binding.opened', {
      ...{
        binding_id: 'B1',
        payer: PAYER,
        beneficiary: OTHER,
        relation: 'SPOUSE',
        bound_at: '2025-01-02T00:00:00+08:00',
      },
    }),
  ]);
  await system.waitUntilAnswered(90_000);
}, 300_000);
afterAll(async () => {
  await owner?.end();
  await system?.[Symbol.asyncDispose]();
});

describe('claims', () => {
  test('of a patient whose message makes the worker fail are held in order, the worker killed meanwhile; others go on', async () => {
    const heard = listen();
    await poison('claim:C1');
    await system.topics.send([
      ...[claim('C1', PATIENT, '1.00'), claim('O1', OTHER, '1.00'), claim('C2', PATIENT, '2.00')],
      eventRecord('claim.refunded', { refund_id: 'R2', claim_id: 'C2', psn_no: PATIENT, at: NOON }),
      claim('O2', OTHER, '2.00'),
    ]);
    expect(await lines(heard, 2)).toEqual(['O1 SETTLED', 'O2 SETTLED']);
    await whenHeld(3);
    await whenTaken();
    expect(system.running.services.find(({ name }) => name === 'settlement-worker')?.process.deaths).toBe(1);
    expect(await metric('settlement-worker', 'settlement_quarantined_keys')).toMatch(/claims.* 1$/);
    expect(await metric('settlement-worker', 'settlement_quarantined_messages')).toMatch(/claims.* 3$/);
  }, 200_000);

  test('that are held can be listed and looked at without showing whose they are', async () => {
    const { code, json } = await gongji('quarantine', 'list', '--json');
    expect([code, json()]).toMatchObject([
      0,
      [{ place: 'claims/0@0', messages: 3, failed: 'claims/0@0', ordered: null }],
    ]);
    expect((await gongji('quarantine', 'list', '--id', 'R2', '--json')).json()).toHaveLength(1);
    const shown = await gongji('quarantine', 'show', 'claims/0@2', '--json');
    expect(shown.json().map(({ id, type }) => `${type} ${id}`)).toEqual([
      ...['claim.submitted C1', 'claim.submitted C2', 'claim.refunded R2'],
    ]);
    expect((await gongji('quarantine', 'show', 'claims/0@0', '--value')).stdout).toContain(PATIENT);
    // Empty counts as absent, and this folder has no keys.
    const sealed = await gongjiWith('', 'quarantine', 'show', 'claims/0@2', '--json');
    expect(sealed.json()).toEqual(
      shown.json().map((line) => ({
        ...{ ...line, type: null, id: null },
        unopened: 'sealed: expected GONGJI_ENVELOPE_KEY_FILE to be set',
      })),
    );
    expect((await gongjiWith('', 'quarantine', 'list', '--json')).json()).toHaveLength(1);
    expect(await gongjiWith('', 'quarantine', 'list', '--id', 'R2')).toMatchObject({
      ...{ code: 2, stderr: expect.stringContaining('set GONGJI_ENVELOPE_KEY_FILE') },
    });
  }, 200_000);

  test('are settled in their order once released, before new ones, the worker killed meanwhile', async () => {
    const heard = listen();
    await cure();
    await system.topics.send([claim('C3', PATIENT, '3.00')]);
    await whenHeld(4);
    expect((await gongji('quarantine', 'release', '--all', '--dry-run')).stdout).toContain('would release claims/0@0');
    const { code, json } = await gongji('quarantine', 'release', 'claims/0@0', '--json');
    expect([code, json()]).toEqual([0, [{ place: 'claims/0@0', messages: 4, result: 'DONE' }]]);
    await system.topics.send([claim('C4', PATIENT, '4.00')]);
    expect(await lines(heard, 5)).toEqual(['C1 SETTLED', 'C2 SETTLED', 'R2 REFUNDED', 'C3 SETTLED', 'C4 SETTLED']);
    expect(system.running.services.find(({ name }) => name === 'settlement-worker')?.process.deaths).toBe(2);
    expect(await metric('settlement-worker', 'settlement_quarantined_keys')).toMatch(/claims.* 0$/);
  }, 200_000);

  test('that still fail stay held after a release, with those behind them', async () => {
    const heard = listen();
    await poison('claim:C5', 'claim:C7');
    await system.topics.send([5, 6, 7, 8].map((n) => claim(`C${n}`, PATIENT, '1.00')));
    await whenHeld(4);
    await owner.query(`delete from poison where event_id = 'claim:C5'`);
    const [{ place }] = (await gongji('quarantine', 'list', '--json')).json();
    const { code, json } = await gongji('quarantine', 'release', place, '--json');
    expect([code, json()]).toEqual([1, [{ place, messages: 2, result: 'FAILED' }]]);
    expect(await lines(heard, 2)).toEqual(['C5 SETTLED', 'C6 SETTLED']);
    expect(await heldCount()).toBe(2);
  }, 200_000);

  test('that are dropped are dead letters and can be redriven; the rest waits for its release', async () => {
    const heard = listen();
    const [{ place }] = (await gongji('quarantine', 'list', '--json')).json();
    expect((await gongji('quarantine', 'drop', place, '--why', `of ${PATIENT}`)).code).toBe(2);
    expect((await gongji('quarantine', 'drop', place, '--why', 'defect 17', '--by', 'night shift')).code).toBe(0);
    expect(await lines(heard, 1)).toEqual(['dead EVENT_UNREADABLE']);
    expect(await heldCount()).toBe(1);
    expect((await gongji('quarantine', 'release', '--topic', 'claims')).code).toBe(0);
    expect(await lines(heard, 2)).toEqual(['dead EVENT_UNREADABLE', 'C8 SETTLED']);
    const { rows } = await owner.query(`select ordered_by, reason, result from quarantine_order where action = 'DROP'`);
    expect(rows).toEqual([{ ordered_by: 'night shift', reason: 'defect 17', result: 'DONE' }]);
  }, 300_000);

  test('that were dropped are judged afresh when they are redriven, and only once', async () => {
    const heard = listen();
    await cure();
    const found = await gongji('dead-letters', 'list', '--id', 'C7', '--json');
    expect(found.json()).toMatchObject([
      { place: 'claims/0@9', code: 'EVENT_UNREADABLE', type: 'claim.submitted', id: 'C7' },
    ]);
    expect((await gongji('dead-letters', 'redrive', '--code', 'EVENT_UNREADABLE', '--dry-run')).code).toBe(0);
    const { code, json } = await gongji('dead-letters', 'redrive', '--id', 'C7', '--json');
    expect([code, json()]).toMatchObject([0, [{ sent: { EVENT_UNREADABLE: 1 } }]]);
    expect(await lines(heard, 1)).toEqual(['C7 SETTLED']);
    expect((await gongji('dead-letters', 'redrive', '--id', 'C7')).code).toBe(0);
    await system.waitUntilAnswered(90_000);
    expect(heard()).toHaveLength(1);
  }, 300_000);
});

describe('members', () => {
  test('of a held payer wait; relatives go on drawing on the account, and its work and checks wait with it', async () => {
    const heard = listen();
    await poison('account.credited:D1');
    await system.topics.send([
      credit('D1', PAYER, '5.00'),
      paid(PAYER, '2025-02'),
      credit('D2', OTHER, '1.00'),
      paid(OTHER, '2025-02'),
    ]);
    await whenHeld(2);
    await whenTaken();
    // The relative has less than this: the payer's account runs dry, which is work for the held payer's shard.
    await system.topics.send([claim('O3', OTHER, '148.00')]);
    expect(await lines(heard, 1)).toEqual(['O3 SETTLED']);
    // Without what is held, the payer would be found behind with February.
    const check = eventRecord('arrears.check', { check_id: 'A1', on: '2025-04-01', shard: 0, shards: 1 });
    await system.topics.send([{ ...check, timestamp: Date.parse(NOON) }]);
    await until(
      async () => (await owner.query(`select from arrears_check where check_id = 'A1' and finished`)).rowCount === 1,
      { what: 'the check to be done with everybody else', deadlineMs: 90_000 },
    );
    expect((await owner.query('select psn_no from arrears_left')).rows).toEqual([{ psn_no: PAYER }]);
    expect((await owner.query('select payer from shard_work')).rows).toContainEqual({ payer: PAYER });
    expect(heard()).toEqual(['O3 SETTLED']);
  }, 200_000);

  test('are applied in order once released, then the work that waited, then the check that passed them over', async () => {
    const heard = listen();
    await cure();
    expect((await gongji('quarantine', 'release', '--topic', 'members')).code).toBe(0);
    await until(async () => (await owner.query('select from arrears_left')).rowCount === 0, {
      what: 'the payer to be checked',
      deadlineMs: 90_000,
    });
    await system.waitUntilAnswered(90_000);
    // Empty by the claim, filled by the credit: told in that order, in one go.
    expect(heard().slice(0, 2)).toEqual(['sharing.paused B1 ZERO_BALANCE', 'sharing.resumed B1 ZERO_BALANCE']);
    const { rows } = await owner.query('select period, paid from contribution where psn_no = $1 order by period', [
      PAYER,
    ]);
    expect(rows).toContainEqual({ period: '2025-02', paid: true });
    expect(await system.read(`/v1/accounts/${PAYER}`)).toMatchObject({ balance: '5.00' });
  }, 200_000);
});

describe('work that no message asks for', () => {
  test('holds its payer when the worker fails on it, is told by log and metric, and is done once released; others go on', async () => {
    const heard = listen();
    // What the payer's binding would say of an empty account the database refuses.
    await owner.query(`create function refused() returns trigger language plpgsql as $$ begin
      if new.payer = '${PAYER}' then raise 'refused'; end if; return new; end $$`);
    await owner.query('create trigger refused before update on binding for each row execute function refused()');
    await system.topics.send([claim('O4', OTHER, '6.00')]);
    await whenHeld(1);
    const listed = await gongji('quarantine', 'list', '--topic', 'members', '--json');
    expect(listed.json()).toMatchObject([
      { place: 'members/0@-1', messages: 0, failed: 'members/0@-1', ordered: null },
    ]);
    const [log] = system.logs().filter(({ name }) => name === 'sharing-worker.log');
    expect(log?.text).toMatch(/"level":"error".*"partition":0.*work between messages was set aside/);
    expect(await metric('sharing-worker', 'settlement_quarantined_keys')).toMatch(/members.* 1$/);
    await system.topics.send([credit('D3', PAYER, '5.00'), credit('D4', OTHER, '2.00')]);
    await whenHeld(2);
    await whenTaken();
    expect(await system.read(`/v1/accounts/${OTHER}`)).toMatchObject({ balance: '2.00' });
    expect((await gongji('quarantine', 'drop', 'members/0@-1', '--why', 'defect 18')).code).toBe(2);

    await owner.query('drop trigger refused on binding');
    const { code, json } = await gongji('quarantine', 'release', 'members/0@-1', '--json');
    expect([code, json()]).toEqual([0, [{ place: 'members/0@-1', messages: 1, result: 'DONE' }]]);
    await system.waitUntilAnswered(90_000);
    expect(heard()).toEqual(['O4 SETTLED', 'sharing.paused B1 ZERO_BALANCE', 'sharing.resumed B1 ZERO_BALANCE']);
  }, 200_000);
});

test('the books are as they must be after all of it, and nothing is held', async () => {
  const { code, json } = await gongji('audit', '--json');
  expect([code, json()[0].findings]).toMatchObject([0, expect.any(Array)]);
}, 200_000);

import { findQuarantines, Ledger, leaveOrder, migrate, schemaKey } from '@repo/ledger';
import type { Applied, BatchProcessor, InputProgress, InputRecord, Lease } from '@repo/messaging';
import { withQuarantine } from '@repo/shard-worker';
import { cloneDatabase } from '@repo/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyHeldMembers, applyMembers } from '../../src/apply-members.ts';
import { doIdleWork } from '../../src/idle-work.ts';
import { Pace } from '../../src/pace.ts';
import { memberDeps } from './members.fixture.ts';

const timestampMs = Date.parse('2025-04-02T00:00:00+08:00');
const SHARD = { topic: 'members', partition: 0 };
const ALL_APPLIED: InputProgress = { end: async () => 0n, isApplied: () => true };
const PAYERS = ['A1', 'A2', 'A3', 'A4', 'A5'];

let ledger: Ledger;
let owner: Ledger;
let lease: Lease;
let worker: BatchProcessor;
let held: number;

/** The database refuses any change of these payers' bindings: a defect, since that is no condition that passes. */
const POISON = [
  'create table poison (payer text primary key)',
  'grant select on poison to gongji_worker',
  `create function poison() returns trigger language plpgsql as $$ begin
    if exists (select from poison where payer = new.payer) then raise 'poison'; end if; return new; end $$`,
  'create trigger poison before update on binding for each row execute function poison()',
];
const poison = (...payers: readonly string[]) => owner.rows('insert into poison select unnest($1::text[])', [payers]);
const cure = () => owner.rows('delete from poison');

beforeEach(async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  owner = await Ledger.open({ url, name: 'operator' });
  for (const statement of POISON) await owner.rows(statement);
  const deps = await memberDeps(ledger, 1);
  const pace = new Pace(1_000_000_000);
  held = 0;
  worker = withQuarantine(
    {
      apply: (at, records) => applyMembers(at, records, deps),
      applyHeld: (tx, place, records) => applyHeldMembers(tx, place, records, deps),
      doWork: (at, share) => doIdleWork(at, deps, pace, share),
    },
    {
      ...{ ledger, policyOf: deps.policyOf, targets: deps.targets, lookEveryMs: 0 },
      onWorkHeld: () => {
        held += 1;
      },
    },
  );
  const { epoch, nextOffset, outSeq, publishedSeq } = await ledger.acquireShard(SHARD, 'test', 1);
  lease = { shard: SHARD, epoch, nextOffset, outSeq, publishedSeq };
  for (const payer of PAYERS) {
    await send('account.opened', payer, {
      ...{ psn_no: payer, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '210102' },
      ...{ insured: true, prior_year: '100.00', as_of: '2025-02-10T00:00:00+08:00' },
    });
    await send('binding.opened', payer, {
      ...{ binding_id: `B-${payer}`, payer, beneficiary: 'CHILD', relation: 'CHILD' },
      bound_at: '2025-02-10T00:00:00+08:00',
    });
  }
});
afterEach(async () => {
  await ledger.close();
  await owner.close();
});

async function send(type: string, key: string | null, value: object): Promise<string[]> {
  const record: InputRecord = {
    offset: lease.nextOffset,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(JSON.stringify(value)),
    headers: [['ce_type', Buffer.from(type)]],
    timestampMs,
  };
  return told(await worker.apply(lease, [record]));
}

function told({ nextOffset, rows }: Applied): string[] {
  lease = { ...lease, nextOffset };
  return rows.map(({ value }) => {
    const { payer, reason, state } = JSON.parse(String(value));
    return `${payer} ${reason} ${state}`;
  });
}

/** All that the shard does until there is nothing left. */
async function idle(): Promise<string[]> {
  const lines: string[] = [];
  for (
    let applied = await worker.applyIdle?.(lease, ALL_APPLIED);
    applied;
    applied = await worker.applyIdle?.(lease, ALL_APPLIED)
  )
    lines.push(...told(applied));
  return lines;
}

/** What a posting leaves that emptied a payer's account. */
const leaveWork = (payer: string) =>
  owner.rows(
    `insert into shard_work (partition, payer, kind, due_on, detail) values (0, $1, 'BALANCE', '2025-04-02', $2)`,
    [payer, { cause: { type: 'test', id: 'test' }, at: timestampMs, empty: true }],
  );
const checkOn = (check_id: string, on: string) => send('arrears.check', null, { check_id, on });
const release = async () => {
  for (const { offset } of await findQuarantines(owner))
    await leaveOrder(owner, { ...SHARD, offset }, { action: 'RELEASE', code: null, by: 'test', reason: 'mended' });
};

test('what a posting left and the worker fails on holds its payer; everybody else goes on', async () => {
  for (const payer of ['A1', 'A2', 'A3']) await leaveWork(payer);
  await poison('A2');
  expect(await idle()).toEqual(['A1 ZERO_BALANCE PAUSED', 'A3 ZERO_BALANCE PAUSED']);
  expect(held).toBe(1);
  expect(await findQuarantines(owner, { key: 'A2' })).toMatchObject([{ offset: -1n, messages: 0, failedOffset: -1n }]);
  const pause = { binding_id: 'B-A2', payer: 'A2', at: '2025-04-02T00:00:00+08:00' };
  expect(await send('binding.paused', 'A2', pause)).toEqual([]);
  await leaveWork('A4');
  expect(await idle()).toEqual(['A4 ZERO_BALANCE PAUSED']);
  await cure();
  await release();
  // The work comes first, as it would have.
  expect(await idle()).toEqual(['A2 ZERO_BALANCE PAUSED', 'A2 USER PAUSED']);
  expect(await owner.rows('select from shard_work')).toEqual([]);
});

test('a check that the worker fails on goes on with everybody else, and comes back for those it failed on', async () => {
  await poison('A2', 'A4');
  await checkOn('night', '2025-04-01');
  expect((await idle()).sort()).toEqual(['A1', 'A3', 'A5'].map((payer) => `${payer} ARREARS PAUSED`));
  expect(held).toBe(2);
  const checks = () => owner.rows('select checked, marked, finished from arrears_check');
  expect(await checks()).toEqual([{ checked: '5', marked: '3', finished: true }]);
  await cure();
  await release();
  expect((await idle()).sort()).toEqual(['A2', 'A4'].map((payer) => `${payer} ARREARS PAUSED`));
  expect(await owner.rows('select from arrears_left')).toEqual([]);
});

test('one whom the check comes back for, and still fails on, is held again', async () => {
  await poison('A2');
  await checkOn('night', '2025-04-01');
  await idle();
  await release();
  expect(await idle()).toEqual([]);
  expect(held).toBe(2);
  expect(await findQuarantines(owner)).toMatchObject([{ offset: -1n }]);
});

test('a defect of no one’s work holds nobody and stops the shard', async () => {
  await owner.rows(
    `create or replace function poison() returns trigger language plpgsql as $$ begin raise 'poison'; end $$`,
  );
  await owner.rows('create trigger all_checks before update on arrears_check for each row execute function poison()');
  await owner.rows(`update account set insutype = '390'`);
  await checkOn('night', '2025-04-01');
  await expect(idle()).rejects.toThrow('poison');
  expect(held).toBe(0);
});

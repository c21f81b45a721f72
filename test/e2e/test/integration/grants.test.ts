import { audit } from '@repo/cli/audit';
import { date } from '@repo/domain';
import {
  closedDays,
  codeOf,
  findBackdated,
  findBindings,
  findFamily,
  findHeldRefunds,
  findOutcome,
  findPerson,
  findUsage,
  Ledger,
  leaveOrder,
  migrate,
  type Role,
  schemaKey,
} from '@repo/ledger';
import { loadPolicies } from '@repo/policy';
import { cloneDatabase } from '@repo/testkit';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { eventRecord } from '../../src/system/story.ts';
import { AT, account, binding, claim, fact, refund } from '../../src/workers/events.ts';
import { Shard } from '../../src/workers/shard.ts';

const loaded = await loadPolicies();
if ('problems' in loaded) throw new Error('the shipped packs load');
const { policies } = loaded;

const DAY = date('2025-03-10');
const CHECK = { check_id: 'grants', on: '2025-04-01', shard: 0, shards: 1 };

/** A right as the catalogue has it: of a whole table, or of one column where the table's is not given. */
interface Grant {
  readonly role: Role;
  readonly right: string;
}

/** The owner's session in a database of its own. */
async function withOwner<T>(url: string, work: (owner: Client) => Promise<T>): Promise<T> {
  const owner = new Client(url);
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

const GRANTS = `
  with grants as (
    select grantee::regrole::text as role, relname, privilege_type, null::name as col
      from pg_class, aclexplode(relacl) where relnamespace = 'public'::regnamespace
    union all
    select grantee::regrole::text, relname, privilege_type, attname
      from pg_attribute join pg_class on pg_class.oid = attrelid, aclexplode(attacl) where relnamespace = 'public'::regnamespace)
  select role, lower(privilege_type) || coalesce(' (' || col || ')', '') || ' on ' || relname as right from grants
    where role in ('gongji_worker', 'gongji_reader')
  union all
  select grantee::regrole::text, 'usage on schema public' from pg_namespace, aclexplode(nspacl)
    where nspname = 'public' and grantee::regrole::text in ('gongji_worker', 'gongji_reader')
  order by 1, 2`;

const freshDatabase = () => cloneDatabase({ key: schemaKey(), migrate });

const { url: granted } = await freshDatabase();
const grants = await withOwner(granted, async (owner) => (await owner.query<Grant>(GRANTS)).rows);
/** A day in which the worker fails on a message takes other rights than one in which it does not. */
const OF_QUARANTINE = / on (quarantined_message|quarantine_order|arrears_left)$/;
const of = (role: Role): [string][] =>
  grants.flatMap((grant): [string][] => (grant.role === role ? [[grant.right]] : []));

type Day = (url: string) => Promise<void>;

const atWork = (url: string) => ({ url, policyOf: policies.policyAt, partitions: 1, refundWaitMs: 60_000 });

/** Everything a worker ever does to its tables while nothing is set aside, in as few batches as that takes. */
async function goodDay(url: string): Promise<void> {
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'grants' });
  await using shards = new AsyncDisposableStack();
  shards.defer(() => ledger.close());
  await ledger.missingMigrations();
  const options = atWork(url);
  const members = shards.use(await Shard.open('members/0', options));
  const claims = shards.use(await Shard.open('claims/0', options));
  await members.take([
    account('P1', '10.00', { psn_name: '王小明' }),
    account('A1', '100.00'),
    account('A2', '50.00'),
    binding('B1', 'A1', 'P1', { priority: 1, authorised_amount: '100.00' }),
    binding('B2', 'A2', 'P1', { priority: 2, relation: 'PARENT', authorised_amount: '50.00' }),
  ]);
  await members.take([fact('account.changed', { change_id: 'N1', psn_no: 'P1', psn_name: '王大明' })]);
  // A refund that waits for its claim, and one that is given back to an account that is closed by then.
  await claims.take([refund('R0', 'C1', 'P1', AT, '5.00')]);
  await claims.take([claim('C1', 'P1', '40.00')]);
  await claims.take([claim('C2', 'P1', '200.00')]);
  await members.take([
    fact('contribution.missed', { psn_no: 'A1', period: '2025-02', due_date: '2025-02-28' }),
    fact('account.changed', { change_id: 'X1', psn_no: 'A2', status: 'CLOSED' }),
  ]);
  await claims.take([refund('R1', 'C2', 'P1')]);
  const [held] = await ledger.rows<{ amount: string }>('select amount from held_refund', []);
  await members.take([
    fact('contribution.recovered', { psn_no: 'A1', period: '2025-02' }),
    fact('refund.paid', { refund_id: 'R1', psn_no: 'A2', amount: held?.amount }),
    eventRecord('arrears.check', CHECK),
  ]);
  while (await members.idle());
  // What an owner who comes after a crash reads and notes.
  const shard = { topic: 'claims', partition: 0 };
  const { epoch } = await ledger.acquireShard(shard, 'grants', 1);
  await ledger.loadOutbox(shard, 0n, 10);
  await ledger.markPublished({ shard, epoch }, 1n);
}

/** A worker fails on a payer's message: what it holds, what an arrears check leaves out meanwhile, and what operators then order. */
async function badDay(url: string): Promise<void> {
  await using members = await Shard.open('members/0', atWork(url));
  await using owner = new AsyncDisposableStack();
  const operator = owner.adopt(await Ledger.open({ url, name: 'operator' }), (ledger) => ledger.close());
  const order = async (action: 'RELEASE' | 'DROP', offset: bigint): Promise<void> => {
    const code = action === 'DROP' ? 'EVENT_MALFORMED' : null;
    const place = { topic: 'members', partition: 0, offset };
    await leaveOrder(operator, place, { action, code, by: 'operator', reason: 'tried' });
    while (await members.carryOut());
  };
  const changed = (change_id: string) => fact('account.changed', { change_id, psn_no: 'A1', wallet_open: true });
  await members.take([account('A1', '100.00')]);
  await members.setAside(changed('X1'));
  await members.take([changed('X2'), eventRecord('arrears.check', CHECK)]);
  while (await members.idle());
  await order('DROP', 2n);
  members.onPoint = () => {
    throw new TypeError('the worker fails again');
  };
  await order('RELEASE', 1n);
  members.onPoint = () => undefined;
  await order('RELEASE', 1n);
  while (await members.idle());
  const [left] = await operator.rows<{ rows: string; orders: string }>(
    `select (select count(*) from quarantined_message) + (select count(*) from arrears_left) as rows,
       (select string_agg(action || ' ' || result, ', ' order by order_id) from quarantine_order) as orders`,
  );
  expect(left).toEqual({ rows: '0', orders: 'DROP DONE, RELEASE FAILED, RELEASE DONE' });
}

/** Everything that is read for HTTP, by the commands and by the audit; the tables are filled or not, which makes no difference. */
async function readersDay(url: string): Promise<void> {
  const ledger = await Ledger.open({ url, role: 'gongji_reader', name: 'grants' });
  try {
    await ledger.missingMigrations();
    await findPerson(ledger, 'P1');
    await findBindings(ledger, { payer: 'A1', limit: 1 });
    await findOutcome(ledger, 'claim:C1', 'C1');
    await findFamily(ledger, 'P1', DAY);
    await findBackdated(ledger, { payersMax: 1 });
    await findHeldRefunds(ledger, { personsMax: 1 });
    await findUsage(ledger, { from: DAY, to: DAY, name: '王' }, { limit: 1 });
    await closedDays(ledger);
    await ledger.rows('select from arrears_check where check_id = $1', ['grants']);
  } finally {
    await ledger.close();
  }
  // It looks at the tables from outside, by connections of its own.
  await audit({ databaseUrl: url, brokers: null, topicPrefix: 'grants' });
}

/** Lives through a day in a database where one right was taken away; answers what that ended with. */
async function dayWithout(right: string, role: Role, day: Day): Promise<string> {
  const database = await freshDatabase();
  try {
    await withOwner(database.url, async (owner) => {
      // PUBLIC has the schema too, by PostgreSQL's own default.
      if (right.endsWith('schema public')) await owner.query(`revoke ${right} from public`);
      await owner.query(`revoke ${right} from ${role}`);
    });
    return await day(database.url).then(
      () => 'nothing failed',
      (reason: unknown) => String(codeOf(reason) ?? reason),
    );
  } finally {
    await database.drop();
  }
}

/** A schema that may not be used is as if it had no tables. */
const refusalOf = (right: string): string => (right.endsWith('schema public') ? '42P01' : '42501');

describe.for<[Role, Day, Day?]>([
  ['gongji_worker', goodDay, badDay],
  ['gongji_reader', readersDay],
])('%s', ([role, good, bad = good]) => {
  test.for([...new Set([good, bad])])('gets along with its rights', async (day) => {
    const { url } = await freshDatabase();
    await day(url);
  });

  test.for(of(role))('cannot do without: %s', async ([right]) => {
    const day = OF_QUARANTINE.test(right) ? bad : good;
    expect(await dayWithout(right, role, day)).toBe(refusalOf(right));
  });
});

const TABLES = [
  ...'account entry event_id outcome binding claim_refund shard person_name contribution book_day migration'.split(' '),
  ...'quarantined_message quarantine_order arrears_left'.split(' '),
];

test.for<[Role, string]>([
  ['gongji_worker', 'update entry set kind = kind'],
  ['gongji_worker', 'delete from entry'],
  ['gongji_worker', 'truncate entry'],
  ['gongji_worker', 'update outcome set payload = payload'],
  ['gongji_worker', 'delete from outcome'],
  ['gongji_worker', 'delete from event_id'],
  ['gongji_worker', 'delete from account'],
  ['gongji_worker', 'delete from shard'],
  ['gongji_worker', 'select psn_name from person_name'],
  ['gongji_worker', 'insert into book_day values (current_date, 0, 0, 0)'],
  ['gongji_worker', 'create table mine ()'],
  ['gongji_worker', 'update quarantined_message set value = value'],
  ['gongji_worker', "insert into quarantine_order (partition, topic, action) values (0, 'claims', 'RELEASE')"],
  ['gongji_worker', 'delete from quarantine_order'],
  ['gongji_worker', 'update quarantine_order set ordered_by = null'],
  ['gongji_worker', 'select ordered_by from quarantine_order'],
  ['gongji_worker', 'update arrears_left set on_day = on_day'],
  ['gongji_reader', 'select value from quarantined_message'],
  ['gongji_reader', 'select headers from quarantined_message'],
  ['gongji_reader', 'select failure from quarantined_message'],
  ['gongji_reader', 'select from quarantine_order'],
  ['gongji_reader', 'select from arrears_left'],
  ['gongji_reader', 'select from parked_refund'],
  ['gongji_reader', 'select from shard_work'],
  ['gongji_reader', 'create table mine ()'],
  ...TABLES.flatMap((table): [Role, string][] => [
    ['gongji_reader', `insert into ${table} default values`],
    ['gongji_reader', `delete from ${table}`],
    ['gongji_reader', `truncate ${table}`],
  ]),
])('%s may not: %s', async ([role, statement]) => {
  const ledger = await Ledger.open({ url: granted, role, name: 'grants' });
  try {
    await expect(ledger.rows(statement)).rejects.toSatisfy((error) => codeOf(error) === '42501');
  } finally {
    await ledger.close();
  }
});

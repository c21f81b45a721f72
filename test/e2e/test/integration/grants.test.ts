import { fileURLToPath } from 'node:url';
import { codeOf, Ledger, migrate, type Role, schemaKey } from '@repo/ledger';
import { cloneDatabase } from '@repo/testkit';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { badDay, type Day, goodDay, operatorsDay, readersDay } from '../../src/workers/days.ts';

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
    select pg_class.oid as relation, grantee, privilege_type, null::name as col from pg_class, aclexplode(relacl)
    union all
    select attrelid, grantee, privilege_type, attname from pg_attribute, aclexplode(attacl))
  select grantee::regrole::text as role,
      lower(privilege_type) || coalesce(' (' || col || ')', '') || ' on ' || relation::regclass as right from grants
    where grantee::regrole::text like 'gongji\\_%'
  union all
  select grantee::regrole::text, lower(privilege_type) || ' on schema ' || nspname from pg_namespace, aclexplode(nspacl)
    where grantee::regrole::text like 'gongji\\_%'
  order by 1, 2`;

/** What each role may do, shipped for whoever reviews or writes the grants; the migrations make them so. */
const FILE = fileURLToPath(new URL('../../../../deploy/postgres/grants.csv', import.meta.url));

const freshDatabase = () => cloneDatabase({ key: schemaKey(), migrate });

const { url: granted } = await freshDatabase();
const grants = await withOwner(granted, async (owner) => (await owner.query<Grant>(GRANTS)).rows);
/** A day in which the worker fails on a message takes other rights than one in which it does not. */
const OF_QUARANTINE = / on (quarantined_message|quarantine_order|arrears_left)$/;
const of = (role: Role): [string][] =>
  grants.flatMap((grant): [string][] => (grant.role === role ? [[grant.right]] : []));

test('deploy/postgres/grants.csv says what the roles may do', async () => {
  const lines = [
    'role,right',
    ...grants.map(({ role, right }) => `${role},${right.includes(',') ? `"${right}"` : right}`),
  ];
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(FILE);
});

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
  ['gongji_operator', operatorsDay],
])('%s', ([role, good, bad = good]) => {
  test.for([...new Set([good, bad])])('gets along with its rights', async (day) => {
    const { url } = await freshDatabase();
    await day(url);
  });

  test.concurrent.for(of(role))('cannot do without: %s', async ([right]) => {
    const day = OF_QUARANTINE.test(right) ? bad : good;
    expect(await dayWithout(right, role, day)).toBe(refusalOf(right));
  });
});

const TABLES = [
  ...'account entry event_id outcome binding claim_refund shard person_name contribution book_day migration'.split(' '),
  ...'quarantined_message quarantine_order arrears_left binding_change'.split(' '),
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
  ['gongji_worker', 'select from binding_change'],
  ['gongji_worker', 'update arrears_left set on_day = on_day'],
  ['gongji_reader', 'select value from quarantined_message'],
  ['gongji_reader', 'select headers from quarantined_message'],
  ['gongji_reader', 'select failure from quarantined_message'],
  ['gongji_reader', 'select from quarantine_order'],
  ['gongji_reader', 'select from arrears_left'],
  ['gongji_reader', 'select claim_id from parked_refund'],
  ['gongji_reader', 'select key from parked_refund'],
  ['gongji_reader', 'select value from parked_refund'],
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

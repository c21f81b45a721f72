import { readFileSync, writeFileSync } from 'node:fs';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { cloneDatabase } from '@repo/testkit';
import { expect, test } from 'vitest';
import { badDay, goodDay, readersDay } from '../../src/workers/days.ts';
import { account, claim } from '../../src/workers/events.ts';
import {
  Listener,
  newDemands,
  type Recorded,
  type RecordedRole,
  readSchema,
  refusals,
} from '../../src/workers/older-version.ts';
import { Shard } from '../../src/workers/shard.ts';

const FILE = new URL('../../recorded/statements.json', import.meta.url);
const ROLES = ['gongji_worker', 'gongji_reader'] as const;
const MIGRATIONS = schemaKey().split(',');

/** A database as this version's predecessor left it. */
const databaseAt = (to: string) =>
  cloneDatabase({ key: `${to} and no further`, migrate: (url) => migrate(url, { to }) });

async function runAsOwner(url: string, statement: string): Promise<void> {
  const owner = await Ledger.open({ url, name: 'owner' });
  await owner.rows(statement).finally(() => owner.close());
}

// Before a release: GONGJI_RECORD_STATEMENTS=yes, with the code that is to be the older version.
test.runIf(process.env.GONGJI_RECORD_STATEMENTS)('records what this version says to the database', async () => {
  const statements: Record<RecordedRole, string[]> = { gongji_worker: [], gongji_reader: [] };
  for (const day of [goodDay, badDay, readersDay]) {
    await using listener = await Listener.open((await cloneDatabase({ key: schemaKey(), migrate })).url);
    await day(listener.url);
    for (const role of ROLES) statements[role] = [...new Set([...statements[role], ...listener.heard[role]])].sort();
  }
  const recorded: Recorded = { through: MIGRATIONS.at(-1) ?? '', statements };
  writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`);
});

/** Rules that somebody has looked at: they fill columns that the version before does not write, or refuse only what it never says. */
const JUDGED = [
  ...['tr_account_facts', 'tr_binding_emptied_insert', 'tr_binding_emptied_update'],
  // Of updates, for which a worker had no right before.
  'tr_event_id_answered_once',
  // A row that names no block keeps its stamp, as it always did.
  'ck_outcome_block',
];

const recorded: Recorded = JSON.parse(readFileSync(FILE, 'utf8'));

test('whatever the version before says to the database is understood and allowed on the newest schema', async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  expect(recorded.statements.gongji_worker.length).toBeGreaterThan(30);
  expect(await refusals(url, recorded)).toEqual([]);
});

test('the newest schema demands nothing of the tables of the version before that it does not know of', async () => {
  const [before, after] = [await databaseAt(recorded.through), await cloneDatabase({ key: schemaKey(), migrate })];
  const demands = newDemands(await readSchema(before.url), await readSchema(after.url));
  expect(demands.filter((demand) => !JUDGED.some((name) => demand.startsWith(`${name} is a new rule`)))).toEqual([]);
});

test.for([
  ['alter table shard rename column epoch to era', /epoch/],
  ['alter table binding drop column daily_limit cascade', /daily_limit/],
  ['revoke update on shard from gongji_worker', /permission denied for table shard/],
  ['drop table event_id cascade', /event_id/],
])('a migration would be found that takes away: %s', async ([statement, finding]) => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  await runAsOwner(url, statement as string);
  expect((await refusals(url, recorded)).join('\n')).toMatch(finding as RegExp);
});

const { url: changing } = await cloneDatabase({ key: schemaKey(), migrate });
test.for<[string, string[]]>([
  ['alter table entry add column n1 text', []],
  [`alter table entry add column n2 text not null default ''`, []],
  ['alter table contribution add column n3 bigint unique', []],
  ['create table later (id bigint primary key, name text not null)', []],
  ['alter table arrears_left add column n4 int not null', ['arrears_left.n4 must be given and has no default']],
  ['alter table arrears_left alter column check_id type varchar(200)', ['arrears_left.check_id is of another type']],
  [
    'alter table quarantined_message alter column value set not null',
    ['quarantined_message.value may not be null any more'],
  ],
  ['alter table account add constraint ck_later check (version > 0)', ['ck_later is a new rule for what account had']],
  ['create unique index ux_later on binding (payer, beneficiary)', ['ux_later is a new rule for what binding had']],
])('of a migration is said what it demands anew: %s', async ([statement, demands]) => {
  const before = await readSchema(changing);
  await runAsOwner(changing, statement);
  expect(newDemands(before, await readSchema(changing))).toEqual(demands);
});

/** The last migration without which workers of this code cannot settle: they stand for older ones while those after it run. */
const NEEDED = 'migration-20261207-outcome-blocks';

test('workers settle on while the migrations that they do not need run beside them, and are where they would be', async () => {
  const { policyAt } = await shippedPolicies();
  const { url } = await databaseAt(NEEDED);
  const options = { url, policyOf: policyAt, partitions: 1 };
  await using members = await Shard.open('members/0', options);
  await using claims = await Shard.open('claims/0', options);
  await members.take([account('P1', '100.00')]);
  let isMigrated = false;
  const migrated = migrate(url).then(() => {
    isMigrated = true;
  });
  let settled = 0;
  for (let after = 0; after < 3; after += isMigrated ? 1 : 0) await claims.take([claim(`C${++settled}`, 'P1', '0.01')]);
  await migrated;
  expect(claims.published.map(({ value }) => JSON.parse(value).acct_pay)).toEqual(Array(settled).fill('0.01'));
});

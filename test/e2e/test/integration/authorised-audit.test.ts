import { type AuditReport, audit } from '@repo/cli/audit';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { cloneDatabase } from '@repo/testkit';
import { afterAll, expect, test } from 'vitest';
import { account, binding, claim, fact, refund } from '../../src/workers/events.ts';
import { Shard } from '../../src/workers/shard.ts';

const { policyAt: policyOf } = await shippedPolicies();
const { url } = await cloneDatabase({ key: schemaKey(), migrate });
const owner = await Ledger.open({ url, name: 'owner' });
afterAll(() => owner.close());

const changed = (change_id: string, authorised_amount: string | null) =>
  fact('binding.changed', { change_id, binding_id: 'B1', payer: 'A1', authorised_amount });

/** An authorised amount that is used, given back to, and changed, also twice in one batch and to none. */
async function live(): Promise<void> {
  await using members = await Shard.open('members/0', { url, policyOf, partitions: 1 });
  await using claims = await Shard.open('claims/0', { url, policyOf, partitions: 1 });
  await members.take([
    account('P1', '0.00'),
    account('A1', '500.00'),
    account('A2', '0.00'),
    binding('B1', 'A1', 'P1', { authorised_amount: '100.00' }),
    binding('B2', 'A2', 'P1', { relation: 'PARENT', authorised_amount: '50.00' }),
  ]);
  await claims.take([claim('C1', 'P1', '60.00')]);
  await members.take([changed('H1', '80.00')]);
  await claims.take([claim('C2', 'P1', '50.00'), refund('R1', 'C1', 'P1')]);
  await members.take([changed('H2', '20.00'), changed('H3', '25.00')]);
  await claims.take([claim('C3', 'P1', '10.00')]);
  await members.take([changed('H4', null)]);
  await claims.take([refund('R3', 'C3', 'P1')]);
  // The audit knows shards by the names of topics.
  await owner.rows(`update shard set topic = 'gongji.' || topic || '.v1'`);
}
await live();

const audited = (): Promise<AuditReport> => audit({ databaseUrl: url, brokers: null, topicPrefix: 'gongji' });

async function found(): Promise<Pick<AuditReport, 'notes'> & { readonly wrong: readonly string[] }> {
  const { checks, notes } = await audited();
  return { notes, wrong: checks.flatMap(({ name, wrong }) => (wrong > 0 ? [`${name} ${wrong}`] : [])) };
}

/** What is found once this was done, which is then undone. */
async function foundAfter(statement: string, undo: string) {
  await owner.rows(statement);
  const report = await found();
  await owner.rows(undo);
  return report;
}

const restore = `update binding set authorised_amount = 10 where binding_id = 'B1'`;

test('what is left of an authorised amount follows from what was noted of it', async () => {
  const [left] = await owner.rows(`select authorised_amount as amount from binding where binding_id = 'B1'`);
  expect(left).toEqual({ amount: '10.00' });
  const noted = await owner.rows(`select changes -> 0 ->> 'before' as before from binding_change order by change_no`);
  expect(noted).toEqual(['40.00', '90.00', '20.00', '15.00'].map((before) => ({ before })));
  expect(await found()).toEqual({ notes: [], wrong: [] });
  const { checks } = await audited();
  expect(checks.find(({ name }) => name === 'binding-authorised')?.checked).toBe(1);
});

test.for([
  ['more than came back since it was changed', `update binding set authorised_amount = 10.01 where binding_id = 'B1'`],
  ['as much as anybody likes', `update binding set authorised_amount = 999999 where binding_id = 'B1'`],
])('it is found to be wrong where it is %s', async ([, statement]) => {
  expect(await foundAfter(statement as string, restore)).toEqual({ notes: [], wrong: ['binding-authorised 1'] });
});

test.for([
  // 80.00, and the 60.00 that came back: of these what was paid need not have been lost, where the region asks for no authorisation.
  ['H2', '140.01', '90.00'],
  ['H2', '29.99', '90.00'],
  ['H3', '20.01', '20.00'],
  ['H4', '14.99', '15.00'],
])('it is found to be wrong where change %s met %s', async ([change, met, before]) => {
  const meet = (amount: unknown) =>
    `update binding_change set changes = jsonb_set(changes, '{0,before}', to_jsonb('${amount}'::text)) where change_id = '${change}'`;
  expect((await foundAfter(meet(met), meet(before))).wrong).toEqual(['binding-authorised 1']);
});

test('where an older worker has changed bindings and noted nothing, a difference is a note', async () => {
  const event = `insert into event_id (event_id, content_hash, shard_id, month) values ('binding.changed:H9', '', 1, '2026-11-01')`;
  await owner.rows(event);
  const report = await foundAfter(`update binding set authorised_amount = 999 where binding_id = 'B1'`, restore);
  await owner.rows(`delete from event_id where event_id = 'binding.changed:H9'`);
  expect(report.wrong).toEqual([]);
  expect(report.notes).toEqual([expect.stringContaining('some changes were not noted')]);
});

test('a change of which an older worker did not note after which entry it came is not judged by', async () => {
  const version = (sql: string) => `update binding_change set payer_version = ${sql} where change_id = 'H4'`;
  const [noted] = await owner.rows<{ v: string }>(
    `select payer_version as v from binding_change where change_id = 'H4'`,
  );
  await owner.rows(version('null'));
  const report = await foundAfter(`update binding set authorised_amount = 999 where binding_id = 'B1'`, restore);
  await owner.rows(version(String(noted?.v)));
  expect(report).toEqual({ notes: [], wrong: [] });
});

test('with how much a binding was opened is noted nowhere, so that one that was never changed is not judged', async () => {
  const set = (amount: number) => `update binding set authorised_amount = ${amount} where binding_id = 'B2'`;
  expect(await foundAfter(set(999_999), set(50))).toEqual({ notes: [], wrong: [] });
});

import { date } from '@repo/domain';
import {
  archivePartitions,
  closeBooks,
  createPartition,
  findBackdated,
  findHeldRefunds,
  findOutcome,
  findOutcomesOf,
  findUsage,
  Ledger,
  missingPartitions,
  restorePartitions,
} from '@repo/ledger';
import { shippedPolicies } from '@repo/policy';
import { expect, test } from 'vitest';
import { account, binding, claim, claims, fact, members, refund } from '../../src/workers/events.ts';
import { Site } from '../../src/workers/site.ts';

const policies = await shippedPolicies();

const MARCH = '2025-03';

/** What is done with March between what happened in it and what happens about it later. */
type Between = (owner: Ledger) => Promise<void>;

/** A family in March and about March in April; answers everything that is stored, published and read of it. */
async function storyWith(between: Between) {
  await using site = await Site.open({ policyOf: policies.policyAt, shards: ['members/0', 'claims/0'] });
  const owner = await Ledger.open({ url: site.url, name: 'owner' });
  const reader = await Ledger.open({ url: site.url, role: 'gongji_reader', name: 'reader' });
  await using opened = new AsyncDisposableStack();
  for (const ledger of [owner, reader]) opened.defer(() => ledger.close());
  await site.run(
    members(
      account('P1', '10.00'),
      account('A1', '500.00'),
      account('A2', '500.00'),
      binding('B1', 'A1', 'P1', { priority: 1, authorised_amount: '500.00', daily_limit: '60.00' }),
      binding('B2', 'A2', 'P1', { priority: 2, relation: 'PARENT', authorised_amount: '500.00' }),
    ),
  );
  await site.run(claims(0, claim('C1', 'P1', '50.00'), claim('C2', 'P1', '90.00', '2025-03-20T10:00:00+08:00')));
  await site.run(claims(0, refund('R0', 'C2', 'P1', '2025-03-21T10:00:00+08:00', '20.00')));
  await site.settleDown();
  // The clock cannot be asked for a month that is over, so the owner moves what was stored now to March.
  for (const table of ['event_id', 'outcome', 'claim_refund'])
    await owner.rows(`update ${table} set month = '2025-03-01'`);
  for (const missing of await missingPartitions(owner, { from: MARCH, through: MARCH }))
    await createPartition(owner, missing);
  await closeBooks(owner, date('2025-03-31'));
  await owner.rows('update shard set published_seq = out_seq');
  for (const { name } of site.shards.values()) await site.shard(name).reopen();
  await between(owner);

  await site.run(claims(0, refund('R1', 'C2', 'P1', '2025-04-02T10:00:00+08:00', '30.00')));
  await site.run(
    claims(
      0,
      refund('R2', 'C2', 'P1', '2025-04-03T10:00:00+08:00'),
      refund('R3', 'C2', 'P1', '2025-04-03T10:00:00+08:00', '0.01'),
      // Sent again, and of a day of which B1's limit is used but for 20.00.
      claim('C1', 'P1', '50.00'),
      claim('C3', 'P1', '100.00', '2025-03-10T18:00:00+08:00'),
      claim('C4', 'P1', '70.00', '2025-04-04T10:00:00+08:00'),
    ),
  );
  await site.run(
    members(
      fact('contribution.missed', { psn_no: 'A1', period: '2025-02', due_date: '2025-02-28' }),
      fact('account.changed', { change_id: 'X1', psn_no: 'A2', status: 'CLOSED', at: '2025-04-05T10:00:00+08:00' }),
    ),
  );
  await site.run(claims(0, refund('R4', 'C3', 'P1', '2025-04-06T10:00:00+08:00')));
  await site.settleDown();

  // Which shard got which number is chance.
  const { entry: _, ...state } = JSON.parse(JSON.stringify(await site.state()).replaceAll(/shard_id\\": \d/g, ''));
  const year = { from: date('2025-01-01'), to: date('2025-12-31') };
  return {
    state: state as unknown,
    entries: await owner.rows(
      `select to_jsonb(all_entry) - '{stored_in,place}'::text[] as entry from all_entry order by psn_no, version`,
    ),
    payers: await Promise.all(['A1', 'A2', 'P1'].map((payer) => findUsage(reader, { payer, ...year }, { limit: 50 }))),
    year: await findUsage(reader, { beneficiary: 'P1', ...year }, { limit: 50 }),
    explained: await Promise.all(['C1', 'C2', 'C3'].map((id) => findOutcome(reader, `claim:${id}`, id))),
    list: (await findOutcomesOf(reader, { topic: 'claims', personNo: 'P1', limit: 100 })).map(({ payload }) => payload),
    backdated: (await findBackdated(reader, { payersMax: 10 })).map(({ reasons, ...draw }) => ({
      ...draw,
      reasons: reasons.length,
    })),
    held: await findHeldRefunds(reader, { personsMax: 10 }),
    sums: await owner.rows('select sum(amount)::text as sum, count(*) from posting'),
    archived: await owner.rows('select count(*)::int as rows from archive.outcome'),
  };
}

test('what comes after a month was archived, or taken back, is settled, explained and listed as if it were not', async () => {
  const { archived, ...asEver } = await storyWith(async () => undefined);
  expect(archived).toEqual([{ rows: 0 }]);
  // It is a story in which all of this happens.
  expect(asEver.explained.map((found) => found?.refunds.length)).toEqual([0, 3, 1]);
  expect(asEver.year.length).toBeGreaterThan(4);
  expect(asEver.backdated.length).toBeGreaterThan(0);
  expect(asEver.held.length).toBeGreaterThan(0);

  const { archived: moved, ...overTheBoundary } = await storyWith((owner) => archivePartitions(owner, MARCH));
  expect(moved).not.toEqual(archived);
  expect(overTheBoundary).toEqual(asEver);

  const { archived: back, ...restored } = await storyWith(async (owner) => {
    await archivePartitions(owner, MARCH);
    await restorePartitions(owner, MARCH);
  });
  expect(back).toEqual(archived);
  expect(restored).toEqual(asEver);
});

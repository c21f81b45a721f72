import { date } from '@repo/domain';
import { cloneDatabase } from '@repo/testkit';
import { afterEach, expect, test } from 'vitest';
import { openOrm } from '../../src/database.ts';
import {
  addMonths,
  archivePartitions,
  closeBooks,
  createPartition,
  currentMonth,
  findOutcome,
  findPartitions,
  findUsage,
  Ledger,
  migrate,
  missingPartitions,
  monthsAhead,
  proveBounds,
  restorePartitions,
} from '../../src/index.ts';
import { binding, claim, lease, open, openLedger, person, settle } from './fixture.ts';

const opened: Ledger[] = [];
afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
});

async function owner(url: string): Promise<Ledger> {
  const ledger = await Ledger.open({ url, name: 'owner', lockTimeoutMs: 50 });
  opened.push(ledger);
  return ledger;
}

/** Where rows are: how many each partition has. */
const counts = async (ledger: Ledger, table: string): Promise<Record<string, number>> => {
  const rows = await ledger.rows<{ name: string; count: number }>(
    `select tableoid::regclass::text as name, count(*)::int as count from ${table} group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
};

const MARCH = '2025-03';

/** Claims of 2025-03-10 that a relative paid, in a month that is over: what the clock cannot be asked for is moved by the owner. */
async function familyOfMarch() {
  const { url, ledger } = await openLedger();
  opened.push(ledger);
  const books = await owner(url);
  await open(ledger, [person('A', '0.00'), person('B', '100.00')], [binding('B', 'A', 1)]);
  const held = await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '30.00'), claim('C2', 'A', '20.00')]);
  await books.rows(`update event_id set month = '2025-03-01'`);
  await books.rows(`update outcome set month = '2025-03-01'`);
  for (const missing of await missingPartitions(books, { from: MARCH, through: MARCH }))
    await createPartition(books, missing);
  return { url, ledger, books, held };
}

const publish = (books: Ledger) => books.rows('update shard set published_seq = out_seq');

/** Everything about March that is read or looked up. */
async function answers(ledger: Ledger, books: Ledger) {
  const [used, known] = await ledger.transact(async (tx) => [
    await tx.usageOf([{ bindingId: 'B-A', on: date('2025-03-10') }]),
    await tx.findIds(['claim:C1', 'claim:C2']),
  ]);
  const places = [...known.values()].flatMap(({ seq, ...place }) => (seq === null ? [] : [{ ...place, seq }]));
  return {
    used,
    outcomes: await ledger.transact((tx) => tx.outcomesAt(places)),
    usage: await findUsage(books, { payer: 'B' }, { limit: 10 }),
    outcome: await findOutcome(books, 'claim:C1', 'C1'),
    posted: await books.rows('select ledger_account, sum(amount) as amount from posting group by 1 order by 1'),
  };
}

test('what falls into a month without a partition is kept in the net, until the month is created', async () => {
  const { url, ledger } = await openLedger();
  opened.push(ledger);
  const books = await owner(url);
  await open(ledger, [person('A', '100.00')]);
  await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '30.00')]);
  expect(await counts(books, 'entry')).toEqual({ entry_default: 2 });
  const missing = await missingPartitions(books, { from: MARCH, through: MARCH });
  expect(missing).toEqual([
    { table: 'outcome', month: MARCH, name: 'outcome_2025_03', waiting: 0 },
    { table: 'entry', month: MARCH, name: 'entry_2025_03', waiting: 2 },
  ]);
  for (const one of missing) await createPartition(books, one);
  expect(await counts(books, 'entry')).toEqual({ entry_2025_03: 2 });
  expect(await missingPartitions(books, { from: MARCH, through: MARCH })).toEqual([]);
});

test('a database that was set up has partitions for three months to come, and a gap counts as the end of them', async () => {
  const { url, ledger } = await openLedger();
  opened.push(ledger);
  const books = await owner(url);
  expect(await monthsAhead(ledger)).toBe(3);
  const now = await currentMonth(books);
  await settle(ledger, await lease(ledger, 0), []);
  const [, second] = [1, 2].map((n) => `outcome_${addMonths(now, n).replace('-', '_')}`);
  await books.rows(`drop table ${second}`);
  expect(await monthsAhead(ledger)).toBe(1);
  await migrate(url);
  expect(await monthsAhead(ledger)).toBe(3);
});

test('the stretch of a partition that rows are added to has no summary in an index, which each of them would change', async () => {
  const { ledger, books } = await familyOfMarch();
  await settle(ledger, await lease(ledger, 1), [claim('C3', 'A', '10.00')]);
  const summarised = await books.rows<{ index: string; now: number }>(
    `select index.relname as index, brin_summarize_range(index.oid, 0) as now
     from pg_class as index join pg_am on pg_am.oid = index.relam join pg_index on indexrelid = index.oid
     where amname = 'brin' and index.relkind = 'i' and pg_relation_size(indrelid) > 0 order by 1`,
  );
  const month = (await currentMonth(books)).replace('-', '_');
  // 1: it had none until it was asked for now.
  const months = ['entry_2025_03_book_day_idx', 'outcome_2025_03_key_idx', `outcome_${month}_key_idx`];
  const nets = ['entry_default_book_day_idx', 'outcome_default_key_idx'];
  expect(summarised).toEqual([...months, ...nets].sort().map((index) => ({ index, now: 1 })));
});

test('a worker that meets the next month writes into it, and where nobody created it, into the net', async () => {
  const { url, ledger } = await openLedger();
  opened.push(ledger);
  const books = await owner(url);
  const now = await currentMonth(books);
  await open(ledger, [person('A', '100.00')]);
  const held = await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '10.00')]);
  const current = `outcome_${now.replace('-', '_')}`;
  expect(await counts(books, 'outcome')).toEqual({ [current]: 1 });
  // As on the first of a month that nobody has created.
  await books.rows(`alter table outcome detach partition ${current}`);
  await settle(ledger, held, [claim('C2', 'A', '10.00')]);
  expect(await counts(books, 'outcome')).toEqual({ outcome_default: 1 });
});

test('a month is archived once it is over, closed and published, and everything about it is answered as before', async () => {
  const { ledger, books } = await familyOfMarch();
  const before = await answers(ledger, books);
  expect(before.outcomes).toEqual(['SETTLED', 'SETTLED']);
  expect(before.used).toMatchObject([{ bindingId: 'B-A', amount: expect.anything() }]);
  const archive = () => archivePartitions(books, MARCH);
  await expect(archivePartitions(books, '2025-02')).rejects.toMatchObject({ refusal: 'NOT_THERE' });
  await expect(archivePartitions(books, await currentMonth(books))).rejects.toMatchObject({ refusal: 'NOT_OVER' });
  await closeBooks(books, date('2025-03-30'));
  await expect(archive()).rejects.toMatchObject({ refusal: 'NOT_CLOSED' });
  await closeBooks(books, date('2025-03-31'));
  await expect(archive()).rejects.toMatchObject({ refusal: 'NOT_PUBLISHED' });
  await publish(books);
  for (const part of await findPartitions(books)) if (part.month === MARCH) await proveBounds(books, part);
  await archive();
  expect(await counts(books, 'archive.entry')).toEqual({ 'archive.entry_2025_03': 3 });
  expect(await counts(books, 'archive.outcome')).toEqual({ 'archive.outcome_2025_03': 2 });
  expect(await counts(books, 'entry')).toEqual({});
  expect(await answers(ledger, books)).toEqual(before);
  await expect(archive()).rejects.toMatchObject({ refusal: 'NOT_THERE' });
  await restorePartitions(books, MARCH);
  expect(await counts(books, 'entry')).toEqual({ entry_2025_03: 3 });
  expect(await answers(ledger, books)).toEqual(before);
  await archive();
  expect(await answers(ledger, books)).toEqual(before);
});

test('nothing is posted to an archived month: a claim dated in it is booked on the first open day', async () => {
  const { ledger, books, held } = await familyOfMarch();
  await closeBooks(books, date('2025-03-31'));
  await publish(books);
  await archivePartitions(books, MARCH);
  await settle(ledger, { ...held, publishedSeq: 2n }, [claim('C3', 'A', '10.00')]);
  expect(await books.rows(`select book_day::text from all_entry where reference = 'C3'`)).toEqual([
    { book_day: '2025-04-01' },
  ]);
  expect(await ledger.transact((tx) => tx.usageOf([{ bindingId: 'B-A', on: date('2025-03-10') }]))).toMatchObject([
    { amount: (await answers(ledger, books)).used[0]?.amount },
  ]);
});

test('a reader that stays is not waited for longer than the lock timeout, and a worker goes on', async () => {
  const { url, ledger, books, held } = await familyOfMarch();
  await closeBooks(books, date('2025-03-31'));
  await publish(books);
  const reader = await owner(url);
  await reader.transact(async (tx) => {
    await tx.rows('select count(*) from entry', []);
    await expect(archivePartitions(books, MARCH)).rejects.toMatchObject({ code: '55P03' });
    await settle(ledger, { ...held, publishedSeq: 2n }, [claim('C3', 'A', '10.00')]);
  });
  await archivePartitions(books, MARCH);
}, 30_000);

test('a lookup searches the partition of its month, besides the net, and use is searched from its day on', async () => {
  const { url, books } = await familyOfMarch();
  const now = (await currentMonth(books)).replace('-', '_');
  await closeBooks(books, date('2025-03-31'));
  await publish(books);
  await archivePartitions(books, MARCH);
  const worker = await Ledger.open({ url, role: 'gongji_worker', name: 'one', connectionsMax: 1 });
  opened.push(worker);
  /** The indexes that were searched, as the server counts them. */
  const searched = async (work: () => Promise<unknown>): Promise<string[]> => {
    const read = async () => {
      await worker.rows('select pg_stat_force_next_flush()');
      return books.rows<{ name: string; scans: number }>(
        `select indexrelname as name, idx_scan::int as scans from pg_stat_all_indexes
         where relname ~ '^(outcome|entry)_' and indexrelname !~ 'key|book_day' order by 1`,
      );
    };
    const before = new Map((await read()).map(({ name, scans }) => [name, scans]));
    await work();
    return (await read()).flatMap(({ name, scans }) => (scans > (before.get(name) ?? 0) ? [name] : []));
  };
  const { seq, ...place } = await worker.transact(async (tx) => {
    const known = (await tx.findIds(['claim:C1'])).get('claim:C1');
    if (known === undefined) throw new Error('the claim is known');
    return known;
  });
  expect(await searched(() => worker.transact((tx) => tx.outcomesAt([{ ...place, seq: seq ?? 0n }])))).toEqual([
    'pk_outcome_2025_03',
    'pk_outcome_default',
  ]);
  const today = date(`${now.replace('_', '-')}-01`);
  const used = await searched(() => worker.transact((tx) => tx.usageOf([{ bindingId: 'B-A', on: today }])));
  expect(used).toContain(`entry_${now}_binding_id_counted_on_idx`);
  expect(used.join()).not.toContain('2025_03');
});

/** The schema of before, filled: what a province has when it updates. */
const LAST = 'migration-20261129-postings';
const cloneOfBefore = () =>
  cloneDatabase({
    key: LAST,
    migrate: async (url) => {
      const orm = await openOrm({ url, name: 'before' });
      await orm.migrator.up({ to: LAST });
      await orm.close(true);
    },
  });

test('a filled ledger of before is parted where it stands, under a worker that runs on', async () => {
  const { url } = await cloneOfBefore();
  const worker = await Ledger.open({ url, role: 'gongji_worker', name: 'older', connectionsMax: 1 });
  opened.push(worker);
  const books = await owner(url);
  // What this code writes and a worker of then did not.
  await books.rows('alter table event_id add column log_offset bigint');
  await books.rows('alter table outcome add column lead int, alter stamp drop not null');
  await open(worker, [person('A', '40.00'), person('B', '100.00')], [binding('B', 'A', 1)]);
  const ahead = { ...claim('C2', 'A', '20.00'), settledAt: Date.now() + 60 * 86_400_000 };
  const held = await settle(worker, await lease(worker, 0), [claim('C1', 'A', '90.00'), ahead]);
  await books.rows(`update outcome set month = '2025-03-01' where seq = 1`);
  await books.rows(`insert into claim_refund select 'C1', shard_id, seq from outcome`);
  const files = () =>
    books.rows(
      `select relname, relfilenode from pg_class where relname in ('pk_outcome', 'pk_entry') order by relname`,
    );
  const [filesBefore, all] = [await files(), await books.rows('select * from entry order by psn_no, version')];

  await books.rows('alter table event_id drop column log_offset');
  await books.rows('alter table outcome drop column lead');
  await migrate(url);
  expect(await files()).toEqual(filesBefore);
  expect(await books.rows('select * from entry order by psn_no, version')).toEqual(all);
  expect(await counts(books, 'outcome')).toEqual({ outcome_beginning: 2 });
  expect(await books.rows('select month::text from claim_refund order by seq')).toEqual([
    { month: '2025-03-01' },
    { month: `${await currentMonth(books)}-01` },
  ]);
  expect(await monthsAhead(books)).toBe(3);
  const kept = await counts(books, 'entry');
  expect(kept).toMatchObject({ entry_beginning: 4 });
  expect(Object.keys(kept)).toHaveLength(2);
  expect(kept.entry_default).toBeUndefined();

  // The same connection, with the statements it has prepared.
  await settle(worker, held, [claim('C3', 'A', '10.00')]);
  expect(await counts(books, 'outcome')).toEqual({ outcome_beginning: 3 });
  await migrate(url);
});

import { type Binding, date, dateOf } from '@repo/domain';
import { until } from '@repo/testkit';
import { expect, test } from 'vitest';
import {
  closeBooks,
  closedDays,
  Fenced,
  findPlace,
  Ledger,
  migrate,
  OtherSchema,
  type ShardLease,
} from '../../src/index.ts';
import { binding, claim, fresh, kept, lease, open, owner, person, settle } from './fixture.ts';

const balances = (ledger: Ledger) =>
  ledger.rows<{ psn_no: string; balance: string; version: string }>(
    'select psn_no, (prior_year + current_year)::text as balance, version from account order by psn_no',
  );

test('a settlement moves money from the accounts that paid, and each posting sums to zero', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '40.00'), person('B', '100.00')], [binding('B', 'A', 1)]);
  await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '90.00')]);
  expect(await balances(ledger)).toEqual([
    { psn_no: 'A', balance: '0.00', version: '2' },
    { psn_no: 'B', balance: '50.00', version: '2' },
  ]);
  const [books] = await (await owner(url)).rows<{ total: string; receivable: string }>(
    `select sum(amount)::text as total, (sum(amount) filter (where ledger_account = 'institution:H33010600001'))::text as receivable from posting`,
  );
  expect(books).toEqual({ total: '0.00', receivable: '90.00' });
});

test('of each event is kept where it was read; of what was taken before that was so, and of what was loaded, it is not', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const first = await settle(ledger, await lease(ledger, 1), [claim('C1', 'A', '10.00')]);
  await settle(ledger, first, [claim('C3', 'A', '10.00'), claim('C2', 'A', '10.00')]);
  const place = { topic: 'claims', partition: 1, contentHash: expect.any(Buffer) };
  expect(await findPlace(ledger, 'claim:C1')).toEqual({ ...place, offset: 0n });
  expect(await findPlace(ledger, 'claim:C2')).toEqual({ ...place, offset: 2n });
  expect(await findPlace(ledger, 'claim:C3')).toEqual({ ...place, offset: 1n });
  expect(await findPlace(ledger, 'claim:C4')).toBeUndefined();
  const ours = await owner(url);
  await ours.rows(`update event_id set log_offset = null where event_id = 'claim:C1'`);
  expect(await findPlace(ledger, 'claim:C1')).toEqual({ ...place, offset: null });
  await ours.rows(`update event_id set shard_id = 0 where event_id = 'claim:C2'`);
  expect(await findPlace(ledger, 'claim:C2')).toBeUndefined();
});

test('an epoch that was taken away writes nothing', async () => {
  const { ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const zombie = await lease(ledger, 0);
  const owner = await lease(ledger, 0);
  await expect(settle(ledger, zombie, [claim('C1', 'A', '10.00')])).rejects.toBeInstanceOf(Fenced);
  await settle(ledger, owner, [claim('C1', 'A', '10.00')]);
  expect(await balances(ledger)).toEqual([{ psn_no: 'A', balance: '90.00', version: '2' }]);
});

test('the same offsets are never applied twice', async () => {
  const { ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const held = await lease(ledger, 0);
  await settle(ledger, held, [claim('C1', 'A', '10.00')]);
  await expect(settle(ledger, held, [claim('C1', 'A', '10.00')])).rejects.toBeInstanceOf(Fenced);
});

test('offsets that hold nothing are passed over by the shard’s owner alone, and only from where it stands', async () => {
  const { ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const zombie = await lease(ledger, 0);
  const held = await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '10.00')]);
  await expect(ledger.skipTo({ ...zombie, nextOffset: held.nextOffset }, 5n)).rejects.toBeInstanceOf(Fenced);
  await expect(ledger.skipTo({ ...held, nextOffset: 0n }, 5n)).rejects.toBeInstanceOf(Fenced);
  await ledger.skipTo(held, 5n);
  expect(await ledger.readShard(held.shard)).toMatchObject({ nextOffset: 5n, outSeq: 1n });
  await settle(ledger, { ...held, nextOffset: 5n }, [claim('C2', 'A', '10.00')]);
});

test('two shards that share a payer never take more than there is, nor wait for each other in a circle', async () => {
  const { ledger } = await fresh();
  const members = ['A', 'B', 'C', 'D'];
  await open(
    ledger,
    [...members, 'P', 'Q'].map((who) => person(who, who < 'E' ? '0.00' : '500.00')),
    members.flatMap((who, n) => [binding('P', who, n % 2), binding('Q', who, 1 - (n % 2))]),
  );
  const run = async (partition: number, people: readonly string[]) => {
    let held = await lease(ledger, partition);
    for (let round = 0; round < 20; round++) {
      held = await settle(
        ledger,
        held,
        people.map((who) => claim(`C${partition}-${round}-${who}`, who, '17.00')),
      );
    }
  };
  await Promise.all([run(0, ['A', 'B']), run(1, ['D', 'C'])]);
  const [sums] = await ledger.rows<{ left: string; paid: string }>(
    `select (select sum(prior_year + current_year)::text from account) as left, (-sum(prior_year + current_year))::text as paid
     from entry where kind = 'CLAIM'`,
  );
  expect(sums).toEqual({ left: '0.00', paid: '1000.00' });
});

test('an id that two shards take at the same moment is taken once; the other begins again and sees it', async () => {
  const { ledger } = await fresh();
  await open(ledger, [person('A', '100.00'), person('B', '100.00')]);
  const [first, second] = [await lease(ledger, 0), await lease(ledger, 1)];
  let attempts = 0;
  const other = ledger.transact(async (tx) => {
    attempts += 1;
    await tx.lockShard(second);
    if ((await tx.findIds(['claim:C1'])).size > 0) return 'known';
    await settle(ledger, first, [claim('C1', 'A', '10.00')]);
    await tx.rows(
      `insert into event_id (event_id, content_hash, shard_id, month) values ('claim:C1', '\\x00', 2, now())`,
      [],
    );
    return 'taken';
  });
  expect(await other).toBe('known');
  expect(attempts).toBe(2);
});

test('what a batch reads of a person follows their columns, whoever changes them', async () => {
  const { ledger } = await fresh();
  await open(ledger, [person('A', '40.00')]);
  const read = () => ledger.transact(async (tx) => (await tx.lockPersons(['A']))[0]);
  const before = await read();
  await ledger.rows(`update account set employment = 'RETIRED', status = 'FROZEN', card_active = not card_active,
    employer_enabled = not employer_enabled, wallet_open = not wallet_open, insu_admdvs = '330100', insutype = '390',
    psn_type = '2101', uninsured_since = '2025-01-02', arrears_since = '2025-01-03', spell_since = '1969-12-31',
    spell_start = '2025-01-05', recovered_on = '2025-01-06', as_of_period = '2025-01' where psn_no = 'A'`);
  const { purse, ...facts } = (await read()) ?? {};
  expect(purse).toEqual(before?.purse);
  expect(facts).toEqual({
    personNo: 'A',
    employment: 'RETIRED',
    status: 'FROZEN',
    cardActive: !before?.cardActive,
    employerEnabled: !before?.employerEnabled,
    walletOpen: !before?.walletOpen,
    insuredArea: '330100',
    insuranceKind: '390',
    personCategory: '2101',
    uninsuredSince: '2025-01-02',
    arrearsSince: '2025-01-03',
    spellSince: '1969-12-31',
    lastSpellStart: '2025-01-05',
    recoveredOn: '2025-01-06',
    asOfPeriod: '2025-01',
  });
});

test('an account knows while bindings of its owner are paused because it was empty', async () => {
  const { ledger } = await fresh();
  const holds: Binding['holds'] = new Map([['ZERO_BALANCE', date('2025-01-02')]]);
  const paused = { state: 'PAUSED', holds } as const;
  await open(
    ledger,
    ['A', 'B', 'C'].map((who) => person(who, '40.00')),
    [{ ...binding('B', 'A', 1), ...paused }, { ...binding('B', 'C', 1), ...paused }, binding('C', 'A', 2)],
  );
  const emptied = () =>
    ledger.transact(async (tx) => {
      await tx.lockPersons(['A', 'B', 'C']);
      return [...tx.accounts].flatMap(([personNo, { isEmptied }]) => (isEmptied ? [personNo] : []));
    });
  const lift = (beneficiary: string) =>
    ledger.rows(`update binding set state = 'ACTIVE', held_zero_balance = null where beneficiary = '${beneficiary}'`);
  expect(await emptied()).toEqual(['B']);
  await lift('A');
  expect(await emptied()).toEqual(['B']);
  await lift('C');
  expect(await emptied()).toEqual([]);
  await ledger.rows(`update binding set state = 'PAUSED', held_zero_balance = '2025-03-01' where payer = 'C'`);
  expect(await emptied()).toEqual(['C']);
});

test('the worker cannot change or remove an entry, and the reader can only read', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const denied = { code: '42501' };
  await expect(ledger.rows('update entry set prior_year = 0')).rejects.toMatchObject(denied);
  await expect(ledger.rows('delete from entry')).rejects.toMatchObject(denied);
  await expect(ledger.rows('delete from outcome')).rejects.toMatchObject(denied);
  await expect(ledger.rows('select psn_name from person_name')).rejects.toMatchObject(denied);
  const reader = kept(await Ledger.open({ url, role: 'gongji_reader', name: 'reader' }));
  await expect(reader.rows('update account set held = 0')).rejects.toMatchObject(denied);
  await expect(reader.rows(`insert into person_name values ('A', 'B')`)).rejects.toMatchObject(denied);
  expect(await balances(reader)).toHaveLength(1);
});

test('the database refuses what the domain would never write', async () => {
  const { url } = await fresh();
  const bureau = await owner(url);
  await open(bureau, [person('A', '100.00')]);
  const broken = (constraint: string) => ({ constraint });
  await expect(bureau.rows('update account set prior_year = -1')).rejects.toMatchObject(
    broken('ck_account_prior_year'),
  );
  await expect(bureau.rows('update account set prior_year = 99')).rejects.toMatchObject(broken('ck_account_sums'));
  await expect(bureau.rows('update account set year = null')).rejects.toMatchObject(broken('ck_account_none'));
});

test('migrating again changes nothing', async () => {
  const { url, ledger } = await fresh();
  await migrate(url);
  expect(await ledger.missingMigrations()).toEqual([]);
});

test('the number of statements does not grow with the batch', async () => {
  const { ledger } = await fresh();
  const people = Array.from({ length: 40 }, (_, n) => `P${n}`);
  await open(
    ledger,
    people.map((who) => person(who, '100.00')),
  );
  let held = await lease(ledger, 0);
  const counts: number[] = [];
  for (const size of [1, 40]) {
    let statements = 0;
    const transact = ledger.transact.bind(ledger);
    const counting = Object.assign(Object.create(ledger) as Ledger, {
      transact: (work: Parameters<Ledger['transact']>[0]) =>
        transact((tx) => {
          const rows = tx.rows.bind(tx);
          tx.rows = (sql, parameters) => {
            statements += 1;
            return rows(sql, parameters);
          };
          return work(tx);
        }),
    });
    held = await settle(
      counting,
      held,
      people.slice(0, size).map((who) => claim(`S${size}-${who}`, who, '5.00')),
    );
    counts.push(statements);
  }
  expect(counts[0]).toBe(counts[1]);
  expect(counts[0]).toBeLessThan(14);
});

test('the books of a day close: debits equal credits, and no later posting carries that day', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const held = await settle(ledger, await lease(ledger, 0), [claim('C1', 'A', '10.00')]);
  const bureau = await owner(url);
  expect(await closeBooks(bureau, date('2025-03-10'))).toEqual([
    { day: '2025-03-10', entries: 2, debits: '110.00', credits: '110.00' },
  ]);
  await settle(ledger, held, [claim('C2', 'A', '20.00')]);
  await settle(ledger, await lease(ledger, 1), [claim('C3', 'A', '30.00')]);
  const days = await ledger.rows(
    `select reference, on_day::text, book_day::text from entry where kind = 'CLAIM' order by reference`,
  );
  expect(days).toEqual([
    { reference: 'C1', on_day: '2025-03-10', book_day: '2025-03-10' },
    { reference: 'C2', on_day: '2025-03-10', book_day: '2025-03-11' },
    { reference: 'C3', on_day: '2025-03-10', book_day: '2025-03-11' },
  ]);
  expect(await closeBooks(bureau, date('2025-03-10'))).toEqual([]);
  expect(await closedDays(bureau)).toHaveLength(1);
});

test('a day that has not begun is not closed, nor any where no worker has been, and nothing changes', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const bureau = await owner(url);
  await expect(closeBooks(bureau, date('2025-03-10'))).rejects.toMatchObject({ reason: 'NO_SHARD' });
  await lease(ledger, 0);
  const tomorrow = dateOf(Date.now() + 24 * 3_600_000);
  await expect(closeBooks(bureau, tomorrow)).rejects.toMatchObject({ reason: 'NOT_BEGUN' });
  expect(await closedDays(bureau)).toEqual([]);
  expect(await bureau.rows('select from shard where closed_through is not null')).toEqual([]);
  expect(await closeBooks(bureau, date('2025-03-10'))).toHaveLength(1);
});

/** Whether a session of that name waits for a lock. */
async function isWaiting(ours: Ledger, name: string): Promise<boolean | undefined> {
  const [asked] = await ours.rows<{ waits: boolean }>(
    `select exists (select from pg_locks join pg_stat_activity using (pid)
       where not granted and application_name = $1 and datname = current_database()) as waits`,
    [name],
  );
  return asked?.waits;
}

test('several shards are locked at once and answered as asked; a new owner of one of them is noticed, even one that comes meanwhile', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const [first, second] = [await lease(ledger, 0), await lease(ledger, 1)];
  const moved = await settle(ledger, second, [claim('C1', 'A', '10.00')]);
  const worker = kept(await Ledger.open({ url, role: 'gongji_worker', name: 'worker' }));
  const lock = (...leases: ShardLease[]) => worker.transact((tx) => tx.lockShards(leases));
  expect(await lock(moved, first)).toMatchObject([{ outSeq: 1n }, { outSeq: 0n }]);
  await expect(lock(first, second)).rejects.toBeInstanceOf(Fenced);
  const ours = await owner(url);
  let locking: Promise<unknown> | undefined;
  await ledger.transact(async (tx) => {
    await tx.rows('update shard set epoch = epoch + 1 where partition = 0', []);
    locking = lock(moved, first).catch((error: unknown) => error);
    await until(() => isWaiting(ours, 'worker'), { what: 'the worker waits for the row' });
  });
  expect(await locking).toBeInstanceOf(Fenced);
});

test('closing waits for a batch that is under way, whose day it takes in, and neither has to begin again', async () => {
  const { url, ledger } = await fresh();
  await open(ledger, [person('A', '100.00')]);
  const retries: string[] = [];
  const onRetry = (code: string): void => void retries.push(code);
  const worker = kept(await Ledger.open({ url, role: 'gongji_worker', name: 'worker', onRetry }));
  const bureau = kept(await Ledger.open({ url, name: 'bureau', onRetry }));
  let closing: ReturnType<typeof closeBooks> | undefined;
  const ours = await owner(url);
  await settle(worker, await lease(ledger, 0), [claim('C1', 'A', '10.00')], async () => {
    closing = closeBooks(bureau, date('2025-03-10'));
    await until(() => isWaiting(ours, 'bureau'), { what: 'closing waits for the batch' });
  });
  expect(await closing).toEqual([{ day: '2025-03-10', entries: 2, debits: '110.00', credits: '110.00' }]);
  expect(retries).toEqual([]);
});

test('closing waits for a bulk load that is under way, whose day it takes in', async () => {
  const { url, ledger } = await fresh();
  await lease(ledger, 0);
  const [ours, bureau] = [await owner(url), kept(await Ledger.open({ url, name: 'bureau' }))];
  const loader = kept(await Ledger.open({ url, name: 'loader' }));
  let loading: Promise<void> | undefined;
  let closing: ReturnType<typeof closeBooks> | undefined;
  const undone = ours.transact(async (tx) => {
    // The load has looked at what is closed when it meets an event that another transaction has entered too.
    await tx.rows(
      `insert into event_id (event_id, content_hash, shard_id, month) values ('load:0', '\\x00', 0, '2025-03-01')`,
      [],
    );
    loading = open(loader, [person('A', '100.00')]);
    await until(() => isWaiting(ours, 'loader'), { what: 'the load waits for the event' });
    closing = closeBooks(bureau, date('2025-03-10'));
    await until(() => isWaiting(ours, 'bureau'), { what: 'closing waits for the load' });
    throw new Error('undone');
  });
  await expect(undone).rejects.toThrow('undone');
  await loading;
  expect(await closing).toEqual([{ day: '2025-03-10', entries: 1, debits: '100.00', credits: '100.00' }]);
});

test('a database that another version set up is refused, and named', async () => {
  const { url } = await fresh();
  await migrate(url);
  await (await owner(url)).rows(`insert into migration (name, executed_at) values ('migration-20991231-later', now())`);
  await expect(migrate(url)).rejects.toThrow(OtherSchema);
  await expect(migrate(url)).rejects.toThrow('migration-20991231-later');
});

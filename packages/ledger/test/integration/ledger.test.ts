import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Binding, date } from '@repo/domain';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  closeBooks,
  closedDays,
  Fenced,
  findPlace,
  isTransient,
  Ledger,
  type LedgerTransaction,
  migrate,
  OtherSchema,
  Raced,
} from '../../src/index.ts';
import { binding, claim, lease, open, openLedger, person, settle } from './fixture.ts';

const opened: Ledger[] = [];
afterEach(async () => {
  for (const ledger of opened.splice(0)) await ledger.close();
});

async function fresh() {
  const { url, ledger } = await openLedger();
  opened.push(ledger);
  return { url, ledger };
}

const balances = (ledger: Ledger) =>
  ledger.rows<{ psn_no: string; balance: string; version: string }>(
    'select psn_no, (prior_year + current_year)::text as balance, version from account order by psn_no',
  );

async function owner(url: string): Promise<Ledger> {
  const ledger = await Ledger.open({ url, name: 'owner' });
  opened.push(ledger);
  return ledger;
}

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
  const reader = await Ledger.open({ url, role: 'gongji_reader', name: 'reader' });
  opened.push(reader);
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

test('whatever is copied into a table is what stands there', async () => {
  const ledger = await owner((await fresh()).url);
  // All that text in PostgreSQL can be, with what COPY gives a meaning to more often than chance would.
  const text = fc.oneof(
    fc.string({
      unit: fc.oneof(fc.constantFrom('\\', '\t', '\n', '\r', '.', 'N'), fc.string({ minLength: 1, unit: 'binary' })),
    }),
    fc.constantFrom('\\N', '\\.', '', ' '),
  );
  const stored = text.filter((each) => each.isWellFormed() && !each.includes('\0'));
  const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
  const row = fc.tuple(fc.option(stored), fc.option(bytes), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  const run = fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (rows) => {
    const found = await ledger.transact(async (tx) => {
      tx.send('create temporary table copied (n int, s text, b bytea, i bigint) on commit drop', []);
      const columns = ['n', 's', 'b', 'i'];
      tx.copy(
        'copied',
        columns,
        rows.map((each, n) => [n, ...each]),
      );
      tx.copy('copied', columns, []);
      return tx.rows<{ s: string | null; b: Buffer | null; i: string }>('select s, b, i from copied order by n', []);
    });
    expect(found.map(({ s, b, i }) => [s, b, BigInt(i)])).toEqual(rows);
  });
  await fc.assert(run, { numRuns: 50 });
});

test('rows that are refused on their way into a table undo the transaction, and its connection goes on', async () => {
  const { ledger } = await fresh();
  const transact = (ids: readonly string[], before: string) =>
    ledger.transact(async (tx) => {
      if (before !== '') tx.send(before, []);
      const month = date('2025-03-01');
      tx.copy(
        'event_id',
        ['event_id', 'content_hash', 'shard_id', 'month'],
        ids.map((id) => [id, Buffer.alloc(16), 0, month]),
      );
      tx.send('select 1', []);
    });
  const taken = () => ledger.rows<{ event_id: string }>('select event_id from event_id order by 1');
  await transact(['A', 'B'], '');
  // One that is taken is a race, begun again until it is enough; what stands before and behind the copy is refused with it.
  await expect(transact(['C', 'B', 'D'], '')).rejects.toMatchObject({ code: '23505', constraint: 'pk_event_id' });
  // After an error the server expects no rows, and leaves those that come unread.
  await expect(transact(['E'], 'select 1 / 0')).rejects.toMatchObject({ code: '22012' });
  expect(await taken()).toEqual([{ event_id: 'A' }, { event_id: 'B' }]);
  await transact(['F'], '');
  expect(await taken()).toEqual(['A', 'B', 'F'].map((event_id) => ({ event_id })));
  expect(await ledger.connections()).toMatchObject({ busy: 0, waiting: 0 });
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

test('a transaction is told what failed first, and begins again for it, though something later was waited for', async () => {
  const { ledger } = await fresh();
  let attempts = 0;
  const ended = ledger.transact(async (tx) => {
    attempts += 1;
    const [code, text] = attempts === 1 ? ['40P01', 'a deadlock'] : ['P0001', 'a defect'];
    tx.send(`do $$ begin raise exception using errcode = '${code}', message = '${text}'; end $$`, []);
    await tx.rows('select 1', []);
  });
  await expect(ended).rejects.toMatchObject({ code: 'P0001' });
  expect(attempts).toBe(2);
});

test('a connection that is cut inside a transaction leaves room for the next one', async () => {
  const { url } = await fresh();
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'cut', connectionsMax: 1 });
  opened.push(ledger);
  const admin = await owner(url);
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut' and state like 'idle in transaction%'`;
  for (let round = 0; round < 3; round++) {
    const work = ledger.transact(async (tx) => {
      await tx.rows('select 1', []);
      await admin.rows(cut, []);
      await tx.rows('select 1', []);
    });
    await expect(work).rejects.toThrow(/terminat|not queryable/i);
  }
  expect(await ledger.rows('select 1 as one')).toEqual([{ one: 1 }]);
});

test('who finds every connection taken waits for a while and not for ever, and goes on once one is free', async () => {
  const { url } = await fresh();
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'small', connectionsMax: 1 });
  opened.push(ledger);
  const [taken, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = ledger.transact(async (tx) => {
    await tx.rows('select 1', []);
    taken.resolve();
    await free.promise;
  });
  await taken.promise;
  const refused = await ledger.rows('select 1').catch((thrown: unknown) => thrown);
  expect(isTransient(refused)).toBe(true);
  expect(await ledger.connections()).toMatchObject({ busy: 1 });
  free.resolve();
  await holding;
  expect(await ledger.rows('select 1 as one')).toEqual([{ one: 1 }]);
});

test.for<[what: string, limits: object, work: (tx: LedgerTransaction) => Promise<unknown>]>([
  ['statement', { statementTimeoutMs: 200 }, (tx) => tx.rows('select pg_sleep(60)', [])],
  [
    'transaction',
    { transactionTimeoutMs: 200 },
    async (tx) => {
      await tx.rows('select 1', []);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return tx.rows('select 1', []);
    },
  ],
])(
  'a %s that takes longer than its limit is ended by the server, and passes for an outage',
  async ([, limits, work]) => {
    const { url } = await fresh();
    const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'slow', ...limits });
    opened.push(ledger);
    const error = await ledger.transact(work).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(isTransient(error)).toBe(true);
    expect(await ledger.rows('select 1 as one')).toEqual([{ one: 1 }]);
  },
);

test('a transaction that others overtake is begun again, but not for ever', async () => {
  const { url } = await fresh();
  const retried: string[] = [];
  const ledger = await Ledger.open({
    url,
    role: 'gongji_worker',
    name: 'raced',
    onRetry: (code) => retried.push(code),
  });
  opened.push(ledger);
  let attempts = 0;
  const work = () => {
    attempts += 1;
    throw new Raced('always');
  };
  await expect(ledger.transact(work)).rejects.toBeInstanceOf(Raced);
  expect({ attempts, retried: retried.length }).toEqual({ attempts: 8, retried: 7 });
});

test('a network that swallows the answer costs one attempt and its connection, not the worker', async () => {
  const { url } = await fresh();
  const to = new URL(url);
  const accepted: Socket[] = [];
  let isSilent = false;
  const relay = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    accepted.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => isSilent || near.write(chunk));
  });
  await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((relay.address() as AddressInfo).port);
  const options = { role: 'gongji_worker', name: 'far', connectionsMax: 1, answerTimeoutMs: 500 } as const;
  const ledger = await Ledger.open({ url: through.href, ...options });
  opened.push(ledger);
  const work = () => ledger.transact((tx) => tx.rows<{ one: number }>('select 1 as one', []));
  expect(await work()).toEqual([{ one: 1 }]);
  isSilent = true;
  const error = await work().catch((thrown: unknown) => thrown);
  expect(isTransient(error)).toBe(true);
  isSilent = false;
  expect(await work()).toEqual([{ one: 1 }]);
  for (const socket of accepted) socket.destroy();
  relay.close();
});

test('a database that another version set up is refused, and named', async () => {
  const { url } = await fresh();
  await migrate(url);
  await (await owner(url)).rows(`insert into migration (name, executed_at) values ('migration-20991231-later', now())`);
  await expect(migrate(url)).rejects.toThrow(OtherSchema);
  await expect(migrate(url)).rejects.toThrow('migration-20991231-later');
});

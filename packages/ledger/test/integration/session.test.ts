import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { date } from '@repo/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTransient, Ledger, type LedgerTransaction, Raced } from '../../src/index.ts';
import { Session } from '../../src/session.ts';
import { fresh, kept, owner } from './fixture.ts';

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

test('where BEGIN fails nothing is written', async () => {
  const { ledger } = await fresh();
  const ended = Session.run(ledger.orm, 'isolation level unheard of', async (session) => {
    await session.rows('select 1', []);
    session.copy(
      'event_id',
      ['event_id', 'content_hash', 'shard_id', 'month'],
      [['A', Buffer.alloc(16), 0, '2025-03-01']],
    );
  });
  await expect(ended).rejects.toMatchObject({ code: '42601' });
  expect(await ledger.rows('select from event_id')).toEqual([]);
  expect(await ledger.connections()).toMatchObject({ busy: 0, waiting: 0 });
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
  const ledger = kept(await Ledger.open({ url, role: 'gongji_worker', name: 'cut', connectionsMax: 1 }));
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
  const ledger = kept(await Ledger.open({ url, role: 'gongji_worker', name: 'small', connectionsMax: 1 }));
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
    const ledger = kept(await Ledger.open({ url, role: 'gongji_worker', name: 'slow', ...limits }));
    const error = await ledger.transact(work).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(isTransient(error)).toBe(true);
    expect(await ledger.rows('select 1 as one')).toEqual([{ one: 1 }]);
  },
);

test('a transaction that others overtake is begun again, but not for ever', async () => {
  const { url } = await fresh();
  const retried: string[] = [];
  const ledger = kept(
    await Ledger.open({
      url,
      role: 'gongji_worker',
      name: 'raced',
      onRetry: (code) => retried.push(code),
    }),
  );
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
  const ledger = kept(await Ledger.open({ url: through.href, ...options }));
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

import { inSession } from '@repo/embedded';
import { beforeAll, expect, test } from 'vitest';
import { releaseDatabases } from '../../src/database.ts';
import { type ClonedDatabase, cloneDatabase, testDatabaseUrl } from '../../src/index.ts';

let migrations = 0;
const options = {
  key: 'database.test.ts 1',
  migrate: async (url: string): Promise<void> => {
    migrations += 1;
    await inSession(url, (client) => client.query('CREATE TABLE note (text text)'));
  },
};

let first: ClonedDatabase;
beforeAll(async () => {
  first = await cloneDatabase(options);
});

test('a clone has the schema of the template, and what is written to it stays in it', async () => {
  const second = await cloneDatabase(options);
  await inSession(first.url, (client) => client.query("INSERT INTO note VALUES ('first')"));
  const rows = await inSession(second.url, async (client) => (await client.query('SELECT * FROM note')).rows);
  expect(rows).toEqual([]);
  expect(migrations).toBe(1);
});

test('many who ask at once for a new schema get it migrated once', async () => {
  let calls = 0;
  const migrate = async (url: string): Promise<void> => {
    calls += 1;
    await inSession(url, (client) => client.query('CREATE TABLE other (id int)'));
  };
  const databases = await Promise.all(Array.from({ length: 4 }, () => cloneDatabase({ key: 'at once', migrate })));
  expect(new Set(databases.map(({ name }) => name)).size).toBe(4);
  expect(calls).toBe(1);
});

test('databases are kept for a file that failed, and dropped for one that succeeded', async () => {
  const exists = ({ name }: ClonedDatabase): Promise<boolean> =>
    inSession(testDatabaseUrl(), async (client) => {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      return rowCount === 1;
    });
  const kept = await cloneDatabase(options);
  await releaseDatabases(true);
  const dropped = await cloneDatabase(options);
  await releaseDatabases(false);
  expect([await exists(kept), await exists(dropped)]).toEqual([true, false]);
  await inSession(testDatabaseUrl(), (client) => client.query(`DROP DATABASE ${kept.name}`));
});

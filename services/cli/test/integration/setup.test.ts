import { randomBytes } from 'node:crypto';
import { topicsOf } from '@repo/contracts';
import { Ledger, schemaKey } from '@repo/ledger';
import { countPartitions } from '@repo/messaging';
import { freshTopicPrefix, testBrokers, testDatabaseUrl } from '@repo/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { run } from '../../src/commands/setup.ts';
import { readSettings } from '../../src/config.ts';

const database = `setup_${randomBytes(6).toString('hex')}`;
const databaseUrl = Object.assign(new URL(testDatabaseUrl()), { pathname: `/${database}` }).href;
const settings = {
  ...readSettings(),
  databaseUrl,
  kafkaBrokers: testBrokers().split(','),
  topicPrefix: freshTopicPrefix(),
  partitions: 2,
};

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(() => query(testDatabaseUrl(), `create database ${database}`));
afterAll(() => query(testDatabaseUrl(), `drop database ${database} with (force)`));

test('an empty database and broker are set up, once, and a second time changes nothing', async () => {
  using said = vi.spyOn(console, 'log').mockImplementation(() => {});
  expect(await run([], settings)).toBe(0);
  expect(said).toHaveBeenCalledWith(
    `The schema is there, and so are the topics ${settings.topicPrefix}.* with 2 partitions.`,
  );
  const migrations = await query(databaseUrl, 'select name, executed_at from migration order by id');
  expect(migrations.map(({ name }) => name).join()).toBe(schemaKey());
  expect(await run([], settings)).toBe(0);
  expect(await query(databaseUrl, 'select name, executed_at from migration order by id')).toEqual(migrations);
});

test('topics of another size are refused, since every key would move', async () => {
  await expect(run([], { ...settings, partitions: 3 })).rejects.toThrow(/has 2 partitions, expected 3/);
});

test('topics are not made with another size than the database knows', async () => {
  const topicPrefix = freshTopicPrefix();
  const { claims, members } = topicsOf(topicPrefix);
  const ledger = await Ledger.open({ url: databaseUrl, name: 'test' });
  await ledger.acquireShard({ topic: members, partition: 0 }, 'a worker', 2);
  await ledger.close();
  await expect(run([], { ...settings, topicPrefix, partitions: 3 })).rejects.toThrow(
    `GONGJI_PARTITIONS is 3, but this database knows ${members} with 2 partitions: set GONGJI_PARTITIONS=2`,
  );
  const connection = { brokers: settings.kafkaBrokers, clientId: 'setup-test' };
  expect(await countPartitions(connection, claims, 0)).toBeUndefined();
});

test('a server that refuses is told by its code, without the URL', async () => {
  const wrong = Object.assign(new URL(databaseUrl), { password: 'wrong' }).href;
  await expect(run([], { ...settings, databaseUrl: wrong })).rejects.toThrow(
    /^PostgreSQL refuses the user or the password \(28P01\): check both in the database URL$/,
  );
});

test('without servers there is nothing to set up', async () => {
  using said = vi.spyOn(console, 'error').mockImplementation(() => {});
  expect(await run([], { ...settings, databaseUrl: undefined })).toBe(2);
  expect(said).toHaveBeenCalledOnce();
});

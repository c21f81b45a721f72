import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, test } from 'vitest';
import { keyFile } from './shard.fixture.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

test('on the schema of an earlier version a worker takes nothing: it ends, and names what is missing', async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const owner = await Ledger.open({ url, name: 'owner' });
  const [last] = await owner.rows<{ name: string }>(
    'delete from migration where name = (select max(name) from migration) returning name',
  );
  const env = {
    PATH: process.env.PATH,
    GONGJI_KAFKA_BROKERS: testBrokers(),
    GONGJI_DATABASE_URL: url,
    GONGJI_TOPIC_PREFIX: freshTopicPrefix(),
    GONGJI_ENVELOPE_KEY_FILE: await keyFile(),
  };
  const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(process.execPath, [MAIN], { env, timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code, text: stdout + stderr }),
    );
  });
  expect(code).toBe(1);
  expect(text).toContain('the database lacks migrations');
  expect(text).toContain(last?.name);
  expect(await owner.rows('select from shard')).toEqual([]);
  await owner.close();
});

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { createTopics } from '@repo/messaging';
import { cloneDatabase, freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { keyFile } from './shard.fixture.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function setUp(partitions: number) {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const prefix = freshTopicPrefix();
  const topics = await createTopics({
    connection: { brokers: testBrokers().split(','), clientId: prefix },
    prefix,
    partitions,
  });
  const owner = await Ledger.open({ url, name: 'owner' });
  onTestFinished(() => owner.close());
  const envelopeKeyFile = await keyFile();
  /** Runs a worker with such a setting until it ends by itself. */
  const endedWith = (setting: number) =>
    new Promise<{ code: unknown; text: string }>((resolve) => {
      const env = {
        PATH: process.env.PATH,
        GONGJI_KAFKA_BROKERS: testBrokers(),
        GONGJI_DATABASE_URL: url,
        GONGJI_TOPIC_PREFIX: prefix,
        GONGJI_PARTITIONS: String(setting),
        GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
      };
      execFile(process.execPath, [MAIN], { env, timeout: 50_000 }, (error, stdout, stderr) =>
        resolve({ code: error?.code, text: stdout + stderr }),
      );
    });
  return { owner, topics, endedWith };
}

test('a worker whose count of partitions is not its topic’s takes nothing: it ends, and says what to set', async () => {
  const { owner, endedWith } = await setUp(2);
  const { code, text } = await endedWith(1);
  expect(code).toBe(1);
  expect(text).toMatch(/GONGJI_PARTITIONS is 1, but \S+ has 2 partitions: set GONGJI_PARTITIONS=2/);
  expect(await owner.rows('select from shard')).toEqual([]);
});

test('once shards are taken it is their count that must be set, whatever the topic has grown to', async () => {
  const { owner, topics, endedWith } = await setUp(2);
  await owner.acquireShard({ topic: topics.claims, partition: 0 }, 'before', 1);
  const { code, text } = await endedWith(2);
  expect(code).toBe(1);
  expect(text).toMatch(
    /GONGJI_PARTITIONS is 2, but this database knows \S+ with 1 partitions: set GONGJI_PARTITIONS=1/,
  );
  expect(await owner.rows('select partition, epoch::int from shard')).toEqual([{ partition: 0, epoch: 1 }]);
  // A partition that was added counts as one too many, not as a shard of a larger topic.
  expect(await owner.acquireShard({ topic: topics.claims, partition: 1 }, 'after', 2)).toMatchObject({ partitions: 1 });
});

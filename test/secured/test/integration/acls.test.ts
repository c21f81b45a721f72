import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  createTopics,
  findTruncated,
  KafkaLog,
  KafkaPublisher,
  PositionReader,
  RecordReader,
  readToEnd,
  Sender,
  type TopicNames,
  tail,
  topicNames,
} from '@repo/messaging';
import { arrearsMessages } from '@repo/shard-worker';
import { freshTopicPrefix, until } from '@repo/testkit';
import { explainRefusal } from '@repo/transport';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Login } from '../../src/servers.ts';
import { type Acl, describeAcl, FOLDER, readAcls, setAcls, takeAcls } from '../acls.ts';
import { Reader } from '../reader.ts';
import { accessOf, scramOf, secured } from '../settings.ts';

const prefix = freshTopicPrefix();
const topics: TopicNames = topicNames(prefix);
const ACLS = readAcls(prefix);
const OPEN = { brokers: [secured.openBrokers], clientId: 'secured-test' };

const connectionOf = (login: Login, clientId = 'secured-test') => ({
  brokers: [secured.brokers],
  clientId,
  ...accessOf(scramOf(login)),
});

beforeAll(async () => {
  await createTopics({ connection: OPEN, prefix, partitions: 1 });
  await using sender = await Sender.open(OPEN);
  for (const topic of Object.values(topics)) await sender.sendAll(topic, [{ key: 'P1', value: 'first' }]);
  await setAcls(ACLS, true);
});
afterAll(() => takeAcls(ACLS, prefix));

/** What a worker asks of the broker: reads its topic as a member of its group, publishes as its shard's transaction. */
async function work(login: 'settlement-worker' | 'sharing-worker', input: string, resultsTopic: string): Promise<void> {
  const connection = connectionOf(login);
  const app = `${prefix}-${login}`;
  const read = Promise.withResolvers<string>();
  const log = new KafkaLog({ connection, topic: input, groupId: app, onCrash: read.reject });
  const publisher = new KafkaPublisher({ connection, app, topic: input, resultsTopic });
  try {
    await log.run(new Reader(read.resolve));
    await read.promise;
    let position = await publisher.recover(0);
    // One by one: of two topics in one transaction kafkajs may tell of the one that is allowed.
    for (const topic of [resultsTopic, topics.deadLetters]) {
      const value = Buffer.from('result');
      position = await publisher.publish(0, [
        { seq: position + 1n, topic, partition: 0, key: null, value, headers: [] },
      ]);
    }
  } finally {
    read.promise.catch(() => undefined);
    await log.stop();
    await publisher.close();
  }
}

async function sendCheck(login: 'sharing-worker' | 'arrears'): Promise<void> {
  await using sender = await Sender.open(connectionOf(login));
  await sender.sendAll(topics.members, arrearsMessages({ checkId: 'nightly:2025-03-01', on: '2025-03-01' }, 1));
}

async function readPosition(worker: string, topic: string, resultsTopic: string): Promise<void> {
  const connection = connectionOf('renumber');
  await using reader = new PositionReader({ connection, app: `${prefix}-${worker}`, topic, resultsTopic });
  await reader.read(0);
  for (const output of [resultsTopic, topics.deadLetters]) await reader.lastRecord(output, 0);
}

/** By login, everything its process asks of the broker, with the product's own code. */
const EXERCISES: Readonly<Record<Exclude<Login, 'admin'>, () => Promise<void>>> = {
  'settlement-worker': () => work('settlement-worker', topics.claims, topics.settlements),
  'sharing-worker': async () => {
    await work('sharing-worker', topics.members, topics.sharing);
    await sendCheck('sharing-worker');
  },
  // Others of the prefix each time, so that there is something to create.
  setup: async () => {
    const connection = connectionOf('setup');
    await createTopics({ connection, prefix: `${prefix}.${randomUUID().slice(0, 8)}`, partitions: 1 });
  },
  audit: async () => {
    const read = new Set<string>();
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    const wanted = [topics.settlements, topics.sharing, topics.deadLetters];
    await using _reading = await tail({
      connection: connectionOf('audit', 'gongji-audit'),
      topics: wanted,
      from: 'start',
      onRecords: (records) => {
        for (const { topic } of records) read.add(topic);
      },
      onFailure: failed.reject,
    });
    await Promise.race([failed.promise, until(() => read.size === wanted.length, { what: 'a record of each topic' })]);
  },
  arrears: () => sendCheck('arrears'),
  'query-api': async () => {
    await using reader = new RecordReader(connectionOf('query-api'));
    await reader.read({ topic: topics.claims, partition: 0, offset: 0n }, { withinMs: 10_000 });
    await using sender = await Sender.open(connectionOf('query-api'));
    for (const topic of [topics.claims, topics.members]) await sender.sendOne(topic, { key: 'P1', value: 'command' });
  },
  'dead-letters': async () => {
    let read = 0;
    await readToEnd({
      connection: connectionOf('dead-letters', 'gongji-dead-letters'),
      topics: [topics.deadLetters],
      onRecords: (records) => {
        read += records.length;
      },
    });
    expect(read).toBeGreaterThan(0);
    await using sender = await Sender.open(connectionOf('dead-letters'));
    for (const topic of [topics.claims, topics.members]) await sender.sendAll(topic, [{ key: 'P1', value: 'again' }]);
  },
  simulate: async () => {
    const wanted = [topics.claims, topics.members];
    const connection = connectionOf('simulate', 'gongji-simulate');
    await findTruncated({ connection, topics: wanted });
    const read = new Set<string>();
    await readToEnd({
      ...{ connection, topics: wanted },
      onRecords: (records) => {
        for (const { topic } of records) read.add(topic);
      },
    });
    expect(read.size).toBe(2);
  },
  renumber: async () => {
    await readPosition('settlement-worker', topics.claims, topics.settlements);
    await readPosition('sharing-worker', topics.members, topics.sharing);
  },
};

const exercise = (login: Login): Promise<void> => (login === 'admin' ? Promise.resolve() : EXERCISES[login]());

const refusalOf = async (run: Promise<void>): Promise<string> => {
  try {
    await run;
    return 'nothing was refused';
  } catch (error) {
    return explainRefusal(error) ?? String(error);
  }
};

test.for(Object.keys(EXERCISES) as Login[])('%s gets along with its lines of the file', async (login) => {
  await exercise(login);
});

test.for(ACLS.map((acl): [string, Acl] => [describeAcl(acl), acl]))('without %s something fails', async ([, acl]) => {
  await setAcls([acl], false);
  try {
    expect(await refusalOf(exercise(acl.login))).toMatch(/_AUTHORIZATION_FAILED/);
  } finally {
    await setAcls([acl], true);
  }
});

test.for<[Login, keyof TopicNames]>([
  ['settlement-worker', 'claims'],
  ['settlement-worker', 'members'],
  ['settlement-worker', 'sharing'],
  ['sharing-worker', 'claims'],
  ['sharing-worker', 'settlements'],
  ['audit', 'settlements'],
  ['arrears', 'claims'],
  ['setup', 'claims'],
  ['simulate', 'claims'],
  ['simulate', 'members'],
])('%s cannot write to %s', async ([login, name]) => {
  const send = async () => {
    await using sender = await Sender.open(connectionOf(login));
    await sender.sendAll(topics[name], [{ key: 'P1', value: 'forged' }]);
  };
  expect(await refusalOf(send())).toContain('TOPIC_AUTHORIZATION_FAILED');
});

test.for<[Login, keyof TopicNames]>([
  ['settlement-worker', 'members'],
  ['sharing-worker', 'claims'],
  ['audit', 'claims'],
  ['audit', 'members'],
  ['arrears', 'members'],
  ['simulate', 'settlements'],
  ['simulate', 'sharing'],
])('%s cannot read %s', async ([login, name]) => {
  const isTool = login === 'audit' || login === 'simulate';
  const app = isTool ? `gongji-${login}-tail-x` : `${prefix}-${login}`;
  const read = Promise.withResolvers<void>();
  const log = new KafkaLog({
    connection: connectionOf(login),
    topic: topics[name],
    groupId: app,
    onCrash: read.reject,
  });
  const reading = log.run(new Reader(() => read.resolve())).then(() => read.promise);
  expect(await refusalOf(reading)).toMatch(/_AUTHORIZATION_FAILED/);
  await log.stop();
});

test('query-api reads the messages of no topic but that of the claims', async () => {
  await using reader = new RecordReader(connectionOf('query-api'));
  for (const topic of [topics.members, topics.settlements, topics.deadLetters]) {
    const read = reader.read({ topic, partition: 0, offset: 0n }, { withinMs: 10_000 }).then(() => undefined);
    expect(await refusalOf(read)).toContain('TOPIC_AUTHORIZATION_FAILED');
  }
});

test('a worker cannot fence the other one', async () => {
  const app = `${prefix}-settlement-worker`;
  const connection = connectionOf('sharing-worker');
  const [topic, resultsTopic] = [topics.claims, topics.settlements];
  const publisher = new KafkaPublisher({ connection, app, topic, resultsTopic });
  const recover = publisher.recover(0).then(() => undefined);
  expect(await refusalOf(recover)).toContain('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  await publisher.close();
});

test('the script that applies the file gives Kafka’s tool each line, for the logins it is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-secured-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const tool = join(directory, 'tool');
  writeFileSync(tool, '#!/bin/sh\necho "$*" >>"$0.calls"\n', { mode: 0o755 });
  await promisify(execFile)(fileURLToPath(new URL('apply-acls.sh', FOLDER)), ['kafka:1', '--command-config', 'file'], {
    env: { PATH: process.env.PATH, KAFKA_ACLS: tool, GONGJI_TOPIC_PREFIX: prefix, GONGJI_KAFKA_LOGINS: 'setup=ops' },
  });
  const calls = ACLS.map(({ login, operation, resource, name, pattern }) => {
    const principal = `User:${login === 'setup' ? 'ops' : login}`;
    const begin = `--bootstrap-server kafka:1 --command-config file --add --force --allow-principal ${principal}`;
    return `${begin} --operation ${operation} --${resource} ${name} --resource-pattern-type ${pattern}\n`;
  });
  expect(readFileSync(`${tool}.calls`, 'utf8')).toBe(calls.join(''));
});

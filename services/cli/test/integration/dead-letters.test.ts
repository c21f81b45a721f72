import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { deadLetterHeaders, topicsOf } from '@repo/contracts';
import { createTopics, Sender } from '@repo/messaging';
import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import { beforeAll, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const prefix = freshTopicPrefix();
const COUNT = 3_000;
const ALIEN = '1 records in the topic are no dead letters of this system.\n';

function gongji(...args: string[]): ChildProcess & { stdout: Readable; stderr: Readable } {
  const env = { ...process.env, GONGJI_KAFKA_BROKERS: testBrokers(), GONGJI_TOPIC_PREFIX: prefix };
  return spawn(process.execPath, [MAIN, 'dead-letters', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(...args: string[]) {
  const child = gongji(...args);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

beforeAll(async () => {
  const connection = { brokers: testBrokers().split(','), clientId: 'dead-letters-test' };
  await createTopics({ connection, prefix, partitions: 1 });
  const { claims, deadLetters } = topicsOf(prefix);
  const letter = (topic: string, code: string, at: number) => {
    const note = { code, detail: 'x', topic, partition: 0, offset: String(at), at: new Date(0).toISOString() };
    return { key: 'P1', value: '{}', partition: 0, headers: deadLetterHeaders([], note, BigInt(at)) };
  };
  await using sender = await Sender.open(connection);
  const ours = Array.from({ length: COUNT }, (_, at) => letter(claims, 'EVENT_MALFORMED', at));
  const theirs = [letter('another.claims.v1', 'EVENT_UNREADABLE', COUNT), { key: null, value: 'no dead letter' }];
  await sender.sendAll(deadLetters, [...ours, ...theirs]);
});

test('a list ends with 0 if something matched, and with 1 if nothing did or something is not of these topics', async () => {
  expect(await ended('list', '--code', 'EVENT_MALFORMED')).toMatchObject({ code: 0, stderr: ALIEN });
  expect(await ended('list', '--code', 'EVENT_CONFLICT')).toEqual({
    code: 1,
    lines: ['0 dead letters.'],
    stderr: ALIEN,
  });
  const others = await ended('list', '--code', 'EVENT_UNREADABLE', '--json');
  expect(others).toMatchObject({
    code: 1,
    stderr: `${ALIEN}1 came from topics that are none of this system’s inputs.\n`,
  });
  expect(others.lines.map((line) => JSON.parse(line).code)).toEqual(['EVENT_UNREADABLE']);
});

test('a list ends quietly once nobody reads it', async () => {
  const child = gongji('list');
  const [closed, stderr] = [once(child, 'close'), text(child.stderr)];
  child.stdout.destroy();
  expect(await closed).toEqual([141, null]);
  expect(await stderr).toBe('');
});

test('a list goes on if nobody reads its problems', async () => {
  const child = gongji('list', '--code', 'EVENT_UNREADABLE', '--json');
  const [closed, stdout] = [once(child, 'close'), text(child.stdout)];
  child.stderr.destroy();
  expect(await closed).toEqual([1, null]);
  expect(JSON.parse(await stdout)).toMatchObject({ code: 'EVENT_UNREADABLE' });
});

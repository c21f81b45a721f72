import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { afterEach, expect, it } from 'vitest';
import { createTopics, KafkaLog, type KafkaLogOptions, Sender } from '../../src/index.ts';
import { API, type Fault, faultySockets, joinRefused } from '../faulty-network.ts';

const COORDINATOR_LOADING = 14;
const NOT_COORDINATOR = 16;
const GROUP_AUTHORIZATION_FAILED = 30;

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A member whose requests `decide` may spoil. */
async function join(decide: (apiKey: number) => Fault | undefined, options: Partial<KafkaLogOptions> = {}) {
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  const { claims: topic } = await createTopics({ connection, prefix, partitions: 2 });
  const sender = await Sender.open(connection);
  closing.push(() => sender[Symbol.asyncDispose]());
  const crashes: Error[] = [];
  const seen: string[] = [];
  const acquired: number[] = [];
  const released: number[] = [];
  const next = new Map<number, bigint>();
  const log = new KafkaLog({
    connection: { ...connection, socketFactory: faultySockets(decide) },
    topic,
    groupId: prefix,
    onCrash: (error) => crashes.push(error),
    ...options,
  });
  closing.push(() => log.stop());
  await log.run({
    acquire: async (partition) => {
      acquired.push(partition);
      return next.get(partition) ?? 0n;
    },
    apply: (partition, records) => {
      for (const record of records) {
        const { value, offset } = record.read();
        seen.push(`${value}`);
        next.set(partition, offset + 1n);
      }
      return null;
    },
    release: async (partition) => void released.push(partition),
  });
  const send = (value: string): Promise<void> =>
    sender.sendAll(
      topic,
      [0, 1].map((partition) => ({ key: null, value: `${value}${partition}`, partition })),
    );
  return { log, send, crashes, seen, acquired, released };
}

it.each([
  ['is still loading', COORDINATOR_LOADING],
  ['has moved', NOT_COORDINATOR],
])('a member whose coordinator %s asks again until it may join', async (_, errorCode) => {
  let refusals = 3;
  const member = await join((apiKey) =>
    apiKey === API.JoinGroup && refusals-- > 0 ? joinRefused(errorCode) : undefined,
  );
  await member.send('a');
  await until(() => member.seen.length === 2, { what: 'both records' });
  expect(refusals).toBeLessThan(0);
  expect(member.crashes).toEqual([]);
});

it('a member that no broker answers gives its shards up, joins again and reads on where they end', async () => {
  let isDown = false;
  const member = await join(() => (isDown ? 'lose request' : undefined));
  await member.send('a');
  await until(() => member.seen.length === 2, { what: 'the first records' });
  isDown = true;
  await until(() => member.released.length === 2, { what: 'both shards to be given up', deadlineMs: 60_000 });
  await member.send('b');
  isDown = false;
  await until(() => member.seen.length === 4, { what: 'the records after', deadlineMs: 60_000 });
  expect(member.seen.toSorted()).toEqual(['a0', 'a1', 'b0', 'b1']);
  expect(member.acquired.toSorted()).toEqual([0, 0, 1, 1]);
  expect(member.crashes).toEqual([]);
}, 150_000);

it('a member that may not be in the group says so at once, and once', async () => {
  const member = await join((apiKey) =>
    apiKey === API.JoinGroup ? joinRefused(GROUP_AUTHORIZATION_FAILED) : undefined,
  );
  await until(() => member.crashes.length > 0, { what: 'the crash' });
  expect(member.crashes.map(({ message }) => message)).toEqual([expect.stringContaining('authorized')]);
});

it('a member that cannot join for longer than its limit says so, and is not waited for on stopping', async () => {
  const member = await join((apiKey) => (apiKey === API.JoinGroup ? joinRefused(COORDINATOR_LOADING) : undefined), {
    rejoinMaxMs: 1_000,
  });
  await until(() => member.crashes.length > 0, { what: 'the crash' });
  const before = performance.now();
  await member.log.stop();
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(member.crashes).toHaveLength(1);
});

import { once } from 'node:events';
import net from 'node:net';
import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createTopics, RecordReader, Sender } from '../../src/index.ts';
import { connect } from '../../src/kafkajs/client.ts';

const WITHIN = { withinMs: 10_000 };

async function setUp() {
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  const { claims: topic } = await createTopics({ connection, prefix, partitions: 2 });
  const sender = await Sender.open(connection);
  const reader = new RecordReader(connection);
  onTestFinished(async () => {
    await reader[Symbol.asyncDispose]();
    await sender[Symbol.asyncDispose]();
  });
  return { connection, topic, sender, reader };
}

test('one record is read by its place, as it came, out of the midst of a batch and where it is larger than a fetch', async () => {
  const { topic, sender, reader } = await setUp();
  const headers = [['ce_type', Buffer.from('a')] as const, ['ce_type', Buffer.from('b')] as const];
  const records = [
    { key: 'P0', value: 'first', partition: 1 },
    { key: 'P1', value: '{"x":1.50}', partition: 1, headers, timestampMs: 1_741_000_000_000 },
    { key: null, value: null, partition: 1 },
  ];
  await sender.sendAll(topic, records);
  const large = 'x'.repeat(900_000);
  await sender.sendAll(topic, [{ key: 'P2', value: large, partition: 1 }]);
  expect(await reader.read({ topic, partition: 1, offset: 1n }, WITHIN)).toEqual({
    offset: 1n,
    key: Buffer.from('P1'),
    value: Buffer.from('{"x":1.50}'),
    headers,
    timestampMs: 1_741_000_000_000,
  });
  expect(await reader.read({ topic, partition: 1, offset: 2n }, WITHIN)).toMatchObject({ key: null, value: null });
  const last = await reader.read({ topic, partition: 1, offset: 3n }, WITHIN);
  expect(last?.value?.toString()).toBe(large);
});

test('what an aborted transaction left is no record, and neither is the mark of its end', async () => {
  const { connection, topic, sender, reader } = await setUp();
  const producer = connect(connection).producer({ transactionalId: connection.clientId, maxInFlightRequests: 1 });
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: [{ value: 'aborted', partition: 0 }] });
  await transaction.abort();
  await sender.sendAll(topic, [{ key: null, value: 'after', partition: 0 }]);
  const read = async (offset: bigint) =>
    (await reader.read({ topic, partition: 0, offset }, WITHIN))?.value?.toString();
  // The mark may be written before what comes after or behind it.
  await expect.poll(async () => [await read(1n), await read(2n)].sort()).toEqual(['after', undefined]);
  expect(await read(0n)).toBeUndefined();
});

test('where the topic has let go of a record, or holds none yet, there is none', async () => {
  const { connection, topic, sender, reader } = await setUp();
  await sender.sendAll(
    topic,
    ['a', 'b'].map((value) => ({ key: null, value, partition: 0 })),
  );
  const admin = connect(connection).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  // Its cluster does not know the topic otherwise.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  const read = (offset: bigint) => reader.read({ topic, partition: 0, offset }, WITHIN);
  expect(await read(0n)).toBeNull();
  expect((await read(1n))?.value?.toString()).toBe('b');
  expect(await read(2n)).toBeNull();
  expect(await read(1_000n)).toBeNull();
});

test('no group is left on the broker', async () => {
  const { connection, topic, sender, reader } = await setUp();
  await sender.sendAll(topic, [{ key: null, value: 'a', partition: 0 }]);
  await reader.read({ topic, partition: 0, offset: 0n }, WITHIN);
  const admin = connect(connection).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const { groups } = await admin.listGroups();
  expect(groups.filter(({ groupId }) => groupId.includes(connection.clientId))).toEqual([]);
});

test('a broker that says nothing is waited for no longer than was said', async () => {
  const silent = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets = new Set<net.Socket>();
  silent.on('connection', (socket) => sockets.add(socket));
  const brokers = [`127.0.0.1:${(silent.address() as net.AddressInfo).port}`];
  const reader = new RecordReader({ brokers, clientId: 'record-reader' });
  const from = performance.now();
  const reading = reader.read({ topic: 't', partition: 0, offset: 0n }, { withinMs: 300 });
  await expect(reading).rejects.toThrow('the record was not read in time');
  expect(performance.now() - from).toBeLessThan(2_500);
  silent.close();
  for (const socket of sockets) socket.destroy();
});

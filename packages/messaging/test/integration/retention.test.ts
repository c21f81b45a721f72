import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createTopics, findBounds, findTruncated, Sender } from '../../src/index.ts';
import { connect, kafkajs } from '../../src/kafkajs/client.ts';
import { startEchoWorker } from '../echo-worker.ts';
import { LocalStore } from '../local-store.ts';

async function setUp(inputRetentionDays?: number) {
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  const topics = await createTopics({ connection, prefix, partitions: 2, inputRetentionDays });
  const admin = connect(connection).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  /** What was set of a topic when it was created. */
  const kept = async (topic: string) => {
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const { resources } = await admin.describeConfigs({ resources: [{ type, name: topic }], includeSynonyms: false });
    const entries = resources[0]?.configEntries.filter(({ configName, isDefault }) => {
      return configName.startsWith('retention.') && !isDefault;
    });
    return Object.fromEntries((entries ?? []).map(({ configName, configValue }) => [configName, configValue]));
  };
  return { connection, topics, admin, kept };
}

test('inputs are kept for ever, whatever the broker says of others, or as long as it is said', async () => {
  const { topics, kept } = await setUp();
  for (const topic of [topics.claims, topics.members])
    expect(await kept(topic)).toEqual({ 'retention.ms': '-1', 'retention.bytes': '-1' });
  for (const topic of [topics.settlements, topics.sharing, topics.deadLetters]) expect(await kept(topic)).toEqual({});
  const limited = await setUp(400);
  expect(await limited.kept(limited.topics.members)).toEqual({ 'retention.ms': String(400 * 86_400_000) });
});

test('partitions that have lost their beginning are found, with the day of what is left', async () => {
  const { connection, topics, admin } = await setUp();
  const [first, second] = [Date.UTC(2026, 9, 1), Date.UTC(2026, 10, 1)];
  await using sender = await Sender.open(connection);
  const records = [first, second].map((timestampMs) => ({ key: null, value: 'x', timestampMs }));
  for (const partition of [0, 1])
    await sender.sendAll(
      topics.claims,
      records.map((record) => ({ ...record, partition })),
    );
  const asked = { connection, topics: [topics.claims, topics.members] };
  expect(await findTruncated(asked)).toEqual([]);
  // kafkajs deletes only where it has the topic's metadata, which this loads.
  await admin.fetchTopicOffsets(topics.claims);
  const below = (offset: string) =>
    admin.deleteTopicRecords({ topic: topics.claims, partitions: [{ partition: 1, offset }] });
  await below('1');
  expect(await findTruncated(asked)).toEqual([{ topic: topics.claims, partition: 1, oldestMs: second }]);
  const bounds = await findBounds({ connection, topics: [topics.claims] });
  expect(bounds.toSorted((a, b) => a.partition - b.partition)).toEqual([
    { topic: topics.claims, partition: 0, low: 0n, high: 2n },
    { topic: topics.claims, partition: 1, low: 1n, high: 2n },
  ]);
  await below('2');
  expect(await findTruncated(asked)).toEqual([{ topic: topics.claims, partition: 1, oldestMs: null }]);
});

test('retention may take the markers behind the last record: a worker that comes back finds nothing lost, but for records', async () => {
  const { connection, topics, admin } = await setUp();
  const app = connection.clientId;
  const hospital = connect(connection).producer({
    transactionalId: `${app}-hospital`,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await hospital.connect();
  onTestFinished(() => hospital.disconnect());
  const send = async (...values: readonly string[]) => {
    const transaction = await hospital.transaction();
    await transaction.send({ topic: topics.claims, messages: values.map((value) => ({ value, partition: 0 })) });
    await transaction.commit();
  };
  const below = async (offset: number) => {
    await admin.fetchTopicOffsets(topics.claims);
    await admin.deleteTopicRecords({ topic: topics.claims, partitions: [{ partition: 0, offset: String(offset) }] });
  };
  const store = new LocalStore();
  const row = store.row({ topic: topics.claims, partition: 0 });
  const halts: string[] = [];
  const start = (limits = {}) =>
    startEchoWorker({
      ...{ connection, app, topics, store, limits },
      onCrash: (error) => expect.unreachable(error.message),
      onHalt: (_, reason) => void halts.push(reason),
    });
  await send('a', 'b');
  const first = await start();
  await until(() => row.publishedSeq === 2n, { what: 'two records applied' });
  await first();
  // The marker is at 2.
  expect(row.nextOffset).toBe(3n);
  await below(3);

  const second = await start({ skipAfterMs: 200 });
  await send('c');
  await until(() => row.nextOffset === 5n, { what: 'the next marker stored without a stop' });
  await below(5);
  await second();
  expect(halts).toEqual([]);

  await send('d', 'e');
  await below(6);
  const third = await start();
  await until(() => halts.length > 0, { what: 'a halt' });
  expect(halts).toEqual(['input-lost']);
  await third();
});

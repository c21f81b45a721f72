import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createTopics, findTruncated, Sender } from '../../src/index.ts';
import { connect, kafkajs } from '../../src/kafkajs/client.ts';

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
  await below('2');
  expect(await findTruncated(asked)).toEqual([{ topic: topics.claims, partition: 1, oldestMs: null }]);
});

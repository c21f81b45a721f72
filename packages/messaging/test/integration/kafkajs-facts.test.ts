import net from 'node:net';
import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createTopics,
  type HaltReason,
  type Headers,
  KafkaLog,
  KafkaPublisher,
  Sender,
  type TailedRecord,
  tail,
  topicNames,
} from '../../src/index.ts';
import { connect, kafkajs } from '../../src/kafkajs/client.ts';
import { READ_STALLED_MS, readToEnd as toTheEnd } from '../../src/kafkajs/tools.ts';
import { World } from '../../src/memory/world.ts';
import { partitionForKey } from '../../src/partition.ts';
import { HUGE, produce, recordsOf, sent } from '../compressed.fixture.ts';
import { startEchoWorker } from '../echo-worker.ts';
import { LocalStore } from '../local-store.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const fail = (error: unknown): never => {
  throw error;
};

async function setUp(partitions = 1) {
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  const topics = await createTopics({ connection, prefix, partitions });
  const sender = await Sender.open(connection);
  closing.push(() => sender[Symbol.asyncDispose]());
  const admin = connect(connection).admin();
  await admin.connect();
  closing.push(() => admin.disconnect());
  return { prefix, connection, topics, sender, admin };
}

type Setup = Awaited<ReturnType<typeof setUp>>;

/** Reads a topic up to a record whose value is END. */
async function readToEnd({ connection, sender }: Setup, topic: string): Promise<TailedRecord[]> {
  await sender.sendAll(topic, [{ key: null, value: 'END', partition: 0 }]);
  const seen: TailedRecord[] = [];
  await using _reader = await tail({
    connection,
    topics: [topic],
    from: 'start',
    onRecords: (records) => void seen.push(...records),
    onFailure: fail,
  });
  await until(() => seen.some(({ value }) => `${value}` === 'END'), { what: 'the end of the topic' });
  return seen.filter(({ value }) => `${value}` !== 'END');
}

async function deleteBelow(admin: Setup['admin'], topic: string, offset: string): Promise<void> {
  // kafkajs deletes only where it has the topic's metadata, which this loads.
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] });
}

/** A worker that echoes claims as settlements, on a database of its own. */
async function startWorker({ prefix, connection, topics }: Setup, store: LocalStore) {
  const halts: HaltReason[] = [];
  const stop = await startEchoWorker({
    connection,
    app: prefix,
    topics,
    store,
    onCrash: fail,
    onHalt: (_, reason) => void halts.push(reason),
    limits: { attemptsMax: 3 },
  });
  closing.push(stop);
  return { halts, stop };
}

describe('reading', () => {
  it('delivers no aborted record where several producers interleave in a partition (K1)', async () => {
    const setup = await setUp();
    const { prefix, connection, topics } = setup;
    const world = new World(7);
    const committed = new Set<string>();
    const sendMany = async (id: number): Promise<void> => {
      const producer = connect(connection).producer({ transactionalId: `${prefix}-${id}`, maxInFlightRequests: 1 });
      await producer.connect();
      for (let round = 0; round < 12; round++) {
        const transaction = await producer.transaction();
        const values = Array.from({ length: 3 }, (_, index) => `${id}/${round}/${index}`);
        for (const value of values)
          await transaction.send({ topic: topics.claims, messages: [{ value, partition: 0 }] });
        if (world.chance(0.5)) await transaction.abort();
        else {
          await transaction.commit();
          for (const value of values) committed.add(value);
        }
      }
      await producer.disconnect();
    };
    await Promise.all([1, 2, 3, 4, 5].map(sendMany));
    const seen = (await readToEnd(setup, topics.claims)).map(({ value }) => `${value}`);
    expect(seen.toSorted()).toEqual([...committed].toSorted());
  });

  it('asks the shard again when the log no longer has what comes next, and never skips (K9)', async () => {
    const setup = await setUp();
    const { prefix, connection, topics, sender, admin } = setup;
    const claims = (values: string[]) =>
      sender.sendAll(
        topics.claims,
        values.map((value) => ({ key: null, value, partition: 0 })),
      );
    const seen: string[] = [];
    let acquired = 0;
    let makeRoom = (): void => {};
    const room = new Promise<void>((resolve) => {
      makeRoom = resolve;
    });
    const log = new KafkaLog({ connection, topic: topics.claims, groupId: prefix, onCrash: fail });
    closing.push(() => log.stop());
    await log.run({
      acquire: async () => (acquired++ === 0 ? 0n : null),
      apply: (_, records) => {
        seen.push(...records.map((record) => `${record.read().value}`));
        return room;
      },
      release: async () => {},
    });
    await claims(['a']);
    await until(() => seen.length === 1, { what: 'the first record' });
    await claims(['b', 'c', 'd']);
    await deleteBelow(admin, topics.claims, '3');
    makeRoom();
    await until(() => acquired === 2, { what: 'the second acquisition' });
    expect(seen).toEqual(['a']);
  });

  it('goes through control records and aborted transactions without losing its place', async () => {
    const setup = await setUp();
    const { prefix, connection, topics, sender } = setup;
    const producer = connect(connection).producer({ transactionalId: prefix, maxInFlightRequests: 1 });
    await producer.connect();
    closing.push(() => producer.disconnect());
    const store = new LocalStore();
    const { halts } = await startWorker(setup, store);
    const expected: string[] = [];
    for (let round = 0; round < 6; round++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: topics.claims, messages: [{ value: `${round}`, partition: 0 }] });
      if (round % 2 === 0) await transaction.abort();
      else {
        await transaction.commit();
        expected.push(`${round}`);
      }
    }
    await sender.sendAll(topics.claims, [{ key: null, value: 'last' }]);
    const { outbox } = store.row({ topic: topics.claims, partition: 0 });
    await until(() => outbox.length > expected.length, { what: 'the last record' });
    expect(outbox.map(({ value }) => `${value}`)).toEqual([...expected, 'last']);
    expect(halts).toEqual([]);
  });

  it('keeps header order, repeats and bytes', async () => {
    const setup = await setUp();
    const headers: Headers = [
      ['b', Buffer.from('1')],
      ['10', Buffer.from([0xff, 0x00, 0xfe])],
      ['a', Buffer.from('2')],
      ['b', Buffer.from('3')],
      ['2', Buffer.alloc(0)],
    ];
    const value = Buffer.from([0x00, 0xff, 0x80]);
    await setup.sender.sendAll(setup.topics.claims, [
      { key: Buffer.from([0xc0]), value, headers },
      { key: null, value: null },
    ]);
    const [record, tombstone] = await readToEnd(setup, setup.topics.claims);
    expect(record?.headers).toEqual(headers);
    expect(record?.value).toEqual(value);
    expect(record?.key).toEqual(Buffer.from([0xc0]));
    expect(tombstone).toMatchObject({ key: null, value: null, headers: [] });
  });

  it('sends no more headers at once than a topic takes', async () => {
    const setup = await setUp();
    const { claims } = setup.topics;
    const headers = [['h', Buffer.alloc(40 << 10)]] as const;
    const records = Array.from({ length: 300 }, (_, n) => ({ key: null, value: `${n}`, headers, partition: 0 }));
    await setup.sender.sendAll(claims, records);
    expect((await readToEnd(setup, claims)).map(({ value }) => `${value}`)).toEqual(records.map(({ value }) => value));
  });

  it('reads a timestamp that is no moment as none; the broker takes any of the past', async () => {
    const setup = await setUp();
    for (const timestampMs of [-9_000_000_000_000_000, 5])
      await setup.sender.sendAll(setup.topics.claims, [{ key: null, value: 'x', partition: 0, timestampMs }]);
    const read = await readToEnd(setup, setup.topics.claims);
    expect(read.map(({ timestampMs }) => timestampMs)).toEqual([-1, 5]);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads %s (K17)', async (codec) => {
    const setup = await setUp();
    const { admin, topics, sender } = setup;
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: 2,
          name: topics.claims,
          configEntries: [
            { name: 'compression.type', value: codec },
            { name: 'max.message.bytes', value: '8388608' },
          ],
        },
      ],
    });
    const world = new World(11);
    const texts = Array.from({ length: 300 }, (_, index) => {
      const noise = Array.from({ length: 40 }, () => world.random().toString(36)).join('');
      return `${index} ${'甲'.repeat(index)} ${index % 3 === 0 ? noise : 'ab'.repeat(index * 5)}`;
    });
    texts.push('long '.repeat(200_000));
    await sender.sendAll(
      topics.claims,
      texts.map((value) => ({ key: 'k', value })),
    );
    expect((await readToEnd(setup, topics.claims)).map(({ value }) => `${value}`)).toEqual(texts);
  });

  it.each([
    ['gzip', 1],
    ['snappy', 2],
    ['lz4', 3],
    ['zstd', 4],
  ] as const)('leaves unread what becomes too large: %s', async (name, codec) => {
    const setup = await setUp();
    const batches = [
      sent(0, recordsOf(Buffer.from('first')), { from: 0n, count: 1 }),
      sent(codec, HUGE[name], { from: 0n, count: 1 }),
      sent(0, recordsOf(Buffer.from('last')), { from: 0n, count: 1 }),
    ];
    await produce(testBrokers(), { topic: setup.topics.claims, partition: 0, batches });
    const read = await readToEnd(setup, setup.topics.claims);
    expect(read.map(({ value, unread }) => unread ?? `${value}`)).toEqual([
      'first',
      { isTooLarge: true, from: 1n, count: 1 },
      'last',
    ]);
  });

  it('sends a key where Kafka’s default partitioner does', async () => {
    const setup = await setUp(5);
    const keys = Array.from({ length: 40 }, (_, index) => `P${index * 7919}`);
    await setup.sender.sendAll(
      setup.topics.claims,
      keys.map((key) => ({ key, value: key })),
    );
    for (const { key, partition } of await readToEnd(setup, setup.topics.claims)) {
      expect(partition).toBe(partitionForKey(key ?? '', 5));
    }
  });
});

describe('a shard halts with a named reason', () => {
  it('when retention has overtaken it (K9)', async () => {
    const setup = await setUp();
    const { topics, admin, sender } = setup;
    await sender.sendAll(
      topics.claims,
      ['a', 'b', 'c'].map((value) => ({ key: null, value, partition: 0 })),
    );
    await deleteBelow(admin, topics.claims, '2');
    const { halts } = await startWorker(setup, new LocalStore());
    await until(() => halts.length > 0, { what: 'the halt' });
    expect(halts).toEqual(['input-lost']);
  });

  it('when the topic was recreated (K13)', async () => {
    const setup = await setUp();
    const { topics, admin, sender, prefix, connection } = setup;
    const store = new LocalStore();
    const { stop } = await startWorker(setup, store);
    await sender.sendAll(
      topics.claims,
      ['a', 'b'].map((value) => ({ key: null, value, partition: 0 })),
    );
    await until(() => store.row({ topic: topics.claims, partition: 0 }).publishedSeq === 2n, { what: 'both records' });
    await stop();
    await admin.deleteTopics({ topics: [topics.claims] });
    await until(async () => !(await admin.listTopics()).includes(topics.claims), { what: 'the topic to go' });
    await until(() => createTopics({ connection, prefix, partitions: 1 }), { what: 'the topic to come back' });
    const { halts, stop: stopHalted } = await startWorker(setup, store);
    await until(() => halts.length > 0, { what: 'the halt' });
    expect(halts).toEqual(['input-beyond-log-end']);
    await stopHalted();
    // What the runbook says then: from the beginning of the new topic, behind what is published.
    store.row({ topic: topics.claims, partition: 0 }).nextOffset = 0n;
    await startWorker(setup, store);
    await sender.sendAll(topics.claims, [{ key: null, value: 'c', partition: 0 }]);
    await until(() => store.row({ topic: topics.claims, partition: 0 }).publishedSeq === 3n, {
      what: 'the next record',
    });
  });

  it('when partitions were added', async () => {
    const setup = await setUp();
    const { topics, admin } = setup;
    const store = new LocalStore();
    await store.acquire({ topic: topics.claims, partition: 0 }, 'earlier', 1);
    await admin.createPartitions({ topicPartitions: [{ topic: topics.claims, count: 2 }] });
    const { halts } = await startWorker(setup, store);
    await until(() => halts.length > 0, { what: 'the halt' });
    expect(halts).toEqual(['partition-count-changed']);
  });

  it('when the database has lost what is published', async () => {
    const setup = await setUp();
    const { topics, sender } = setup;
    const store = new LocalStore();
    const { stop } = await startWorker(setup, store);
    await sender.sendAll(topics.claims, [{ key: null, value: 'a', partition: 0 }]);
    await until(() => store.row({ topic: topics.claims, partition: 0 }).publishedSeq === 1n, { what: 'the record' });
    await stop();
    const { halts } = await startWorker(setup, new LocalStore());
    await until(() => halts.length > 0, { what: 'the halt' });
    expect(halts).toEqual(['position-ahead-of-database']);
  });

  it('when the broker refuses a row for its size', async () => {
    const setup = await setUp();
    const { topics, sender, admin } = setup;
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topics.settlements, configEntries: [{ name: 'max.message.bytes', value: '1000' }] }],
    });
    const { halts } = await startWorker(setup, new LocalStore());
    await sender.sendAll(topics.claims, [{ key: null, value: 'x'.repeat(5_000), partition: 0 }]);
    await until(() => halts.length > 0, { what: 'the halt' });
    expect(halts).toEqual(['publish-refused']);
  });
});

describe('createTopics', () => {
  it('may run again, and at the same time', async () => {
    const prefix = freshTopicPrefix();
    const connection = { brokers: testBrokers().split(','), clientId: prefix };
    const options = { connection, prefix, partitions: 2 };
    await Promise.all([createTopics(options), createTopics(options)]);
    expect(await createTopics(options)).toEqual(topicNames(prefix));
  });

  it('gives the dead letters twice the partitions and refuses another count', async () => {
    const { connection, prefix, topics, admin } = await setUp(2);
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [topics.deadLetters] });
    expect(found[0]?.partitions).toHaveLength(4);
    await expect(createTopics({ connection, prefix, partitions: 3 })).rejects.toThrow('expected 3');
  });
});

it('takes the position away that only the group has, with the input topic that is deleted', async () => {
  const { topics, admin, prefix, connection } = await setUp();
  const publisher = new KafkaPublisher({
    ...{ connection, app: prefix, topic: topics.claims, resultsTopic: topics.settlements },
  });
  closing.push(() => publisher.close());
  await publisher.recover(0);
  await publisher.refresh(0, 7n);
  expect(await publisher.recover(0)).toBe(7n);
  await admin.deleteTopics({ topics: [topics.claims] });
  await until(async () => !(await admin.listTopics()).includes(topics.claims), { what: 'the topic to go' });
  await until(() => createTopics({ connection, prefix, partitions: 1 }), { what: 'the topic to come back' });
  await until(async () => (await publisher.recover(0)) === 0n, { what: 'the position to go' });
});

it('reads an 8 MiB record that is larger than any fetch', async () => {
  const setup = await setUp();
  const value = Buffer.alloc(8 * 1024 * 1024 - 1024, 'x');
  await setup.sender.sendAll(setup.topics.claims, [
    { key: 'k', value },
    { key: 'k', value: 'after' },
  ]);
  const seen = await readToEnd(setup, setup.topics.claims);
  expect(seen.map((record) => record.value?.length)).toEqual([value.length, 5]);
});

it('is given up where nothing comes for too long on the way to the end of topics', async () => {
  const { connection, topics, sender } = await setUp();
  await sender.sendAll(topics.claims, [{ key: null, value: 'one', partition: 0 }]);
  // To become a member of the group alone takes longer.
  const reading = toTheEnd({ connection, topics: [topics.claims], onRecords: async () => undefined, stalledMs: 1 });
  await expect(reading).rejects.toThrow('could not be read to their end');
  expect(READ_STALLED_MS).toBe(60_000);
});

it('leaves a connection on which a request got no answer: the next goes over a new one', async () => {
  const { connection, topics } = await setUp();
  const sockets: net.Socket[] = [];
  const kafka = new kafkajs.Kafka({
    ...connection,
    requestTimeout: 300,
    retry: { retries: 0 },
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = net.connect({ host, port }, onConnect);
      sockets.push(socket);
      return socket;
    },
  });
  const admin = kafka.admin();
  await admin.connect();
  closing.push(() => admin.disconnect());
  expect(await admin.fetchTopicOffsets(topics.claims)).toHaveLength(1);
  // The other side has lost it without a word.
  const lost = [...sockets];
  for (const socket of lost) socket.write = () => true;
  await expect(admin.fetchTopicOffsets(topics.claims)).rejects.toThrow('timed out');
  await until(async () => (await admin.fetchTopicOffsets(topics.claims).catch(() => [])).length === 1, {
    what: 'an answer over a new connection',
  });
  expect(sockets.length).toBeGreaterThan(lost.length);
  expect(lost.some((socket) => socket.destroyed)).toBe(true);
});

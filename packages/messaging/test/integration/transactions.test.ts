import { freshTopicPrefix, testBrokers } from '@repo/testkit';
import { afterEach, expect, test } from 'vitest';
import { createTopics, KafkaPublisher, type OutboxRow, readToEnd, type TailedRecord } from '../../src/index.ts';
import { API, type Fault, faultySockets, withoutAgreements } from '../faulty-network.ts';

const closing: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const NAMES = new Map<number, string>(Object.entries(API).map(([name, number]) => [number, name]));
const OF_TRANSACTIONS = new Set(['Produce', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn', 'TxnOffsetCommit']);

/** A publisher, and the requests of its transactions so far, each with its version. */
async function setUp(decide: (apiKey: number, apiVersion: number) => Fault | undefined = () => undefined) {
  const prefix = freshTopicPrefix();
  const steady = { brokers: testBrokers().split(','), clientId: prefix };
  const requests: string[] = [];
  const socketFactory = faultySockets((apiKey, apiVersion) => {
    const name = NAMES.get(apiKey) ?? '';
    if (OF_TRANSACTIONS.has(name)) requests.push(`${name} ${apiVersion}`);
    return decide(apiKey, apiVersion);
  });
  const topics = await createTopics({ connection: steady, prefix, partitions: 1 });
  const options = { app: prefix, topic: topics.claims, resultsTopic: topics.settlements };
  const publisher = new KafkaPublisher({ ...options, connection: { ...steady, socketFactory } });
  closing.push(() => publisher.close());
  const rows = (topic: string, from: bigint, count: number): OutboxRow[] =>
    Array.from({ length: count }, (_, i) => {
      const seq = from + BigInt(i);
      return { seq, topic, partition: 0, key: null, value: Buffer.from(`V${seq}`), headers: [['h', `${seq}`]] };
    });
  const published = async (topic: string): Promise<string[]> => {
    const seen: string[] = [];
    const onRecords = (records: readonly TailedRecord[]) => void seen.push(...records.map(({ value }) => `${value}`));
    await readToEnd({ connection: steady, topics: [topic], onRecords });
    return seen;
  };
  return { publisher, requests, topics, rows, published };
}

/** Those since the last call. One that is made again, because the transaction before still ends, counts once. */
const inOrder = (requests: string[]): string[] => requests.splice(0).filter((name, i, all) => name !== all[i - 1]);

test('a record enters its transaction with the request that brings it, where the cluster has agreed on it', async () => {
  const { publisher, requests, topics, rows, published } = await setUp();
  await publisher.recover(0);
  expect(await publisher.publish(0, rows(topics.settlements, 1n, 3))).toBe(3n);
  expect(inOrder(requests)).toEqual(['Produce 12', 'EndTxn 5']);
  // Each transaction has an epoch of its own, in which sequences begin anew.
  expect(await publisher.publish(0, rows(topics.settlements, 4n, 200))).toBe(203n);
  expect(await publisher.publish(0, rows(topics.settlements, 204n, 1))).toBe(204n);
  expect(inOrder(requests)).toEqual(['Produce 12', 'EndTxn 5', 'Produce 12', 'EndTxn 5']);
  expect(await published(topics.settlements)).toEqual(Array.from({ length: 204 }, (_, i) => `V${i + 1}`));
  expect(await publisher.recover(0)).toBe(204n);
});

test('rows without a result carry the position as an offset, in a transaction of either version', async () => {
  const { publisher, requests, topics, rows, published } = await setUp();
  await publisher.recover(0);
  await publisher.publish(0, rows(topics.deadLetters, 1n, 2));
  await publisher.refresh(0, 2n);
  const offsets = ['AddOffsetsToTxn 1', 'TxnOffsetCommit 1', 'EndTxn 5'];
  expect(inOrder(requests)).toEqual(['Produce 12', ...offsets, ...offsets]);
  expect(await publisher.recover(0)).toBe(2n);
  expect(await published(topics.deadLetters)).toEqual(['V1', 'V2']);
});

test('where the cluster has not agreed on it, partitions are added to a transaction before', async () => {
  const { publisher, requests, topics, rows, published } = await setUp(withoutAgreements);
  await publisher.recover(0);
  await publisher.publish(0, rows(topics.settlements, 1n, 3));
  await publisher.publish(0, rows(topics.settlements, 4n, 1));
  const each = ['AddPartitionsToTxn 1', 'Produce 7', 'EndTxn 1'];
  expect(inOrder(requests)).toEqual([...each, ...each]);
  expect(await published(topics.settlements)).toEqual(['V1', 'V2', 'V3', 'V4']);
  expect(await publisher.recover(0)).toBe(4n);
});

/** A refused Produce of version 12: the partition has another leader, which a field with a number names. */
const refused = (): Buffer => {
  const name = Buffer.from('t');
  const leader = Buffer.from([1, 0, 9, 0, 0, 0, 5, 0, 0, 0, 6, 0]);
  return Buffer.concat([
    Buffer.from([0, 2, name.length + 1]),
    name,
    Buffer.from([2, 0, 0, 0, 0, 0, 6]),
    Buffer.alloc(24, 0xff),
    Buffer.from([1, 0]),
    leader,
    Buffer.from([0, 0, 0, 0, 7, 0]),
  ]);
};

test('a refusal is understood, whatever fields with numbers it has', async () => {
  const { publisher, topics, rows } = await setUp((apiKey) =>
    apiKey === API.Produce ? { answer: refused() } : undefined,
  );
  await publisher.recover(0);
  await expect(publisher.publish(0, rows(topics.settlements, 1n, 1))).rejects.toThrow(/not the leader/);
});

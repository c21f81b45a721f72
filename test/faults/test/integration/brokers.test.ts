import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KafkaCluster, startKafkaCluster } from '@repo/embedded';
import { createTopics, KafkaPublisher, type OutboxRow } from '@repo/messaging';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLog } from '../../src/reader.ts';

const PARTITIONS = 6;
const TRANSACTIONS = 20;
const dataDir = mkdtempSync(join(tmpdir(), 'gongji-brokers-'));
/** Three brokers of its own take most of a minute, which `npm test` does not have to spare. */
const isAsked = Boolean(process.env.GONGJI_THREE_BROKERS);
let cluster: KafkaCluster;

beforeAll(async () => {
  if (isAsked) cluster = await startKafkaCluster({ dataDir });
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test.runIf(isAsked)(
  'results and dead letters of one transaction, led by different brokers, are each published once',
  {
    timeout: 180_000,
  },
  async () => {
    const connection = { brokers: cluster.brokers.split(','), clientId: 'brokers-test' };
    const { claims, settlements, deadLetters } = await createTopics({
      connection,
      prefix: 'b',
      partitions: PARTITIONS,
    });
    const publisher = new KafkaPublisher({ connection, app: 'b', topic: claims, resultsTopic: settlements });
    const rowsOf = (partition: number, seq: number): OutboxRow[] =>
      [settlements, deadLetters].map((topic, n) => ({
        ...{ topic, partition, key: null, headers: [], seq: BigInt(seq + n) },
        value: Buffer.from(String(seq + n)),
      }));
    // One right after the other: the broker still ends the last when the next begins.
    const publishAll = async (partition: number): Promise<void> => {
      await publisher.recover(partition);
      for (let n = 0; n < TRANSACTIONS; n++) await publisher.publish(partition, rowsOf(partition, 1 + 2 * n));
    };
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => publishAll(partition)));
    await publisher.close();

    const { records } = await readLog(cluster.brokers, new Map([settlements, deadLetters].map((name) => [name, name])));
    for (const [topic, first] of [
      [settlements, 1],
      [deadLetters, 2],
    ] as const) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const told = records.filter((record) => record.topic === topic && record.partition === partition);
        const expected = Array.from({ length: TRANSACTIONS }, (_, n) => String(first + 2 * n));
        expect(told.map(({ value }) => value)).toEqual(expected);
      }
    }
  },
);

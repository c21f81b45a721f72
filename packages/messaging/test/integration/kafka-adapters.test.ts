import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import type { ISocketFactory } from 'kafkajs';
import { describe } from 'vitest';
import { createTopics, KafkaLog, KafkaPublisher, Sender, tail } from '../../src/index.ts';
import { describeAdapters, PARTITIONS, type Rig } from '../contract.ts';
import { faultySockets, withoutAgreements } from '../faulty-network.ts';

async function makeRig(socketFactory?: ISocketFactory): Promise<Rig> {
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  const topics = await createTopics({ connection, prefix, partitions: PARTITIONS });
  const sender = await Sender.open(connection);
  const opened: Array<() => Promise<void>> = [() => sender[Symbol.asyncDispose]()];
  const fail = (error: Error): void => {
    throw error;
  };
  return {
    outputTopic: topics.settlements,
    sideTopic: topics.deadLetters,
    publisher: (failpoint) => {
      const shaped = socketFactory === undefined ? connection : { ...connection, socketFactory };
      const options = { connection: shaped, app: prefix, topic: topics.claims, resultsTopic: topics.settlements };
      const publisher = new KafkaPublisher(failpoint === undefined ? options : { ...options, failpoint });
      opened.push(() => publisher.close());
      return publisher;
    },
    log: () => {
      const log = new KafkaLog({
        connection,
        topic: topics.claims,
        groupId: prefix,
        sessionTimeoutMs: 6_000,
        onCrash: fail,
      });
      opened.push(() => log.stop());
      return log;
    },
    append: (partition, values) =>
      sender.sendAll(
        topics.claims,
        values.map((value) => ({ key: null, value, partition })),
      ),
    committed: async (partition) => {
      // What comes before a record sent now is all there is.
      const end = 'END';
      await sender.sendAll(topics.settlements, [{ key: null, value: end, partition }]);
      const seen: string[] = [];
      await using _reader = await tail({
        connection,
        topics: [topics.settlements],
        from: 'start',
        onRecords: (records) => {
          for (const record of records) if (record.partition === partition) seen.push(`${record.value}`);
        },
        onFailure: fail,
      });
      await until(() => seen.includes(end), { what: 'the end of the output' });
      return seen.slice(0, seen.indexOf(end));
    },
    until: async (condition, what) => void (await until(condition, { what, deadlineMs: 20_000 })),
    settled: (promise) => promise,
    close: async () => {
      for (const close of opened.reverse()) await close();
    },
  };
}

describe.each([
  { version: 1, socketFactory: faultySockets(withoutAgreements) },
  { version: 2, socketFactory: undefined },
])('with transactions of version $version', ({ socketFactory }) =>
  describeAdapters('kafka', () => makeRig(socketFactory)),
);

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { expect, it } from 'vitest';
import { createTopics, type KafkaConnection, KafkaPublisher, Sender, tail } from '../../src/index.ts';
import { World } from '../../src/memory/world.ts';
import { startEchoWorker } from '../echo-worker.ts';
import { API, type Fault, faultySockets, withoutAgreements } from '../faulty-network.ts';
import { LocalStore } from '../local-store.ts';

const PARTITIONS = 3;
const RECORDS = 6_000;

/** The requests whose loss leaves a transaction, a position or a fence in doubt. */
const HIT: ReadonlySet<number> = new Set([
  API.Produce,
  API.OffsetFetch,
  API.InitProducerId,
  API.AddPartitionsToTxn,
  API.AddOffsetsToTxn,
  API.EndTxn,
  API.TxnOffsetCommit,
]);

it.each([
  { version: 1, agreed: withoutAgreements },
  { version: 2, agreed: () => undefined },
])(
  'publishes everything once, in order, while requests and answers of every kind are lost and workers come and go, with transactions of version $version',
  async ({ agreed }) => {
    const seed = Number(process.env.GONGJI_SEED ?? randomInt(2 ** 31));
    console.info(`GONGJI_SEED=${seed}`);
    const chance = new World(seed);
    let faultRate = 0.04;
    let faults = 0;
    const decide = (apiKey: number, apiVersion: number): Fault | undefined => {
      const refused = agreed(apiKey, apiVersion);
      if (refused !== undefined) return refused;
      if (!HIT.has(apiKey) || !chance.chance(faultRate)) return undefined;
      faults += 1;
      return chance.pick(['lose request', 'lose answer']);
    };

    const prefix = freshTopicPrefix();
    const steady: KafkaConnection = { brokers: testBrokers().split(','), clientId: prefix };
    const shaky: KafkaConnection = { ...steady, socketFactory: faultySockets(decide) };
    const topics = await createTopics({ connection: steady, prefix, partitions: PARTITIONS });
    const store = new LocalStore();
    const failures: unknown[] = [];
    let zombies = 0;

    const start = () =>
      startEchoWorker({
        connection: steady,
        publishing: shaky,
        app: prefix,
        topics,
        store,
        onCrash: (error) => failures.push(error),
        onHalt: ({ partition }, reason, error) => failures.push({ partition, reason, error }),
        limits: { batchRecordsMax: 50, publishRowsMax: 40 },
      });

    await using sender = await Sender.open(steady);
    const values = Array.from({ length: RECORDS }, (_, index) => ({ key: `K${index % 97}`, value: `V${index}` }));
    const sending = (async () => {
      for (let from = 0; from < RECORDS; from += 100) {
        await sender.sendAll(topics.claims, values.slice(from, from + 100));
        await sleep(100);
      }
    })();

    const workers = [await start(), await start()];
    for (let round = 0; round < 4; round++) {
      // A process that was stopped and goes on after another has taken over: it fences the owner of a shard it no longer has.
      await sleep(700);
      const zombie = new KafkaPublisher({
        connection: steady,
        app: prefix,
        topic: topics.claims,
        resultsTopic: topics.settlements,
      });
      await zombie.recover(round % PARTITIONS);
      await zombie.close();
      zombies += 1;
      const leaving = workers.shift();
      await leaving?.();
      workers.push(await start());
    }
    await sending;
    faultRate = 0;

    const seen: string[][] = Array.from({ length: PARTITIONS }, () => []);
    await using _reader = await tail({
      connection: steady,
      topics: [topics.settlements],
      from: 'start',
      onRecords: (records) => {
        for (const { partition, value } of records) seen[partition]?.push(`${value}`);
      },
      onFailure: (error) => failures.push(error),
    });
    const outbox = (partition: number): string[] =>
      store.row({ topic: topics.claims, partition }).outbox.map(({ value }) => `${value}`);
    const total = (): number => seen.reduce((sum, list) => sum + list.length, 0);
    await until(() => total() >= RECORDS, {
      what: `${RECORDS} results, ${failures.length} failures`,
      deadlineMs: 30_000,
    });
    for (const stop of workers) {
      await stop();
    }

    expect(failures).toEqual([]);
    for (const [partition, list] of seen.entries())
      expect(list, `partition ${partition}, seed ${seed}`).toEqual(outbox(partition));
    expect(seen.flat().toSorted()).toEqual(values.map(({ value }) => value).toSorted());
    expect(faults).toBeGreaterThan(10);
    expect(zombies).toBe(4);
  },
  120_000,
);

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOf } from '@repo/contracts';
import { Ledger, migrate } from '@repo/ledger';
import { createTopics, KafkaPublisher, type OutboxRow, Sender, type TailedRecord, tail } from '@repo/messaging';
import { cloneDatabase, freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { expect, test, vi } from 'vitest';
import { audit } from '../../src/audit/audit.ts';
import { run } from '../../src/commands/renumber.ts';
import { readSettings } from '../../src/config.ts';
import { loadMemberRows } from '../../src/load.ts';
import { findLost } from '../../src/lost-commits.ts';
import { startSystem } from '../../src/system/system.ts';
import { claim, MEMBERS } from './family.fixture.ts';

const PARTITIONS = 2;
const brokers = testBrokers().split(',');
const topicPrefix = freshTopicPrefix();
const topics = topicsOf(topicPrefix);

/** Lets a settlement worker run on a database until its claims shards have written so many outcomes in all, and published them. */
async function settleUntil(databaseUrl: string, written: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-renumber-'));
  const own = { kafkaBrokers: brokers, databaseUrl, dataDir, topicPrefix };
  const settings = { ...readSettings(), ...own, httpPort: 0, partitions: PARTITIONS, logLevel: 'error' as const };
  const system = await startSystem({
    settings,
    log: () => undefined,
    instances: { 'query-api': 0, 'sharing-worker': 0 },
  });
  const ledger = await Ledger.open({ url: databaseUrl, name: 'test' });
  try {
    const sum = `select coalesce(sum(out_seq), 0)::int as written, coalesce(sum(published_seq), 0)::int as published from shard`;
    await until(
      async () => {
        const [row] = await ledger.rows<{ written: number; published: number }>(sum);
        return row?.written === written && row.published === written;
      },
      { what: `${written} outcomes`, deadlineMs: 60_000 },
    );
  } finally {
    await ledger.close();
    await system.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function published(topic: string, count: number): Promise<TailedRecord[]> {
  const records: TailedRecord[] = [];
  const connection = { brokers, clientId: 'renumber-test' };
  const onFailure = (error: Error) => expect.unreachable(error.message);
  const onRecords = (more: readonly TailedRecord[]) => void records.push(...more);
  await using _reader = await tail({ connection, topics: [topic], from: 'start', onRecords, onFailure });
  await until(() => records.length >= count, { what: `${count} records of ${topic}` });
  return records;
}

const told = (record: TailedRecord, name: string) =>
  record.headers.findLast(([found]) => found === name)?.[1].toString();

test('a database that lost all it had settled goes on behind what was published, and every outcome comes out the same', {
  timeout: 180_000,
}, async () => {
  const [first, restored] = await Promise.all([1, 2].map(() => cloneDatabase({ key: 'renumber', migrate })));
  if (first === undefined || restored === undefined) throw new Error('two databases were asked for');
  for (const { url } of [first, restored])
    await loadMemberRows({ databaseUrl: url, rows: MEMBERS, partitions: PARTITIONS });
  await using sender = await Sender.open({ brokers, clientId: 'renumber-test' });
  await createTopics({
    connection: { brokers, clientId: 'renumber-test' },
    prefix: topicPrefix,
    partitions: PARTITIONS,
  });
  for (const { type, value } of [
    claim('C1', '150.00'),
    claim('C2', '30.00'),
    claim('C3', '1.00', { psn_part_amt: '1.005' }),
  ]) {
    const headers = [['ce_type', Buffer.from(type)]] as const;
    await sender.sendAll(topics.claims, [{ key: 'P1', value: JSON.stringify(value), headers }]);
  }
  const settings = { ...readSettings(), databaseUrl: restored.url, kafkaBrokers: brokers, topicPrefix };
  const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const ledger = await Ledger.open({ url: restored.url, name: 'test' });
  try {
    await settleUntil(first.url, 4);
    // As a worker leaves it that found the position ahead of the database, and halted.
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      await ledger.acquireShard({ topic: topics.claims, partition }, 'a worker that halted', PARTITIONS);

    expect(await run([], settings)).toBe(1);
    expect(said.mock.calls.flat().join('\n')).toMatch(/\.claims\.v1\/\d {2}written 0, published 4: 4 outcomes lost/);
    expect(await run(['--apply'], settings)).toBe(0);
    expect(await run([], settings)).toBe(0);
    await settleUntil(restored.url, 8);
    const { checks } = await audit({ databaseUrl: restored.url, brokers, topicPrefix, envelopes: null });
    const wrong = checks.flatMap(({ name, wrong: places }) => (places > 0 ? [[name, places]] : []));
    // What was lost has no row, so its numbers are missed for good; of the dead letter we have no key here.
    expect(wrong).toEqual([
      ['shard-sequence', 1],
      ['shard-destination', 1],
      ['record-opened', 1],
    ]);
  } finally {
    said.mockRestore();
    await ledger.close();
  }
  const results = await published(topics.settlements, 6);
  expect(results.map((record) => told(record, 'ce_sequence'))).toEqual(['1', '2', '3', '4', '5', '6']);
  const answers = results.map((record) => `${told(record, 'ce_id')} ${record.value}`);
  expect(answers.slice(3)).toEqual(answers.slice(0, 3));
  const dead = await published(topics.deadLetters, 2);
  expect(dead.map((record) => told(record, 'gongji-sequence'))).toEqual(['1', '2']);
  await Promise.all([first.drop(), restored.drop()]);
});

test('where retention has taken the last records of an output partition, no number that they can have had is given again', async () => {
  const { url, drop } = await cloneDatabase({ key: 'renumber', migrate });
  const prefix = freshTopicPrefix();
  const connection = { brokers, clientId: prefix };
  const own = await createTopics({ connection, prefix, partitions: 1 });
  const app = `${prefix}-settlement-worker`;
  let isCut = true;
  const failpoint = (name: string) => {
    if (isCut && name === 'after-send') throw new Error('cut');
  };
  const publisher = new KafkaPublisher({
    ...{ connection, app, topic: own.claims, resultsTopic: own.settlements, failpoint },
  });
  const row = (seq: number, topic: string, header: string, number: number): OutboxRow => ({
    ...{ seq: BigInt(seq), topic, partition: 0, key: null, value: Buffer.from('{}') },
    headers: [[header, String(number)]],
  });
  // What is aborted leaves a partition as retention does: it had records, and none can be read.
  await publisher.recover(0);
  const results = [1, 2, 3].map((n) => row(n, own.settlements, 'ce_sequence', n));
  await expect(publisher.publish(0, results)).rejects.toThrow('cut');
  isCut = false;
  await publisher.recover(0);
  // Of dead letters alone: the position is with the group, and outlives the results.
  const deadLetters = [1, 2].map((n) => row(3 + n, own.deadLetters, 'gongji-sequence', n));
  await publisher.publish(0, deadLetters);
  await publisher.close();

  const ledger = await Ledger.open({ url, name: 'test' });
  await ledger.acquireShard({ topic: own.claims, partition: 0 }, 'a worker that halted', 1);
  await ledger.rows(`update shard set out_seq = 1, result_seq = 1, published_seq = 1`);
  // Somebody added a partition once, and its shard halted.
  await ledger.acquireShard({ topic: own.claims, partition: 1 }, 'a worker that halted', 2);
  expect(await findLost(ledger, { brokers, topicPrefix: prefix })).toEqual([
    {
      ...{ topic: own.claims, partition: 0, written: 1n, outSeq: 5n },
      // Four outcomes are not known: all could have been results, though two were not.
      ...{ resultSeq: 5n, deadSeq: 2n, guessed: ['results'] },
    },
  ]);
  using said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const settings = { ...readSettings(), databaseUrl: url, kafkaBrokers: brokers, topicPrefix: prefix };
  expect(await run(['--apply'], settings)).toBe(0);
  expect(said.mock.calls.flat().join('\n')).toContain(
    'written 1, published 5: 4 outcomes lost; results go on at 6, which may leave numbers out',
  );
  const sequences = 'select out_seq::int, result_seq::int, dead_seq::int from shard where partition = 0';
  expect(await ledger.rows(sequences)).toEqual([{ out_seq: 5, result_seq: 5, dead_seq: 2 }]);
  await ledger.close();
  await drop();
});

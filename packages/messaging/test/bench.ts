/**
 * Measures the primitive alone, on a real broker and a database that costs nothing, beside a bare transactional echo:
 *   TEST_KAFKA_BROKERS=127.0.0.1:9092 node packages/messaging/test/bench.ts [records per second] [seconds] [backlog]
 * Prints produce-to-outcome latency at that rate for both, and how fast the primitive drains a backlog.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  classifyKafkaError,
  createProcessor,
  createTopics,
  KafkaLog,
  KafkaPublisher,
  Sender,
  tail,
} from '../src/index.ts';
import { startBareEcho } from './bare-echo.ts';
import { Echo, LocalStore } from './local-store.ts';

const brokers = (process.env.TEST_KAFKA_BROKERS ?? '127.0.0.1:9092').split(',');
const [rate = 500, seconds = 10, backlog = 60_000] = process.argv.slice(2).map(Number);
const connection = { brokers, clientId: 'bench' };
const PARTITIONS = 6;
const TICK_MS = 10;
const value = JSON.stringify({ note: 'x'.repeat(600) });

const quantile = (sorted: number[], share: number): string =>
  (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
const report = (name: string, values: number[]): void => {
  const sorted = values.toSorted((left, right) => left - right);
  console.log(
    `${name}: n=${sorted.length} p50=${quantile(sorted, 0.5)} p90=${quantile(sorted, 0.9)} p99=${quantile(sorted, 0.99)} ms`,
  );
};

interface Run {
  readonly topics: Awaited<ReturnType<typeof createTopics>>;
  readonly prefix: string;
  readonly latencies: number[];
  readonly seen: () => number;
}

/** Sends at the rate and waits until every outcome was seen; `start` begins whatever answers. */
async function measure(name: string, start: (run: Run) => Promise<() => Promise<void>>): Promise<void> {
  const prefix = `bench-${randomUUID().slice(0, 8)}`;
  const topics = await createTopics({ connection, prefix, partitions: PARTITIONS });
  const latencies: number[] = [];
  let seen = 0;
  await using _reader = await tail({
    connection,
    topics: [topics.settlements],
    from: 'start',
    onRecords: (records) => {
      const now = performance.now();
      seen += records.length;
      for (const { key } of records) {
        const sentAt = Number(`${key}`.split(' ')[1]);
        if (sentAt > 0) latencies.push(now - sentAt);
      }
    },
    onFailure: (error) => console.error(error),
  });
  await using sender = await Sender.open(connection);
  const stop = await start({ topics, prefix, latencies, seen: () => seen });
  const warmUp = Array.from({ length: 60 }, (_, index) => ({ key: `warm${index} 0`, value }));
  await sender.sendAll(topics.claims, warmUp);
  while (seen < warmUp.length) await sleep(5);

  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  let sent = 0;
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate) - sent;
    const records = Array.from({ length: due }, () => ({ key: `${sent++} ${performance.now()}`, value }));
    await Promise.all([sender.sendAll(topics.claims, records), sleep(TICK_MS)]);
  }
  while (seen < sent + warmUp.length) await sleep(5);
  const { user, system } = process.cpuUsage(cpuBefore);
  report(`${name} at ${rate}/s`, latencies);
  console.log(`  this process used ${((user + system) / 10_000 / seconds).toFixed(0)} % of a core`);

  await stop();
  if (name !== 'primitive' || backlog === 0) return;
  await sender.sendAll(
    topics.claims,
    Array.from({ length: backlog }, (_, index) => ({ key: `b${index} 0`, value })),
  );
  const drainFrom = performance.now();
  const before = seen;
  const stopAgain = await start({ topics, prefix, latencies, seen: () => seen });
  while (seen < before + backlog) await sleep(5);
  const ms = performance.now() - drainFrom;
  console.log(
    `  drained ${backlog} in ${ms.toFixed(0)} ms = ${Math.round((backlog / ms) * 1_000)} records/s, seen by a reader in this process`,
  );
  await stopAgain();
}

const store = new LocalStore();
await measure('primitive', async ({ topics, prefix }) => {
  const publisher = new KafkaPublisher({
    connection,
    app: prefix,
    topic: topics.claims,
    resultsTopic: topics.settlements,
  });
  const transactions: number[] = [];
  let rows = 0;
  const log = new KafkaLog({
    connection,
    topic: topics.claims,
    groupId: prefix,
    onCrash: (error) => console.error('crash', error),
  });
  await log.run(
    createProcessor({
      topic: topics.claims,
      owner: 'bench',
      store,
      publisher,
      processor: new Echo(store, topics.settlements),
      classify: (error) => classifyKafkaError(error) ?? 'defect',
      onHalt: (_, reason, error) => console.error('halted', reason, error),
      observer: {
        published: (_, event) => {
          transactions.push(event.ms);
          rows += event.rows;
        },
        failed: (_, event) => console.error('failed', event),
      },
    }),
  );
  return async () => {
    report('  transactions', transactions);
    console.log(`  ${(rows / transactions.length).toFixed(1)} rows each`);
    await log.stop();
    await publisher.close();
  };
});
await measure('bare echo', ({ topics, prefix }) =>
  startBareEcho(connection, prefix, topics.claims, topics.settlements),
);

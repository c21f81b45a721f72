import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { topicsOf } from '@repo/contracts';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { createTopics, Sender } from '@repo/messaging';
import { METRICS } from '@repo/observability';
import { cloneDatabase, freshTopicPrefix, testBrokers, until } from '@repo/testkit';
import { afterEach, expect, test } from 'vitest';
import { keyFile } from './shard.fixture.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PARTITIONS = 2;
const SOON_MS = 60_000;
const running: ChildProcess[] = [];
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const claim = (claim_id: string, over: Readonly<Record<string, unknown>> = {}) => ({
  ...{ claim_id, mdtrt_id: 'M1', psn_no: 'P1', fixmedins_code: 'H33010600001', designated: true, med_type: '11' },
  ...{ fix_blng_admdvs: '330106', setl_time: '2025-03-10T10:00:00+08:00', medfee_sumamt: '350.00' },
  ...{ fund_pay_sumamt: '200.00', psn_part_amt: '150.00' },
  ...over,
});

/** A worker on servers and topics of its own, and what it says of itself. */
async function startWorker() {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const prefix = freshTopicPrefix();
  const connection = { brokers: testBrokers().split(','), clientId: prefix };
  await createTopics({ connection, prefix, partitions: PARTITIONS });
  const port = await freePort();
  const settings = {
    ...{ GONGJI_KAFKA_BROKERS: testBrokers(), GONGJI_DATABASE_URL: url, GONGJI_TOPIC_PREFIX: prefix },
    ...{ GONGJI_PARTITIONS: String(PARTITIONS), GONGJI_ADMIN_PORT: String(port) },
    GONGJI_ENVELOPE_KEY_FILE: await keyFile(),
  };
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...settings }, stdio: 'ignore' });
  running.push(child);
  const scrape = async () => samplesOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  const ready = () => fetch(`http://127.0.0.1:${port}/health/ready`).then(({ status }) => status === 200);
  await until(ready, { what: 'the worker to be ready', deadlineMs: SOON_MS });
  const send = async (...values: readonly unknown[]) => {
    await using sender = await Sender.open(connection);
    const headers = [['ce_type', Buffer.from('claim.submitted')] as const];
    const records = values.map((value) => ({ key: 'P1', value: JSON.stringify(value), headers, partition: 0 }));
    await sender.sendAll(topicsOf(prefix).claims, records);
  };
  return { url, scrape, send };
}

/** Every sample of a scrape: `name{labels}` to its value. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const OURS = 'topic="claims"';
const SHARD = `{${OURS},partition="0"}`;

test('every metric that is documented is served by a worker that has met what it counts, and no other', {
  timeout: 240_000,
}, async () => {
  const { url, scrape, send } = await startWorker();
  await send(claim('C1'), claim('C2', { designated: false }), claim('C3', { psn_part_amt: '1.005' }));
  const answered = async () => ((await scrape()).get(`settlement_end_to_end_seconds_count{${OURS}}`) ?? 0) >= 3;
  await until(answered, { what: 'the outcomes to be published', deadlineMs: SOON_MS });

  // Somebody holds the shard's row for longer than the worker waits for a lock.
  const ledger = await Ledger.open({ url, name: 'test', transactionTimeoutMs: 60_000 });
  closing.push(() => ledger.close());
  await ledger.transact(async (tx) => {
    await tx.rows(`select from shard where partition = 0 for update`, []);
    await send(claim('C4'));
    const retried = async () =>
      ((await scrape()).get(`settlement_retries_total{${OURS},reason="LOCK_TIMEOUT"}`) ?? 0) > 0;
    await until(retried, { what: 'a lock timeout', deadlineMs: 30_000 });
  });
  const settled = async () => ((await scrape()).get(`settlement_end_to_end_seconds_count{${OURS}}`) ?? 0) >= 4;
  await until(settled, { what: 'the claim that waited', deadlineMs: SOON_MS });

  const samples = await scrape();
  const served = new Set(
    [...samples.keys()]
      .map((sample) => sample.replace(/\{.*/, ''))
      .map((name) => name.replace(/_(bucket|sum|count)$/, '')),
  );
  const documented = Object.values(METRICS).map(({ name }) => name);
  // Only a defect of ours would set a message aside.
  const unmet = ['settlement_quarantines_total'];
  expect([...served, ...unmet].filter((name) => name.startsWith('settlement_')).sort()).toEqual([...documented].sort());
  expect(samples.get(`settlement_shard_owned${SHARD}`)).toBe(1);
  expect(samples.get(`settlement_shard_halted${SHARD}`)).toBe(0);
  expect(samples.get(`settlement_shard_epoch${SHARD}`)).toBe(1);
  expect(samples.get(`settlement_outbox_depth_rows${SHARD}`)).toBe(0);
  expect(samples.get(`settlement_outbox_age_seconds${SHARD}`)).toBe(0);
  const connections = ['busy', 'idle', 'waiting'].map((state) =>
    samples.get(`settlement_db_pool_connections{state="${state}"}`),
  );
  expect(connections[0]).toBeLessThanOrEqual(PARTITIONS + 2);
  expect((connections[0] ?? 0) + (connections[1] ?? 0)).toBeGreaterThan(0);
  expect(connections[2]).toBe(0);
});

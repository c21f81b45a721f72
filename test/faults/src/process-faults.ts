import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CUT_WORKERS } from './database-faults.ts';
import { type Fault, happened, kindOf, owned, retries, STALL_MS, until, type WorkerName } from './fault.ts';
import type { Stage } from './stage.ts';

/** Enough to start with and not to work with. */
const HEAP_MIB = 32;
const BURST = 20_000;

/** A worker's heap is far too small for what waits: it ends, and is started again as it should be. */
export const heapLimit = (worker: WorkerName): Fault => ({
  name: `heap limit reached, ${kindOf(worker)}`,
  run: async (stage) => {
    const { exited } = await stage.restart(worker, { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` });
    await stage.load.burst(BURST);
    await happened(exited, ({ signal }) => signal === 'SIGABRT', `${worker} had memory enough`);
    await stage.service(worker).process.start();
  },
});

/** A worker computes without a pause for longer than the session timeout: it misses its heartbeats, others take over, and it comes back. */
export const eventLoopBlocked = (worker: WorkerName): Fault => ({
  name: `event loop blocked, ${kindOf(worker)}`,
  run: async (stage) => {
    const { pid } = await stage.restart(worker, { NODE_OPTIONS: '--inspect=127.0.0.1:0' });
    await until(async () => ((await owned(stage, pid)) ?? 0) > 0, `${worker} got no shard`);
    const inspector = await inspectorOf(stage, worker);
    inspector.send(evaluating(`const end = Date.now() + ${STALL_MS}; while (Date.now() < end);`));
    await until(async () => (await owned(stage, pid)) === 0, `nobody took over from ${worker}`);
    inspector.close();
    await stage.restart(worker);
  },
});

const evaluating = (expression: string): string =>
  JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });

async function inspectorOf(stage: Stage, worker: WorkerName): Promise<WebSocket> {
  const url = readFileSync(stage.service(worker).logFile, 'utf8')
    .match(/^Debugger listening on (ws:\S+)$/gm)
    ?.at(-1);
  if (url === undefined) throw new Error(`${worker} has no inspector`);
  const socket = new WebSocket(url.replace('Debugger listening on ', ''));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`the inspector of ${worker} does not answer`));
  });
  return socket;
}

const WRONG_CLOCK = fileURLToPath(new URL('./wrong-clock.ts', import.meta.url));
const HOUR_MS = 3_600_000;
const WRONG_FOR_MS = 10_000;

/** Of a clock that jumps: how long until it jumps back. */
const STEP_MS = 2_000;

const WRONG_CLOCKS = {
  fast: HOUR_MS,
  slow: -HOUR_MS,
  'fast and right in turn': HOUR_MS,
  'slow and right in turn': -HOUR_MS,
};

/** The clock of a worker's host is an hour off, or jumps: nothing it decides and no lease it holds may depend on that. */
export const clockWrong = (worker: WorkerName, how: keyof typeof WRONG_CLOCKS): Fault => ({
  name: `clock an hour ${how}, ${kindOf(worker)}`,
  run: async (stage) => {
    const { pid } = await stage.restart(worker, {
      NODE_OPTIONS: `--import=${WRONG_CLOCK}`,
      WRONG_CLOCK_MS: String(WRONG_CLOCKS[how]),
      ...(how.endsWith('in turn') && { WRONG_CLOCK_STEP_MS: String(STEP_MS) }),
    });
    await until(async () => ((await owned(stage, pid)) ?? 0) > 0, `${worker} got no shard`);
    await delay(WRONG_FOR_MS);
    const since = performance.now();
    await until(async () => stage.load.hasFlowedSince(since), 'the load does not flow');
    if (((await owned(stage, pid)) ?? 0) === 0) throw new Error(`${worker} lost its shards`);
    await stage.restart(worker);
  },
});

const LOST_NAME = fileURLToPath(new URL('./lost-name.ts', import.meta.url));

/** The name of the database's host is no longer resolved when connections have to be made anew: the worker waits for it and goes on. */
export const nameLost = (worker: WorkerName): Fault => ({
  name: `name of PostgreSQL not resolved, ${kindOf(worker)}`,
  run: async (stage) => {
    const url = new URL(stage.system.postgresUrl);
    url.hostname = 'localhost';
    const sign = join(stage.dataDir, 'name-is-lost');
    const { pid } = await stage.restart(worker, {
      NODE_OPTIONS: `--import=${LOST_NAME}`,
      LOST_NAME_SIGN: sign,
      GONGJI_DATABASE_URL: url.href,
    });
    await until(async () => ((await owned(stage, pid)) ?? 0) > 0, `${worker} got no shard`);
    const before = await retries(stage, 'DATABASE');
    writeFileSync(sign, '');
    try {
      await stage.withDatabase((client) => client.query(CUT_WORKERS));
      await until(async () => (await retries(stage, 'DATABASE')) > before, `${worker} did not miss the name`);
      await delay(WRONG_FOR_MS);
    } finally {
      rmSync(sign);
    }
    await until(async () => stage.isReady(worker), `${worker} does not go on`);
    if (stage.service(worker).pid !== pid) throw new Error(`${worker} ended, which only had to wait`);
    await stage.restart(worker);
  },
});

/** SQLSTATE of the refusal of a password. */
const WRONG_PASSWORD = '28P01';

/** The database's password is another from one moment to the next, and connections end: whoever comes back is refused, and says so. */
export const passwordChanged: Fault = {
  name: 'password of PostgreSQL changed',
  run: (stage) =>
    stage.withDatabase(async (client) => {
      const { username, password } = new URL(stage.system.postgresUrl);
      const set = (text: string) =>
        client.query(`alter role ${client.escapeIdentifier(username)} password ${client.escapeLiteral(text)}`);
      const refusals = (): number =>
        stage.system.services.reduce(
          (sum, { logFile }) => sum + readFileSync(logFile, 'utf8').split(WRONG_PASSWORD).length - 1,
          0,
        );
      const before = refusals();
      await set('another');
      try {
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()',
        );
        await until(async () => refusals() > before, 'nobody was refused');
        await delay(5_000);
      } finally {
        await set(decodeURIComponent(password));
      }
    }),
};

/** A policy file is broken while all are at work: they go on with what they have read, and only one that is started then refuses to. */
export const policyBroken = (worker: WorkerName): Fault => ({
  name: `policy file broken, ${kindOf(worker)}`,
  run: async (stage) => {
    const file = stage.policyFile('broken.yaml');
    writeFileSync(file, 'region: [');
    try {
      const { exited } = await stage.restart(worker);
      await happened(exited, ({ code }) => code === 1, `${worker} took a broken policy file`);
      const since = performance.now();
      await until(async () => stage.load.hasFlowedSince(since), 'the other worker does not go on');
    } finally {
      rmSync(file);
    }
    await stage.service(worker).process.start();
  },
});

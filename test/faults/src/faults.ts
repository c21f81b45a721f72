import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { waitFor } from '@repo/embedded';
import type { Stage } from './stage.ts';

/** One thing that goes wrong. `run` resolves when it has happened and what was stopped runs again; it rejects if it did not happen. */
export interface Fault {
  readonly name: string;
  readonly run: (stage: Stage) => Promise<void>;
}

/** Places between what the database has and what the broker has, by the failure window they open. */
export const FAILPOINTS = [
  'mid-db', // W1: inside the database's transaction
  'before-db-commit', // W1
  'after-db-commit', // W2: outcomes stored, nothing sent
  'after-send', // W3: sent, the Kafka transaction is open
  'before-endtxn', // W3
  'after-endtxn', // W4 and W5: published, the database does not know
  'after-mark', // W5
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];
export type WorkerName = 'settlement-worker' | 'settlement-worker-2' | 'sharing-worker' | 'sharing-worker-2';

const HAPPENS_WITHIN_MS = 180_000;
/** Longer than the session timeout (10 s), the broker's session with its controller and a transaction's timeout (15 s). */
const STALL_MS = 18_000;

/** The process kills itself with SIGKILL at the count-th pass of a failpoint, under load. */
export const dieAt = (worker: WorkerName, failpoint: FailpointName): Fault => ({
  name: `kill -9 at ${failpoint}, ${kindOf(worker)}`,
  run: async (stage) => {
    const isMark = failpoint === 'after-mark';
    stage.arm(worker, `${failpoint}:${isMark ? 1 : 1 + stage.random.below(12)}:SIGKILL`);
    const service = stage.service(worker);
    // Told to stop, a worker leaves its group at once, so that the one to die is soon at work.
    await service.process.kill('SIGTERM');
    const { exited, pid } = await service.process.start();
    const wake = isMark ? await restAfterWork(stage, pid) : () => {};
    try {
      await happened(exited, ({ signal }) => signal === 'SIGKILL', `${worker} passed no ${failpoint}`);
    } finally {
      wake();
    }
    await service.process.start();
  },
});

/** Lets a process work, and then rest: only a shard that rests stores its position by itself. Answers what ends the rest. */
async function restAfterWork(stage: Stage, pid: number): Promise<() => void> {
  await until(async () => ((await owned(stage, pid)) ?? 0) > 0, 'a worker got no shard');
  const since = performance.now();
  await until(async () => stage.load.hasFlowedSince(since), 'the load does not flow');
  return stage.load.hush();
}

const owned = (stage: Stage, pid: number): Promise<number | undefined> =>
  stage.count(`select count(*)::int as count from shard where owner like '%:' || $1`, [pid]);

/** Killed at a random instant. */
export const dieAnywhere = (name: WorkerName | 'query-api'): Fault => ({
  name: `kill -9 at a random instant, ${kindOf(name)}`,
  run: async (stage) => {
    await delay(stage.random.below(2_000));
    const { process } = stage.service(name);
    await process.kill('SIGKILL');
    await process.start();
  },
});

/** Stops at a failpoint until others have taken all it had, then goes on as if nothing had been. */
export const zombie = (worker: WorkerName, failpoint: FailpointName): Fault => ({
  name: `zombie at ${failpoint}, ${kindOf(worker)}`,
  run: async (stage) => {
    stage.arm(worker, `${failpoint}:${1 + stage.random.below(12)}:SIGSTOP`);
    const service = stage.service(worker);
    await service.process.kill('SIGTERM');
    const { pid } = await service.process.start();
    try {
      await until(() => isStopped(pid), `${worker} passed no ${failpoint}`);
      await until(async () => (await owned(stage, pid)) === 0, `nobody took over from ${worker}`);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  },
});

export const brokerDies = (signal: 'SIGKILL' | 'SIGTERM'): Fault => ({
  name: signal === 'SIGKILL' ? 'broker kill -9 and restart' : 'broker stop and restart',
  run: async ({ system }) => {
    await system.servers.killKafka(signal);
    await system.servers.restartKafka();
  },
});

export const brokerStalls: Fault = {
  name: 'broker stall (SIGSTOP)',
  run: ({ system }) => stall([system.servers.kafkaPid]),
};

export const databaseDies = (signal: 'SIGKILL' | 'SIGINT'): Fault => ({
  name: signal === 'SIGKILL' ? 'PostgreSQL kill -9 and restart' : 'PostgreSQL stop and restart',
  run: async ({ system }) => {
    await system.servers.killPostgres(signal);
    await system.servers.restartPostgres();
  },
});

/** The server and every session of it. */
export const databaseStalls: Fault = {
  name: 'PostgreSQL stall (SIGSTOP)',
  run: async ({ system }) => {
    const server = system.servers.postgresPid;
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(server)]);
    await stall([server, ...stdout.trim().split('\n').map(Number)]);
  },
};

/** Every connection of the workers is cut, twenty times, at whatever they are doing. */
export const connectionsCut: Fault = {
  name: 'connections cut (pg_terminate_backend)',
  run: async (stage) => {
    let cut = 0;
    await stage.withDatabase(async (client) => {
      for (let round = 0; round < 20; round++) {
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('settlement-worker', 'sharing-worker')`,
        );
        cut += rowCount ?? 0;
        await delay(100 + stage.random.below(300));
      }
    });
    if (cut === 0) throw new Error('there was no connection to cut');
  },
};

/** Somebody holds a family's accounts for longer than the workers' lock timeout (2 s). */
export const lockTimeout: Fault = {
  name: 'lock timeout',
  run: (stage) =>
    stage.withDatabase(async (client) => {
      const before = await timeouts(stage);
      await client.query('begin');
      await client.query('select from account order by psn_no limit 20 for update');
      try {
        await until(async () => (await timeouts(stage)) > before, 'no worker ran into its lock timeout');
      } finally {
        await client.query('rollback');
      }
    }),
};

const timeouts = (stage: Stage): Promise<number> => retries(stage, 'LOCK_TIMEOUT');

/** How often the workers say they have tried again for a reason. A worker that was started again counts from 0. */
async function retries({ system }: Stage, reason: string): Promise<number> {
  let total = 0;
  for (const { service, adminPort } of system.services) {
    if (service === 'query-api') continue;
    const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`).catch(() => undefined);
    for (const line of (await answer?.text())?.split('\n') ?? [])
      if (/^\w*retries\w*\{/.test(line) && line.includes(`reason="${reason}"`)) total += Number(line.split(' ').at(-1));
  }
  return total;
}

/** Takes the last account, and once a worker waits for it, all the others against the workers' order. The worker must lose. */
export const deadlock: Fault = {
  name: 'deadlock',
  run: (stage) =>
    stage.withDatabase(async (client) => {
      const count = async () => await retries(stage, 'DEADLOCK');
      const before = await count();
      const tangle = async (): Promise<boolean> => {
        // PostgreSQL ends the session whose patience is over first.
        await client.query(`begin; set local deadlock_timeout = '1min'; set local lock_timeout = '5s'`);
        try {
          await client.query('select from account where psn_no = (select max(psn_no) from account) for update');
          const isAwaited = async () =>
            (await stage.count(
              'select count(*)::int as count from pg_stat_activity where pg_backend_pid() <> pid and cardinality(pg_blocking_pids(pid)) > 0',
            )) !== 0;
          if (await waitFor(isAwaited, 20_000, 20))
            await client.query('select from account order by psn_no desc for update').catch(() => {});
        } finally {
          await client.query('rollback');
        }
        return (await count()) > before;
      };
      await until(tangle, 'no worker was ended by a deadlock');
    }),
};

/** A worker leaves and joins every three seconds. */
export const rebalanceStorm = (worker: WorkerName): Fault => ({
  name: `rebalance storm, ${kindOf(worker)}`,
  run: async (stage) => {
    const { process } = stage.service(worker);
    for (let round = 0; round < 8; round++) {
      await process.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await process.start();
      await delay(3_000);
    }
  },
});

export const repeats: Fault = {
  name: 'the last 1,000 messages again',
  run: async ({ load }) => load.repeat(1_000),
};

const kindOf = (name: string): string => name.replace(/-2$/, '');

async function stall(pids: readonly number[]): Promise<void> {
  try {
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await delay(STALL_MS);
  } finally {
    // One that was ended meanwhile needs no waking.
    for (const pid of [...pids].reverse()) if (isThere(pid)) process.kill(pid, 'SIGCONT');
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function isStopped(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
  return stdout.startsWith('T');
}

async function until(condition: () => Promise<boolean>, orElse: string): Promise<void> {
  if (!(await waitFor(condition, HAPPENS_WITHIN_MS, 100))) throw new Error(orElse);
}

async function happened<T>(event: Promise<T>, isRight: (value: T) => boolean, orElse: string): Promise<void> {
  const value = await Promise.race<T | undefined>([event, delay(HAPPENS_WITHIN_MS, undefined, { ref: false })]);
  if (value === undefined || !isRight(value)) throw new Error(orElse);
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '@repo/embedded';
import { type Fault, happened, isStopped, kindOf, owned, stall, until, type WorkerName } from './fault.ts';
import type { Stage } from './stage.ts';

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

/** The process kills itself with SIGKILL at the count-th pass of a failpoint, under load. */
export const dieAt = (worker: WorkerName, failpoint: FailpointName): Fault => ({
  name: `kill -9 at ${failpoint}, ${kindOf(worker)}`,
  run: async (stage) => {
    const isMark = failpoint === 'after-mark';
    const pass = isMark ? 1 : 1 + stage.random.below(12);
    await armed(stage, worker, `${failpoint}:${pass}:SIGKILL`, async ({ exited, pid }) => {
      const wake = isMark ? await restAfterWork(stage, pid) : () => {};
      try {
        await happened(exited, ({ signal }) => signal === 'SIGKILL', `${worker} passed no ${failpoint}`);
      } finally {
        wake();
      }
    });
    await stage.service(worker).process.start();
  },
});

/**
 * Starts a worker with a failpoint and waits for what it leads to; once more where another fault of the same step, such as a broker that
 * goes away, has ended the worker before. Told to stop, a worker leaves its group at once, so that the one to die is soon at work.
 */
async function armed(
  stage: Stage,
  worker: WorkerName,
  failpoint: string,
  happens: (child: Child) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const child = await stage.restart(worker, { GONGJI_FAILPOINT: failpoint });
    let endedByItself = false;
    void child.exited.then(({ signal }) => {
      endedByItself = signal === null;
    });
    try {
      return await happens(child);
    } catch (error) {
      if (!endedByItself || attempt === ARMED_AT_MOST) throw error;
    }
  }
}
const ARMED_AT_MOST = 3;

/** Lets a process work, and then rest: only a shard that rests stores its position by itself. Answers what ends the rest. */
async function restAfterWork(stage: Stage, pid: number): Promise<() => void> {
  await until(async () => ((await owned(stage, pid)) ?? 0) > 0, 'a worker got no shard');
  const since = performance.now();
  await until(async () => stage.load.hasFlowedSince(since), 'the load does not flow');
  return stage.load.hush();
}

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
    const pass = 1 + stage.random.below(12);
    await armed(stage, worker, `${failpoint}:${pass}:SIGSTOP`, async ({ exited, pid }) => {
      const ended = exited.then(() => {
        throw new Error(`${worker} ended before it passed ${failpoint}`);
      });
      await Promise.race([until(() => isStopped(pid), `${worker} passed no ${failpoint}`), ended]);
      try {
        await until(async () => (await owned(stage, pid)) === 0, `nobody took over from ${worker}`);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });
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

const STORM_MS = 60_000;

/** A worker leaves and joins every three seconds for a minute. */
export const rebalanceStorm = (worker: WorkerName): Fault => ({
  name: `rebalance storm, ${kindOf(worker)}`,
  run: async (stage) => {
    const { process } = stage.service(worker);
    const end = performance.now() + STORM_MS;
    for (let round = 0; performance.now() < end; round++) {
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

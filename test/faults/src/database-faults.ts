import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@repo/embedded';
import { childrenOf, type Fault, retries, stall, until } from './fault.ts';
import type { Stage } from './stage.ts';

/** Ends every connection of the workers. */
export const CUT_WORKERS = `select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('settlement-worker', 'sharing-worker')`;

const ENDINGS = { SIGKILL: 'kill -9', SIGINT: 'fast stop', SIGQUIT: 'immediate stop' } as const;

export const databaseDies = (signal: keyof typeof ENDINGS): Fault => ({
  name: `PostgreSQL ${ENDINGS[signal]} and restart`,
  run: async ({ system }) => {
    await system.servers.killPostgres(signal);
    await system.servers.restartPostgres();
  },
});

/** The server and every session of it. */
export const databaseStalls: Fault = {
  name: 'PostgreSQL stall (SIGSTOP)',
  run: async (stage) => {
    await stall(await postgresProcesses(stage));
  },
};

/** The server and its sessions. */
export async function postgresProcesses({ system }: Stage): Promise<number[]> {
  const server = system.servers.postgresPid;
  return [server, ...(await childrenOf(server))];
}

/** Every connection of the workers is cut, twenty times, at whatever they are doing. */
export const connectionsCut: Fault = {
  name: 'connections cut (pg_terminate_backend)',
  run: async (stage) => {
    let cut = 0;
    await stage.withDatabase(async (client) => {
      for (let round = 0; round < 20; round++) {
        const { rowCount } = await client.query(CUT_WORKERS);
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
      const before = await retries(stage, 'LOCK_TIMEOUT');
      await client.query('begin');
      await client.query('select from account order by psn_no limit 20 for update');
      try {
        await until(async () => (await retries(stage, 'LOCK_TIMEOUT')) > before, 'no worker ran into its lock timeout');
      } finally {
        await client.query('rollback');
      }
    }),
};

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

/** Every write of an outcome is refused as on a full disk, for longer than a batch's attempts take. */
export const diskRefused: Fault = {
  name: 'disk full (53100 raised)',
  run: (stage) =>
    stage.withDatabase(async (client) => {
      const before = await retries(stage, 'DATABASE');
      await client.query(`create function fault_full() returns trigger language plpgsql as
        $$ begin raise exception using errcode = '53100', message = 'the disk is full'; end $$`);
      try {
        await client.query(
          'create trigger fault_full before insert on outcome for each statement execute function fault_full()',
        );
        await until(async () => (await retries(stage, 'DATABASE')) > before, 'no worker met the full disk');
        await delay(10_000);
      } finally {
        await client.query('drop function fault_full() cascade');
      }
    }),
};

const FULL_FOR_MS = 10_000;

/** Somebody else takes every connection the server has, and the workers lose theirs. How long that takes is up to the machine. */
export const tooManyConnections: Fault = {
  name: 'too many connections',
  run: async (stage) => {
    const before = await retries(stage, 'DATABASE');
    await using taken = new AsyncDisposableStack();
    await stage.withDatabase(async (client) => {
      await until(async () => !(await stage.takeConnection(taken)), 'the connections did not run out');
      const end = performance.now() + FULL_FOR_MS;
      while (performance.now() < end) {
        await client.query(CUT_WORKERS);
        // What the workers lost is taken before they come back.
        while (await stage.takeConnection(taken));
        await delay(50);
      }
      await until(async () => (await retries(stage, 'DATABASE')) > before, 'no worker was refused a connection');
    });
  },
};

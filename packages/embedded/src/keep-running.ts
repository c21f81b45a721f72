import type { Child, Exit } from './child.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A process that ran this long was well: its next restart does not wait longer than the first. */
export const HEALTHY_AFTER_MS = 60_000;

/** The pause before the restart after the given number of deaths in a row (1, 2, ...), in milliseconds. */
export const restartPauseMs = (deaths: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), LONGEST_PAUSE_MS);

/**
 * A process that is started again when it dies. It is in one of four states: `running`; `pausing` between a death and
 * the restart; `down`, put there by `kill` and left by `start`; `stopped` for good by `stop`.
 */
export interface KeptRunning<C extends Child = Child> {
  readonly name: string;
  /** The process of now, or the last one. */
  readonly current: C;
  /** Deaths nobody asked for, since the beginning. */
  readonly deaths: number;
  /** Ends the process with a signal, waits until it is gone, and leaves it down until `start`. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** Starts it if it is down; otherwise waits for a restart under way. */
  start(): Promise<C>;
  /** Ends it in its own orderly way, for good. */
  stop(): Promise<void>;
}

export interface KeepRunningOptions<C extends Child> {
  readonly name: string;
  readonly start: () => Promise<C>;
  readonly log: (line: string) => void;
  /** Absent: a minute. */
  readonly healthyAfterMs?: number;
}

/** Starts a process and keeps it running. A first start that fails is the caller's to handle; later ones are tried again. */
export async function keepRunning<C extends Child>(options: KeepRunningOptions<C>): Promise<KeptRunning<C>> {
  const { name, log, healthyAfterMs = HEALTHY_AFTER_MS } = options;
  let state: 'running' | 'pausing' | 'down' | 'stopped' = 'running';
  let current = await options.start();
  let starting: Promise<C> | undefined;
  let wake: (() => void) | undefined;
  let deaths = 0;
  let deathsInRow = 0;

  const launch = (): Promise<C> => {
    starting ??= (async () => {
      try {
        current = await options.start();
        state = 'running';
        watch(current);
        return current;
      } finally {
        starting = undefined;
      }
    })();
    return starting;
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const restart = async (why: string): Promise<void> => {
    state = 'pausing';
    deathsInRow += 1;
    const pauseMs = restartPauseMs(deathsInRow);
    log(`${name} ${why}; starting it again in ${pauseMs / 1000} s`);
    await pause(pauseMs);
    if (state !== 'pausing') return;
    try {
      const { pid } = await launch();
      log(`${name} is running again (pid ${pid})`);
    } catch (error) {
      if (state === 'pausing') await restart(`could not be started: ${error instanceof Error ? error.message : error}`);
    }
  };
  const watch = (child: C): void => {
    const since = performance.now();
    void child.exited.then(({ code, signal }) => {
      if (state !== 'running' || child.pid !== current.pid) return;
      deaths += 1;
      if (performance.now() - since >= healthyAfterMs) deathsInRow = 0;
      void restart(`ended (${signal ?? `code ${code}`})`);
    });
  };
  watch(current);

  return {
    name,
    get current() {
      return current;
    },
    get deaths() {
      return deaths;
    },
    kill: async (signal) => {
      state = 'down';
      wake?.();
      await starting?.catch(() => {});
      state = 'down';
      current.kill(signal);
      return current.exited;
    },
    start: () => (state === 'running' ? Promise.resolve(current) : launch()),
    stop: async () => {
      state = 'stopped';
      wake?.();
      await starting?.catch(() => {});
      state = 'stopped';
      await current.stop();
    },
  };
}

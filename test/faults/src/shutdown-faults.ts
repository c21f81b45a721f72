import { setTimeout as delay } from 'node:timers/promises';
import { postgresProcesses } from './database-faults.ts';
import { type Fault, kindOf, until, type WorkerName, whileDisturbed, whileStopped } from './fault.ts';
import { STOPS_WITHIN_MS, type Stage } from './stage.ts';

/** Told to stop under full load, again and again: it finishes or gives up what it is at, in time, and says that all was well. */
export const stops = (worker: WorkerName): Fault => ({
  name: `SIGTERM under load, ${kindOf(worker)}`,
  run: async (stage) => {
    for (let round = 0; round < 4; round++) {
      await delay(stage.random.below(1_000));
      await stopInTime(stage, worker);
      await stage.service(worker).process.start();
      await until(() => stage.isReady(worker), `${worker} did not become ready again`);
    }
  },
});

/** Told to stop while it still joins its group. */
export const stopsWhileJoining = (worker: WorkerName): Fault => ({
  name: `SIGTERM while joining, ${kindOf(worker)}`,
  run: async (stage) => {
    const { process } = stage.service(worker);
    for (let round = 0; round < 4; round++) {
      await process.kill('SIGTERM');
      await process.start();
      // From then on it listens to signals; it joins a moment later.
      await until(() => stage.answers(worker), `${worker} does not answer`);
      await delay(stage.random.below(400));
      await stopInTime(stage, worker);
    }
    await process.start();
  },
});

/** A second SIGTERM ends it at once, whatever it is at: no promise but that nothing is lost. */
export const stopsAtOnce = (worker: WorkerName): Fault => ({
  name: `SIGTERM twice, ${kindOf(worker)}`,
  run: async (stage) => {
    const { process: kept } = stage.service(worker);
    const { current } = kept;
    const ended = kept.kill('SIGTERM');
    await delay(stage.random.below(30));
    current.kill('SIGTERM');
    const from = performance.now();
    const { code } = await ended;
    const tookMs = performance.now() - from;
    if (tookMs > 2_000) throw new Error(`${worker} took ${tookMs.toFixed(0)} ms after a second SIGTERM`);
    if (code !== 0 && code !== 1) throw new Error(`${worker} ended with ${code} after a second SIGTERM`);
    await kept.start();
  },
});

/** Told to stop while the database says nothing, whose answers it waits for: it ends in time, if need be without them. */
export const stopsInSilence = (worker: WorkerName, silent: 'server' | 'network'): Fault => ({
  name: `SIGTERM while ${silent === 'server' ? 'PostgreSQL stands still' : 'no network to PostgreSQL'}, ${kindOf(worker)}`,
  run: async (stage) => {
    await until(() => stage.isReady(worker), `${worker} is not at work`);
    const stop = async (): Promise<void> => {
      // The load goes on, so that it waits for an answer soon.
      await delay(500 + stage.random.below(2_000));
      await stopInTime(stage, worker, [0, 1]);
    };
    if (silent === 'server') await whileStopped(await postgresProcesses(stage), stop);
    else await whileDisturbed([stage.lines.PostgreSQL], (line) => line.silence(), stop);
    await stage.service(worker).process.start();
    await until(() => stage.isReady(worker), `${worker} did not become ready again`);
  },
});

async function stopInTime(stage: Stage, worker: WorkerName, codes: readonly number[] = [0]): Promise<void> {
  const from = performance.now();
  const { code, signal } = await stage.service(worker).process.kill('SIGTERM');
  const tookMs = performance.now() - from;
  if (code === null || !codes.includes(code))
    throw new Error(`${worker} was told to stop and ended with ${signal ?? code}`);
  if (tookMs > STOPS_WITHIN_MS) throw new Error(`${worker} took ${tookMs.toFixed(0)} ms to stop`);
}

import { setTimeout as delay } from 'node:timers/promises';
import { epochsOf, type Fault, owned, retries, STALL_MS, steady, until, whileDisturbed } from './fault.ts';
import type { Relay } from './relay.ts';
import { FAR_WORKERS, type Line, type Stage } from './stage.ts';

const SLOW_MS = 500;
const SLOW_FOR_MS = 20_000;

const lineOf = (stage: Stage, line: Line): Relay => stage.lines[line];
const pidsOf = (stage: Stage): number[] => FAR_WORKERS.map((name) => stage.service(name).pid);

/** Nothing arrives for longer than the session timeout: the near workers take all, and the far ones may not disturb them after. */
export const brokerUnreachable: Fault = {
  name: 'no network to Kafka',
  run: async (stage) => {
    await steady(stage);
    const pids = pidsOf(stage);
    await whileDisturbed(
      [lineOf(stage, 'Kafka')],
      (line) => line.silence(),
      async () => {
        await delay(STALL_MS);
        for (const pid of pids)
          await until(async () => (await owned(stage, pid)) === 0, 'nobody took over from a worker that was cut off');
      },
    );
  },
};

/** Kafka is well, so the far workers stay in their groups; their shards wait for the database and no process ends. */
export const databaseUnreachable: Fault = {
  name: 'no network to PostgreSQL',
  run: async (stage) => {
    await steady(stage);
    const [pids, before] = [pidsOf(stage), await retries(stage, 'DATABASE')];
    await whileDisturbed(
      [lineOf(stage, 'PostgreSQL')],
      (line) => line.silence(),
      async () => {
        const asked = stage.askApi();
        // Longer than an answer is waited for.
        await until(async () => (await retries(stage, 'DATABASE')) > before, 'no worker missed the database');
        if ((await asked) !== 503) throw new Error(`query-api answers ${await asked} where it has no database`);
        await delay(STALL_MS);
      },
    );
    requireSame(pids, pidsOf(stage));
    await until(async () => (await stage.askApi()) === 200, 'query-api does not come back');
  },
};

/** The servers lose the connections of now and the far workers are not told. */
export const halfOpen = (line: Line): Fault => ({
  name: `half-open connections to ${line}`,
  run: async (stage) => {
    await steady(stage);
    if (lineOf(stage, line).halfOpen() === 0) throw new Error('there was no connection to lose');
    await delay(1_000);
    // Others may do the far workers' work: they must be well themselves.
    await steady(stage);
  },
});

/** Every connection of the far workers is reset, twenty times. */
export const resets = (line: Line): Fault => ({
  name: `connections to ${line} reset`,
  run: async (stage) => {
    let count = 0;
    for (let round = 0; round < 20; round++) {
      count += lineOf(stage, line).reset();
      await delay(100 + stage.random.below(300));
    }
    if (count === 0) throw new Error('there was no connection to reset');
  },
});

/** Half a second later in each direction. What is slow takes longer; nobody loses a shard over it and no process ends. */
export const slow = (line: Line): Fault => ({
  name: `${line} ${SLOW_MS} ms away`,
  run: async (stage) => {
    const epochs = await steady(stage);
    const pids = pidsOf(stage);
    await whileDisturbed(
      [lineOf(stage, line)],
      (relay) => relay.slow(SLOW_MS),
      () => delay(SLOW_FOR_MS),
    );
    requireSame(pids, pidsOf(stage));
    const after = await epochsOf(stage);
    if (after !== epochs)
      throw new Error(`shards changed hands while ${line} was slow: ${after} epochs, ${epochs} before`);
  },
});

function requireSame(before: readonly number[], after: readonly number[]): void {
  if (before.join() !== after.join()) throw new Error('a worker ended, which only had to wait');
}

import { parentPort, workerData } from 'node:worker_threads';
import { Dice } from './dice.ts';
import type { Job, Report } from './run.ts';
import { type Target, textOf } from './target.ts';

const { module, seed, from, to, slowMs, at } = workerData as Job;
const { target } = (await import(module)) as { target: Target };
const tell = (report: Report): void => parentPort?.postMessage(report);
const current = new Int32Array(at);

/** Processor time of this thread, ms: on a busy machine the clock would tell how busy it is. */
function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

let slowest = 0;
for (let input = from; input < to; input++) {
  Atomics.store(current, 0, input);
  const before = spentMs();
  try {
    await target.feed(new Dice(seed, target.name, input));
  } catch (error) {
    tell({ kind: 'broken', input, what: textOf(error) });
  }
  const ms = spentMs() - before;
  if (ms > slowMs) tell({ kind: 'broken', input, what: `takes ${Math.round(ms)} ms, more than ${slowMs}` });
  if (ms > slowest) tell({ kind: 'slower', input, ms });
  slowest = Math.max(slowest, ms);
}
Atomics.store(current, 0, to);
tell({ kind: 'done' });

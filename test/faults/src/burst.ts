import { readFileSync } from 'node:fs';
import { waitFor } from '@repo/embedded';
import { epochsOf, type Fault, steady } from './fault.ts';

/** What a worker takes at most, however much waits for it: its code, its pool, and per shard an inbox and what is being published. */
const RSS_MAX_MIB = 640;
const WORKERS = ['settlement-worker', 'settlement-worker-2'] as const;
/** A hundred a second is far below what any machine of ours has done. */
const drainedWithinMs = (count: number): number => 60_000 + count * 10;

/**
 * So many claims wait when the settlement workers come back. They work off what there is in bounded memory, and stay members of their
 * group the whole time: from the first shard taken to the last claim answered, none changes hands.
 */
export const burst = (count: number): Fault => ({
  name: `${count} claims wait at once`,
  run: async (stage) => {
    await Promise.all(WORKERS.map((name) => stage.service(name).process.kill('SIGTERM')));
    const sent = stage.load.burst(count);
    await sent;
    const waiting = performance.now();
    await Promise.all(WORKERS.map((name) => stage.service(name).process.start()));
    const epochs = await steady(stage);
    if (!(await waitFor(() => stage.load.hasFlowedSince(waiting), drainedWithinMs(count), 250)))
      throw new Error(`${count} waiting claims were not worked off in time`);
    const peaks = WORKERS.map((name) => peakOf(stage.service(name).pid));
    stage.log(
      `${count} claims worked off in ${((performance.now() - waiting) / 1_000).toFixed(0)} s; peak RSS ${peaks.join(' and ')} MiB`,
    );
    if (Math.max(...peaks) > RSS_MAX_MIB)
      throw new Error(`a worker took ${Math.max(...peaks)} MiB of at most ${RSS_MAX_MIB}`);
    if ((await epochsOf(stage)) !== epochs)
      throw new Error('a shard changed hands while waiting claims were worked off');
  },
});

/** The most memory a process ever had, in MiB, as the kernel says. */
function peakOf(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(found?.[1] ?? Number.NaN) / 1024);
}

import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import type { Stage } from './stage.ts';

/** A file system larger than this is not filled: it is somebody's, and filling it takes too long. */
export const FILLABLE_BYTES = 4 * 2 ** 30;
const CHUNK = Buffer.alloc(1 << 20);
const FULL_FOR_MS = 20_000;
/** What was under way when the last byte went. */
const SETTLES_WITHIN_MS = 5_000;

/** Whether a directory lies on a file system small enough to be filled: a mount of its own. */
export function isFillable(directory: string): boolean {
  const { blocks, bsize } = statfsSync(directory);
  return blocks * bsize <= FILLABLE_BYTES;
}

/** Not a byte is left for the data and logs of Kafka, PostgreSQL and every service, until somebody makes room. */
export const diskFull: Fault = {
  name: 'disk is full',
  run: async (stage) => {
    const filler = join(stage.dataDir, 'filler');
    const file = openSync(filler, 'w');
    try {
      const full = performance.now();
      while (performance.now() - full < FULL_FOR_MS) {
        // Again and again: what somebody gives up is taken at once.
        fill(file);
        await delay(100);
      }
      if (stage.load.hasFlowedSince(full + SETTLES_WITHIN_MS)) throw new Error('nobody met the full disk');
    } finally {
      closeSync(file);
      rmSync(filler);
    }
    await restarted(stage);
  },
};

/** Takes what there is, to the last byte. */
function fill(file: number): void {
  for (let size = CHUNK.length; size >= 1; )
    try {
      writeSync(file, CHUNK, 0, size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      size = Math.floor(size / 2);
    }
}

/** A server that ended on the full disk is started at once instead of after the supervisor's growing pauses. */
async function restarted({ system: { servers } }: Stage): Promise<void> {
  // What was under way already may still have met the full disk.
  for (const start of [servers.restartPostgres, servers.restartKafka]) await start().catch(start);
}

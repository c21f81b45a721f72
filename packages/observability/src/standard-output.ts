import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

const STANDARD_OUTPUT = 1;
/** How long a line waits for a reader of a full pipe; nothing else of the process goes on meanwhile. After a lost line the next do not wait. */
const PATIENCE_MS = 200;
const PAUSE_MS = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Standard output, written at once (synchronously). A line that cannot be written (a full disk, a reader that is gone or, where the pipe
 * does not block, stands still) is given up, and their number is told by the next one that can: a service goes on without its log.
 * Not pino's own destination: on a full disk that one ends the process, or at `fatal` tries for ever.
 */
export function standardOutput(): DestinationStream {
  let lost = 0;
  let isTorn = false;
  return {
    write(line) {
      const note =
        lost === 0 ? '' : `${JSON.stringify({ level: 'warn', count: lost, message: 'log lines were lost' })}\n`;
      const bytes = Buffer.from(`${isTorn ? '\n' : ''}${note}${line}`);
      const written = writeAll(bytes, lost === 0 ? PATIENCE_MS : 0);
      if (written > 0) isTorn = written < bytes.length;
      lost = written === bytes.length ? 0 : lost + 1;
    },
  };
}

/** How many bytes could be written. */
function writeAll(bytes: Buffer, patienceMs: number): number {
  const deadline = performance.now() + patienceMs;
  let at = 0;
  while (at < bytes.length)
    try {
      at += writeSync(STANDARD_OUTPUT, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || performance.now() >= deadline) return at;
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  return at;
}

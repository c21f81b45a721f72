import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';

/** A log holds at most this, and what its process writes until it is looked at again; as much of what was before is kept beside it. */
export const LOG_LIMITS = { bytesMax: 64 * 1024 ** 2, lookEveryMs: 5_000 } as const;

export interface LogLimits {
  readonly bytesMax: number;
  readonly lookEveryMs: number;
}

/**
 * Keeps a log file bounded while a process appends to it: what is too long is copied to `FILE.1`, in the place of what was there, and the
 * file emptied. It is not renamed, for its process would go on writing to the old one. A line written in the very moment of the emptying is lost.
 */
export function boundLog(file: string, { bytesMax, lookEveryMs }: LogLimits): Disposable {
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy || (statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= bytesMax) return;
    busy = true;
    try {
      await setAside(file);
    } catch {
      // A disk without room, say: it is tried again, and what is there is not given up.
    } finally {
      busy = false;
    }
  };
  void look();
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Copies a log beside itself and empties it. */
async function setAside(file: string): Promise<void> {
  const old = `${file}.1`;
  // First, so that its room is free for the copy.
  await rm(old, { force: true });
  await copyFile(file, old);
  appendRest(file, old);
  truncateSync(file);
}

/** What came while the copy was made, in one go with the emptying that follows. */
function appendRest(file: string, old: string): void {
  const [from, to] = [openSync(file, 'r'), openSync(old, 'a')];
  try {
    const chunk = Buffer.alloc(65_536);
    for (let at = statSync(old).size; ; ) {
      const read = readSync(from, chunk, 0, chunk.length, at);
      if (read === 0) return;
      writeSync(to, chunk, 0, read);
      at += read;
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

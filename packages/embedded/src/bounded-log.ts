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

const NEWLINE = 0x0a;
/** A reader may meet half of a line that is being written, where it goes from one page to the next: so often it looks for the rest. */
const REST_LOOKS = 1_000;

/** What came while the copy was made, to the end of a line, in one go with the emptying that follows. */
function appendRest(file: string, old: string): void {
  const [from, to] = [openSync(file, 'r'), openSync(old, 'a')];
  try {
    const chunk = Buffer.alloc(65_536);
    let at = statSync(old).size;
    readSync(from, chunk, 0, 1, at - 1);
    let last = chunk[0];
    for (let looks = 0; looks < REST_LOOKS; looks++) {
      const read = readSync(from, chunk, 0, chunk.length, at);
      if (read === 0 && last === NEWLINE) return;
      if (read === 0) continue;
      writeSync(to, chunk, 0, read);
      at += read;
      last = chunk[read - 1];
      looks = 0;
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
}

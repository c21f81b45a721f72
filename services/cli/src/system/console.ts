import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild, tailOf } from '@repo/embedded';

const BUILD = fileURLToPath(new URL('../../../console/build.ts', import.meta.url));
const STOP_WITHIN_MS = 5_000;

/**
 * Builds the console's files where they are missing or older than their sources. Runs beside the system at low priority, so that a fresh
 * clone starts as fast as without it, and its pages follow some seconds later. `stop` ends the build early.
 */
export async function buildConsole(options: {
  readonly dataDir: string;
  readonly http: string;
  readonly log: (line: string) => void;
}): Promise<{ stop(): Promise<unknown> }> {
  const { http, log } = options;
  const dataDir = resolve(options.dataDir);
  const logFile = join(dataDir, 'logs', 'console-build.log');
  const child = await startChild({
    name: 'console-build',
    command: process.execPath,
    args: [BUILD],
    runDir: join(dataDir, 'run'),
    logFile,
    stopSteps: [{ signal: 'SIGTERM', withinMs: STOP_WITHIN_MS }],
  });
  try {
    setPriority(child.pid, constants.priority.PRIORITY_LOW);
  } catch {
    // The build has ended already: the files were up to date.
  }
  let stopped = false;
  void child.exited.then(({ code }) => {
    if (stopped) return;
    log(code === 0 ? `console ${http}/console/` : `the console could not be built: ${tailOf(logFile)}`);
  });
  return {
    stop: () => {
      stopped = true;
      return child.stop();
    },
  };
}

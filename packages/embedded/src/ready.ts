import { type Child, tailOf } from './child.ts';
import { StartFailure } from './failure.ts';
import { waitFor } from './wait.ts';

/** How long a server may take until it serves: after a crash it recovers first. */
export const READY_WITHIN_MS = 120_000;

/** A server that has been started, and how to find out whether it serves. */
interface Starting {
  /** For messages. */
  readonly name: 'Kafka' | 'PostgreSQL';
  readonly child: Child;
  readonly logFile: string;
  readonly answers: () => Promise<boolean>;
  readonly withinMs?: number;
}

/** Waits until a server serves. Throws a `StartFailure` with the end of its log where it ends or takes too long. */
export async function waitUntilReady({
  name,
  child,
  logFile,
  answers,
  withinMs = READY_WITHIN_MS,
}: Starting): Promise<void> {
  let exit: string | undefined;
  void child.exited.then(({ code, signal }) => {
    exit = signal ?? `code ${code}`;
  });
  const isReady = (): Promise<boolean> => {
    if (exit !== undefined) throw new StartFailure(explainExit(name, exit, logFile));
    return answers();
  };
  if (await waitFor(isReady, withinMs)) return;
  throw new StartFailure(
    `${name} did not answer within ${withinMs / 1000} s. The end of ${logFile}:\n${tailOf(logFile)}`,
  );
}

function explainExit(name: string, exit: string, logFile: string): string {
  const tail = tailOf(logFile);
  const reason = tail.includes('No space left on device')
    ? 'the disk is full; free some space, or choose another directory with GONGJI_DATA_DIR'
    : `the end of ${logFile} says why`;
  return `${name} ended (${exit}) before it was ready: ${reason}.\n${tail}`;
}

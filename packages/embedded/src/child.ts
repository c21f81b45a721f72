import { type ChildProcess, type ExecFileOptions, execFile, type StdioOptions, spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { boundLog, LOG_LIMITS, type LogLimits } from './bounded-log.ts';
import { StartFailure } from './failure.ts';
import { processStamp } from './process-table.ts';
import { waitFor } from './wait.ts';

/** How a process ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A signal to ask with, and how long the process has to follow it before the next, harsher one. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly withinMs: number;
}

/** A process of ours that runs beside us, in a session of its own. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process is gone, whoever ended it; never rejects. */
  readonly exited: Promise<Exit>;
  /** Sends a signal; nothing happens when the process is gone. */
  kill(signal: NodeJS.Signals): void;
  /** Asks the process to end, ever more firmly, and waits until it is gone. */
  stop(): Promise<Exit>;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Holds one record per process, so that a later start finds what an unclean death left running. */
  readonly runDir: string;
  /** Takes stdout and stderr. */
  readonly logFile: string;
  /** Absent: those of `LOG_LIMITS`. */
  readonly logLimits?: LogLimits;
  readonly stopSteps: readonly StopStep[];
  /** Opens an IPC channel, whose closing tells a Node program that we are gone. */
  readonly ipc?: boolean;
  /** Sent, without waiting, when our own process exits while this one still runs. */
  readonly lastSignal?: NodeJS.Signals;
}

interface Record {
  readonly pid: number;
  readonly stamp: string;
  readonly stopSteps: readonly StopStep[];
}

const alive = new Map<number, { readonly process: ChildProcess; readonly lastSignal: NodeJS.Signals }>();
let watchingExit = false;

/** Whatever ends our own process short of kill -9 takes this child with it. */
export function endWithUs(child: ChildProcess, lastSignal: NodeJS.Signals = 'SIGKILL'): void {
  const { pid } = child;
  if (pid === undefined) return;
  watchOwnExit();
  alive.set(pid, { process: child, lastSignal });
  child.once('exit', () => alive.delete(pid));
}

function watchOwnExit(): void {
  if (watchingExit) return;
  watchingExit = true;
  process.on('exit', () => {
    for (const { process: child, lastSignal } of alive.values()) child.kill(lastSignal);
  });
}

/**
 * Starts a program in a session of its own: Ctrl-C in the terminal reaches us and not it, so the order in which things
 * stop is ours. Its pid is recorded in `runDir` until it ends.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, runDir, logFile, stopSteps } = options;
  mkdirSync(runDir, { recursive: true });
  const log = openSync(logFile, 'a');
  const stdio: StdioOptions = options.ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log];
  const { uid, gid } = options;
  const child = spawn(options.command, [...options.args], {
    detached: true,
    stdio,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 127, signal: null }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(new StartFailure(`Cannot run ${options.command}: ${error.message}`, { cause: error })),
    );
  });
  const pid = child.pid as number;
  const record = join(runDir, `${name}.json`);
  endWithUs(child, options.lastSignal);
  const bounded = boundLog(logFile, options.logLimits ?? LOG_LIMITS);
  child.once('exit', () => bounded[Symbol.dispose]());
  const stamp = processStamp(pid);
  try {
    if (stamp !== undefined) writeFileSync(record, JSON.stringify({ pid, stamp, stopSteps } satisfies Record));
  } catch (error) {
    // Nobody would know of it: it would keep its port and its data from its successor.
    child.kill('SIGKILL');
    await exited;
    throw error;
  }
  child.once('exit', () => rmSync(record, { force: true }));
  return {
    name,
    pid,
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
    stop: () => stopInSteps({ steps: stopSteps, kill: (signal) => child.kill(signal), exited }),
  };
}

async function stopInSteps(options: {
  readonly steps: readonly StopStep[];
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<Exit>;
}): Promise<Exit> {
  let gone = false;
  void options.exited.then(() => {
    gone = true;
  });
  for (const { signal, withinMs } of [...options.steps, { signal: 'SIGKILL', withinMs: 10_000 } as const]) {
    options.kill(signal);
    if (await waitFor(() => gone, withinMs, 20)) break;
  }
  return options.exited;
}

/** Runs a program that ends by itself, and with us if we end first. Rejects with its `stderr` when it fails. */
export async function runToEnd(command: string, args: readonly string[], options: ExecFileOptions = {}): Promise<void> {
  const running = promisify(execFile)(command, [...args], options);
  endWithUs(running.child);
  await running;
}

/**
 * Ends what an earlier, unclean death left running: every process recorded in `runDir` that still is the one recorded.
 * Returns the names of those found.
 */
export async function stopLeftovers(runDir: string): Promise<string[]> {
  let files: string[];
  try {
    files = readdirSync(runDir).filter((file) => file.endsWith('.json'));
  } catch {
    return [];
  }
  const found: string[] = [];
  await Promise.all(
    files.map(async (file) => {
      const path = join(runDir, file);
      const record = readRecord(path);
      if (record !== undefined && processStamp(record.pid) === record.stamp) {
        found.push(basename(file, '.json'));
        await stopRecorded(record);
      }
      rmSync(path, { force: true });
    }),
  );
  return found;
}

function readRecord(path: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record;
  } catch {
    // Cut short by the death that also left the process; it is then found by its port or its directory, if at all.
    return undefined;
  }
}

async function stopRecorded({ pid, stamp, stopSteps }: Record): Promise<void> {
  for (const { signal, withinMs } of [...stopSteps, { signal: 'SIGKILL', withinMs: 10_000 } as const]) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    if (await waitFor(() => processStamp(pid) !== stamp, withinMs)) return;
  }
}

/** The last lines of a log file, at most 4 KiB, for an error message. */
export function tailOf(logFile: string, lines = 12): string {
  try {
    const file = openSync(logFile, 'r');
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, 4096));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    closeSync(file);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

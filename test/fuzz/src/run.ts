import { Worker } from 'node:worker_threads';
import { FINDINGS_MAX, type Finding, type Range, type Result } from './result.ts';

/** What a thread is to do: the inputs `from` up to but not including `to` of a target. */
export interface Job {
  /** The module whose `target` is fed. */
  readonly module: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly slowMs: number;
  /** Four bytes in which the thread says which input it is at. */
  readonly at: SharedArrayBuffer;
}

export type Report =
  | { readonly kind: 'broken'; readonly input: number; readonly what: string }
  | { readonly kind: 'slower'; readonly input: number; readonly ms: number }
  | { readonly kind: 'done' };

export interface RunOptions extends Range {
  /** What the target is called in findings. */
  readonly target: string;
  /** The module whose `target` is fed. */
  readonly module: URL;
  /** Processor time an input may take: how busy the machine is does not count. */
  readonly slowMs: number;
  /** A thread that is at one input for so long hangs, and is ended. */
  readonly hangMs: number;
}

/** A crash or a hang ends the thread; the inputs after it are fed by another, so often. */
const CRASHES_MAX = 5;
const LOOK_EVERY_MS = 200;
/** A thread that needs more for one input is out of bounds: inputs are at most a few mebibytes. */
const HEAP_MB_MAX = 1_024;

/** Feeds a target in a thread of its own and answers what broke. An input that never ends, or takes all memory, ends the thread and not the run. */
export async function runInThread(options: RunOptions): Promise<Result> {
  const { target, inputs, from, onProgress = () => undefined } = options;
  const findings: Finding[] = [];
  const slow = { slowestMs: 0, slowest: from };
  const startedAt = performance.now();
  const end = from + inputs;
  let next = from;
  for (let crashes = 0; next < end && crashes < CRASHES_MAX && findings.length < FINDINGS_MAX; crashes++) {
    next = await runThread(options, next, end, {
      broken: (input, what) => void findings.push({ target, input, what }),
      slower: (slowest, slowestMs) => void (slowestMs > slow.slowestMs && Object.assign(slow, { slowest, slowestMs })),
      at: (input) => onProgress(input - from),
      isEnough: () => findings.length >= FINDINGS_MAX,
    });
  }
  return { target, inputs: next - from, seconds: (performance.now() - startedAt) / 1000, ...slow, findings };
}

interface Told {
  readonly broken: (input: number, what: string) => void;
  readonly slower: (input: number, ms: number) => void;
  readonly at: (input: number) => void;
  readonly isEnough: () => boolean;
}

/** Answers the input at which to go on: the end, or the one after that which ended the thread. */
function runThread(
  { module, seed, slowMs, hangMs }: RunOptions,
  from: number,
  to: number,
  told: Told,
): Promise<number> {
  const at = new SharedArrayBuffer(4);
  const current = new Int32Array(at);
  current[0] = from;
  const job: Job = { module: module.href, seed, from, to, slowMs, at };
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  return new Promise((resolve) => {
    let seen = from;
    let seenAt = performance.now();
    let hasEnded = false;
    const end = (next: number): void => {
      hasEnded = true;
      clearInterval(timer);
      told.at(next);
      // Not waited for: a thread whose read never ends cannot be ended either, only left behind.
      void worker.terminate();
      resolve(next);
    };
    const crashed = (what: string): void => {
      if (hasEnded) return;
      const input = Atomics.load(current, 0);
      told.broken(input, what);
      end(input + 1);
    };
    const timer = setInterval(() => {
      const input = Atomics.load(current, 0);
      if (input !== seen) [seen, seenAt] = [input, performance.now()];
      else if (performance.now() - seenAt > hangMs) return crashed(`hangs: no answer within ${hangMs / 1000} s`);
      told.at(input);
    }, LOOK_EVERY_MS);
    worker.on('message', (report: Report) => {
      if (hasEnded) return;
      if (report.kind === 'slower') told.slower(report.input, report.ms);
      else if (report.kind === 'done') end(to);
      else told.broken(report.input, report.what);
      if (!hasEnded && told.isEnough()) end(Atomics.load(current, 0));
    });
    worker.on('error', (error) => crashed(`crashes: ${String(error).slice(0, 300)}`));
    worker.on('exit', (code) => crashed(`the thread ended with ${code}`));
  });
}

import { constants } from 'node:os';

/** Marks a place in the code where a test may stop or kill the process. */
export type Failpoint = (name: string) => void;

const SIGNALS = ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const;
const STOP_BARRIER_MS = 200;

/**
 * Reads `GONGJI_FAILPOINT=name:count:signal`: at the count-th pass of that name the process sends itself the signal. Without a text
 * the function does nothing. Throws on a text of another form.
 *
 * A signal to one's own process may be taken by another of its threads, and this one would run on for a moment. So the call blocks:
 * for ever on SIGKILL; on SIGSTOP for 200 ms of real time, which have passed when a later SIGCONT lets the process go on.
 */
export function failpointFrom(text: string | undefined): Failpoint {
  if (text === undefined || text === '') return () => {};
  const [target, countText = '', signalText] = text.split(':');
  const signal = SIGNALS.find((known) => known === signalText);
  const count = Number(countText);
  if (
    target === '' ||
    signal === undefined ||
    !Number.isSafeInteger(count) ||
    count < 1 ||
    text.split(':').length !== 3
  ) {
    throw new Error(`a failpoint is name:count:signal, with a count from 1 and one of ${SIGNALS.join(', ')}`);
  }
  let passes = 0;
  return (name) => {
    if (name !== target) return;
    passes += 1;
    if (passes !== count) return;
    process.kill(process.pid, constants.signals[signal]);
    if (signal === 'SIGTERM') return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, signal === 'SIGSTOP' ? STOP_BARRIER_MS : undefined);
  };
}

/** Signals that come this soon after the first are taken for the same request. */
const SAME_REQUEST_MS = 1_000;
const PARENT_CHECK_MS = 300;

export interface StopRequest {
  /** Called once, on the first SIGINT, SIGTERM or SIGHUP, or when the npm that runs us is gone. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** Called when a person asks again, because stopping takes too long for them. */
  readonly stopAtOnce: (signal: NodeJS.Signals) => void;
}

/**
 * Listens for requests to stop. Under `npm start` two things are odd. Ctrl-C arrives twice, from the terminal and from npm,
 * which passes it on: so only a signal that comes a second later counts as a second request. And npm passes SIGTERM to the
 * shell between us, which dies of it and tells nobody: so the loss of our parent is a request as well.
 */
export function onStopRequest({ stop, stopAtOnce }: StopRequest): void {
  let first: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now();
      stop(signal);
    } else if (performance.now() - first > SAME_REQUEST_MS) {
      stopAtOnce(signal);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, handle);
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    if (first === undefined) handle('SIGTERM');
  }, PARENT_CHECK_MS);
  watch.unref();
}

import type { Logger } from './logger.ts';

/** What a service's start is handed. */
export interface ServiceContext {
  /** Give everything that must be closed to this stack as soon as it exists; on stop it is closed in reverse order. */
  readonly stack: AsyncDisposableStack;
  /** Aborted when the service is asked to stop, possibly while it still starts. */
  readonly signal: AbortSignal;
  /** Ends the service because it cannot go on: logs the error, stops in order, exits 1. */
  readonly fail: (error: unknown) => void;
}

/** How long a stop may take, and how long a service that is refused waits before it ends. */
export const SERVICE_LIMITS = { stopLimitMs: 15_000, refusedPauseMs: 10_000 } as const;

/**
 * Runs a service until it is told to stop; the caller's process is this service. States: starting, running, stopping, gone.
 *
 * | Event | What follows |
 * | --- | --- |
 * | SIGTERM, SIGINT, or the supervisor's IPC channel closes | stops in reverse order, exits 0; exits 1 if that fails or takes longer than `stopLimitMs` |
 * | a second signal | exits 1 at once |
 * | `start` rejects, or `fail` is called | logged, stops in reverse order, exits 1; where `explain` knows the reason, after `refusedPauseMs` |
 * | an error or rejection nobody handles | logged, exits 1 at once: what state is left is unknown, and restarting is safe by design |
 */
export function runService(options: {
  name: string;
  log: Logger;
  start: (context: ServiceContext) => Promise<void>;
  stopLimitMs?: number;
  /** Says why a server refuses us; a restart at once would only be refused again, and again. */
  explain?: (error: unknown) => string | undefined;
  refusedPauseMs?: number;
}): void {
  const { name, log, start, explain } = options;
  const { stopLimitMs, refusedPauseMs } = { ...SERVICE_LIMITS, ...options };
  const stack = new AsyncDisposableStack();
  const abort = new AbortController();

  const stop = async (reason: string, exitCode: 0 | 1): Promise<void> => {
    if (abort.signal.aborted) return;
    abort.abort(new Error('the service stops'));
    log.info({ reason, exitCode }, `${name} stops`);
    setTimeout(() => {
      log.error({ limit: stopLimitMs, exitCode: 1 }, `${name} did not stop within its limit of ms`);
      process.exit(1);
    }, stopLimitMs);
    await started.catch(() => {}); // already reported, or the consequence of stopping
    try {
      await stack.disposeAsync();
    } catch (error) {
      log.error({ error, exitCode: 1 }, `${name} failed while stopping`);
      process.exit(1);
    }
    process.exit(exitCode);
  };
  let isRefused = false;
  const fail = (error: unknown): void => {
    if (abort.signal.aborted || isRefused) return;
    const reason = explain?.(error);
    log.error(reason === undefined ? { error } : { error, reason }, `${name} cannot go on`);
    if (reason === undefined) return void stop('failure', 1);
    isRefused = true;
    setTimeout(() => void stop('failure', 1), refusedPauseMs);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) process.exit(1);
    void stop(signal, 0);
  };
  const onUnhandled = (error: unknown): void => {
    log.fatal({ error, exitCode: 1 }, `${name} met an error nobody handles`);
    process.exit(1);
  };

  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onUnhandled);
  process.on('unhandledRejection', onUnhandled);
  if (process.connected) process.once('disconnect', () => void stop('supervisor gone', 0));
  const started = Promise.resolve().then(() => start({ stack, signal: abort.signal, fail }));
  started.then(() => log.info(`${name} started`), fail);
}

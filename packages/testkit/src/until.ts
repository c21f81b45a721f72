import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  /** What is waited for, as the end of "waited 5 s for ...". */
  readonly what: string;
  /** How long to wait at most, in milliseconds; 10 s when absent. */
  readonly deadlineMs?: number;
  /** How often to ask, in milliseconds; 25 when absent. */
  readonly everyMs?: number;
}

/**
 * An eventual assertion: asks `condition` until it answers something truthy and returns that. An error it throws counts
 * as "not yet"; when the deadline passes, the last answer or error is part of the message.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, deadlineMs = 10_000, everyMs = 25 }: UntilOptions,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const answer = await condition();
      if (answer) return answer;
      last = `the last answer was ${JSON.stringify(answer)}`;
    } catch (error) {
      cause = error;
      last = `the last error was: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() >= end) throw new Error(`Waited ${deadlineMs / 1000} s for ${what}; ${last}`, { cause });
    await delay(everyMs);
  }
}

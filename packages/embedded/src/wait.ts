import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks `probe` again and again until it answers true; false when `deadlineMs` passed first. The pause between two
 * questions is how often we ask, never how long something is assumed to take. An error of the probe ends the wait.
 */
export async function waitFor(
  probe: () => boolean | Promise<boolean>,
  deadlineMs: number,
  everyMs = 50,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (await probe()) return true;
    if (performance.now() >= end) return false;
    await delay(everyMs);
  }
}

import type { Clock } from './clock.ts';

/**
 * Spaces out, over all shards of a process, the moments at which batches begin. A transaction costs the database and the broker about
 * the same whether it holds one record or fifty, so that shards which each began at once would keep the machine busy with small ones and
 * every answer waiting for a processor. An idle process begins at once; under load the records that come meanwhile join the batch.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #free = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Resolves when the caller may begin; callers go in the order they came. */
  async turn(): Promise<void> {
    const now = this.#clock.now();
    const mine = Math.max(now, this.#free);
    this.#free = mine + this.#intervalMs;
    if (mine > now) await new Promise<void>((resolve) => void this.#clock.after(mine - now, resolve));
  }
}

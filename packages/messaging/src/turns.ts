import type { Clock } from './clock.ts';

/**
 * Lets the shards of a process take turns with small transactions, some at once. A transaction costs the database and the broker
 * about the same whether it holds one record or fifty: shards that each began at once would keep a busy machine at work on small ones, and
 * every answer waiting for a processor. In turn, what comes meanwhile joins the next; an idle process begins at once. Full batches have
 * turns of their own, for memory: two keep worker and database busy, and what each holds until it is committed outlives the young generation
 * the less, the sooner it is done. Full transactions to the broker have nothing to gain and do not ask.
 *
 * A turn lasts until its transaction ends, but no longer than `lastsMaxMs`: one shard that waits for a lock or a slow network does not
 * hold up the others.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #atOnce: number;
  readonly #lastsMaxMs: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(clock: Clock, { atOnce, lastsMaxMs }: { readonly atOnce: number; readonly lastsMaxMs: number }) {
    this.#clock = clock;
    this.#atOnce = atOnce;
    this.#lastsMaxMs = lastsMaxMs;
  }

  /** Does the work of one transaction in its turn. */
  async run(work: () => Promise<void>): Promise<void> {
    const end = await this.take();
    try {
      await work();
    } finally {
      end();
    }
  }

  /** Resolves when the caller may begin, in the order of the calls; what it answers is to be called at the end. */
  async take(): Promise<() => void> {
    if (this.#taken < this.#atOnce) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      cancel();
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next();
    };
    const cancel = this.#clock.after(this.#lastsMaxMs, end);
    return end;
  }
}

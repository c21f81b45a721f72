import type { Clock } from './clock.ts';

/**
 * Lets the shards of a process take turns with small transactions. A transaction costs the database and the broker about the same whether
 * it holds one record or fifty: if every shard began at once, a busy machine would spend its time on small transactions. While a shard
 * waits for its turn, new records join its batch; an idle process begins at once. Full batches gain nothing from waiting and have turns of
 * their own, which bound memory: two keep the worker and the database busy, and the sooner one is committed, the less of what it holds
 * survives into the old generation of the heap. Full transactions to the broker take no turn.
 *
 * With `together`, all shards that wait get the next turn at once, for services that apply batches of several shards as one transaction.
 *
 * A turn lasts until its transaction ends, but at most `lastsMaxMs`, so that a shard that waits for a lock or a slow network does not hold
 * up the others.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #atOnce: number;
  readonly #lastsMaxMs: number;
  readonly #together: boolean;
  readonly #waiting: ((leave: () => void) => void)[] = [];
  #taken = 0;

  constructor(
    clock: Clock,
    {
      atOnce,
      lastsMaxMs,
      together = false,
    }: { readonly atOnce: number; readonly lastsMaxMs: number; readonly together?: boolean },
  ) {
    this.#clock = clock;
    this.#atOnce = atOnce;
    this.#lastsMaxMs = lastsMaxMs;
    this.#together = together;
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

  /** Resolves when the caller may begin, in the order of the calls. The caller must call the answered function when it is done. */
  async take(): Promise<() => void> {
    const turn = new Promise<() => void>((resolve) => this.#waiting.push(resolve));
    // Deferred so that all callers of this tick can share the turn.
    if (this.#taken < this.#atOnce) process.nextTick(() => this.#begin());
    const leave = await turn;
    let over = false;
    return () => {
      if (!over) leave();
      over = true;
    };
  }

  #begin(): void {
    if (this.#taken >= this.#atOnce) return;
    const going = this.#waiting.splice(0, this.#together ? this.#waiting.length : 1);
    if (going.length === 0) return;
    this.#taken += 1;
    let left = going.length;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      cancel();
      this.#taken -= 1;
      this.#begin();
    };
    const cancel = this.#clock.after(this.#lastsMaxMs, end);
    const leave = (): void => {
      left -= 1;
      if (left === 0) end();
    };
    for (const go of going) go(leave);
  }
}

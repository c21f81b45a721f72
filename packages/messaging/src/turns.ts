import type { Clock } from './clock.ts';

/**
 * Lets the shards of a process take turns with small transactions, some at once. A transaction costs the database and the broker
 * about the same whether it holds one record or fifty: shards that each began at once would keep a busy machine at work on small ones, and
 * every answer waiting for a processor. In turn, what comes meanwhile joins the next; an idle process begins at once. Full batches have
 * turns of their own, for memory: two keep worker and database busy, and what each holds until it is committed outlives the young generation
 * the less, the sooner it is done. Full transactions to the broker have nothing to gain and do not ask.
 *
 * Where the service can apply batches of several shards as one transaction, all that wait have the next turn together.
 *
 * A turn lasts until its transaction ends, but no longer than `lastsMaxMs`: one shard that waits for a lock or a slow network does not
 * hold up the others.
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

  /** Resolves when the caller may begin, in the order of the calls; what it answers is to be called at the end. */
  async take(): Promise<() => void> {
    const turn = new Promise<() => void>((resolve) => this.#waiting.push(resolve));
    // Those who ask at one moment may go together.
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

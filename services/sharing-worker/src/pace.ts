/**
 * Spreads work over time, for all shards of a process together: after work has begun, the next must wait for as long as the rate requires.
 * Without it a check would use all of the database, on which claims are settled at the same time.
 */
export class Pace {
  readonly #perSecond: number;
  readonly #now: () => number;
  #restUntil = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Whether work on `count` persons may begin now; if so they are counted. */
  begin(count: number): boolean {
    const now = this.#now();
    if (now < this.#restUntil) return false;
    this.#restUntil = now + this.#msFor(count);
    return true;
  }

  /** Uncounts persons that were counted but not worked on. */
  giveBack(count: number): void {
    this.#restUntil -= this.#msFor(count);
  }

  #msFor(count: number): number {
    return (count * 1_000) / this.#perSecond;
  }
}

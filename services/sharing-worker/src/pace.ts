/**
 * Spreads work over time, for all shards of a process together: what has begun is paid for by resting before the next begins. Without
 * it a check would take as much of the database as it can, which claims are settled on at the same time.
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

  /** Whether `count` may begin now; if so they are counted. */
  begin(count: number): boolean {
    const now = this.#now();
    if (now < this.#restUntil) return false;
    this.#restUntil = now + this.#msFor(count);
    return true;
  }

  /** So many of those that were counted were not there. */
  giveBack(count: number): void {
    this.#restUntil -= this.#msFor(count);
  }

  #msFor(count: number): number {
    return (count * 1_000) / this.#perSecond;
  }
}

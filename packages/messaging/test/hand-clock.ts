import type { Clock } from '../src/clock.ts';

/** A clock that is moved by hand. */
export class HandClock implements Clock {
  #now = 0;
  #waiting: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const entry = { at: this.#now + ms, callback };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  async moveTo(at: number): Promise<void> {
    this.#now = at;
    for (const { at: due, callback } of [...this.#waiting]) if (due <= at) callback();
    await settled();
  }
}

/** Lets everything that can go on go on. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

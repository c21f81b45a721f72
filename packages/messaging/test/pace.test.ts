import { expect, it } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { Pace } from '../src/pace.ts';

/** A clock that is moved by hand. */
class HandClock implements Clock {
  #now = 0;
  readonly #waiting: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    this.#waiting.push({ at: this.#now + ms, callback });
    return () => undefined;
  }

  async moveTo(at: number): Promise<void> {
    this.#now = at;
    for (const entry of this.#waiting) if (entry.at <= at) entry.callback();
    await Promise.resolve();
    await Promise.resolve();
  }
}

it('lets an idle process begin at once, and batches that follow begin in their order, an interval apart', async () => {
  const clock = new HandClock();
  const pace = new Pace(clock, 5);
  const begun: string[] = [];
  const begin = (name: string) => pace.turn().then(() => begun.push(`${name} ${clock.now()}`));
  for (const name of ['a', 'b', 'c']) void begin(name);
  await clock.moveTo(0);
  expect(begun).toEqual(['a 0']);
  await clock.moveTo(4);
  expect(begun).toEqual(['a 0']);
  await clock.moveTo(5);
  expect(begun).toEqual(['a 0', 'b 5']);
  await clock.moveTo(10);
  expect(begun).toEqual(['a 0', 'b 5', 'c 10']);
  await clock.moveTo(100);
  void begin('d');
  await clock.moveTo(100);
  expect(begun.at(-1)).toBe('d 100');
});

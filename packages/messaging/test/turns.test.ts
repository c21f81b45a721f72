import { expect, it } from 'vitest';
import type { Clock } from '../src/clock.ts';
import { Turns } from '../src/turns.ts';

/** A clock that is moved by hand. */
class HandClock implements Clock {
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
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function start(atOnce: number, together = false) {
  const clock = new HandClock();
  const turns = new Turns(clock, { atOnce, lastsMaxMs: 50, together });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = async (name: string): Promise<void> => {
    const end = await turns.take();
    begun.push(name);
    ends.set(name, end);
  };
  return { clock, begun, begin, end: (name: string) => ends.get(name)?.() };
}

it('begins at once when nobody is at it, else when one before has ended, in the order of asking', async () => {
  const { begun, begin, end } = start(1);
  for (const name of ['a', 'b', 'c']) void begin(name);
  await settled();
  expect(begun).toEqual(['a']);
  end('a');
  end('a'); // a turn ends once, however often it is said
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settled();
  end('c');
  void begin('d');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

it('lets as many go at once as it was told', async () => {
  const { begun, begin, end } = start(2);
  for (const name of ['a', 'b', 'c', 'd']) void begin(name);
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('does not let the others wait longer than a turn may last, and counts that turn no more when it does end', async () => {
  const { clock, begun, begin, end } = start(1);
  for (const name of ['stuck', 'b', 'c', 'd']) void begin(name);
  await settled();
  await clock.moveTo(49);
  expect(begun).toEqual(['stuck']);
  await clock.moveTo(50);
  expect(begun).toEqual(['stuck', 'b']);
  end('stuck');
  await settled();
  expect(begun).toEqual(['stuck', 'b']);
  end('b');
  await settled();
  expect(begun).toEqual(['stuck', 'b', 'c']);
});

it('lets all who wait have the next turn together, where they may, which lasts until the last of them has ended', async () => {
  const { clock, begun, begin, end } = start(1, true);
  for (const name of ['a', 'b']) void begin(name); // asked at one moment: together from the first
  await settled();
  for (const name of ['c', 'd', 'e']) void begin(name);
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('a');
  end('a');
  await settled();
  expect(begun).toEqual(['a', 'b']);
  end('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  void begin('f');
  end('c');
  await settled();
  expect(begun).not.toContain('f');
  await clock.moveTo(50);
  expect(begun).toContain('f');
});

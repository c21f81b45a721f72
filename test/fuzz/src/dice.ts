import { hash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Chance that follows from a seed, the name of a target and the number of an input: each input can be made again by itself. */
export class Dice {
  readonly #generator;

  constructor(seed: number, target: string, input: number) {
    const start = hash('sha256', `${seed}:${target}:${input}`, 'buffer').readInt32LE();
    this.#generator = xoroshiro128plus(start);
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  chance(percent: number): boolean {
    return this.int(0, 99) < percent;
  }

  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const found = list[this.int(0, list.length - 1)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  /** One of a few ways, the earlier ones more often. */
  way<T>(...ways: readonly (() => T)[]): T {
    const place = Math.min(this.int(0, ways.length - 1), this.int(0, ways.length - 1));
    return (ways[place] as () => T)();
  }

  list<T>(most: number, one: () => T): T[] {
    return Array.from({ length: this.int(0, most) }, one);
  }

  bytes(most: number): Buffer {
    return Buffer.from(this.list(most, () => this.int(0, 255)));
  }
}

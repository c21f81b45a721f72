import { Problem } from './problem.ts';

/** Admits a limited number at a time and asks the others to come again: in a queue they would only be answered too late. */
export class Slots {
  readonly #max: number;
  readonly #detail: string;
  #taken = 0;

  /** @param detail what a caller is told when no place is left */
  constructor(max: number, detail: string) {
    this.#max = max;
    this.#detail = detail;
  }

  /** A place, until it is disposed of. Throws the problem to answer where none is left. */
  take(): Disposable {
    if (this.#taken >= this.#max) throw new Problem('too-busy', this.#detail);
    this.#taken += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#taken -= 1;
        held = false;
      },
    };
  }
}

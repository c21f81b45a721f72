import { Problem } from './problem.ts';

/** Lets so many through at a time, and asks the others to come again: what waits in a queue of ours would only be answered too late. */
export class Slots {
  readonly #max: number;
  readonly #detail: string;
  #taken = 0;

  /** @param detail what is told to whom no place is left */
  constructor(max: number, detail: string) {
    this.#max = max;
    this.#detail = detail;
  }

  /** A place, until it is disposed of; throws the problem to be answered where none is left. */
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

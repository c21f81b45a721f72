import { keyTaken } from './problem.ts';

const KEPT_MAX = 1_000;

/**
 * Remembers the answers of commands that leave no trace under their own name in the database, so that a repeat gets the first answer: the
 * last thousand of this process. A command that was forgotten would be performed again.
 */
export class Repeats<T> {
  readonly #done = new Map<string, { readonly content: string; readonly answer: Promise<T> }>();

  /** Performs a command, unless one of this name was performed before. A failed one may be repeated. */
  async once(name: string, content: string, perform: () => Promise<T>): Promise<T> {
    const known = this.#done.get(name);
    if (known !== undefined) {
      if (known.content === content) return known.answer;
      throw keyTaken();
    }
    const answer = perform();
    this.#done.set(name, { content, answer });
    for (const [oldest] of this.#done) {
      if (this.#done.size <= KEPT_MAX) break;
      this.#done.delete(oldest);
    }
    answer.catch(() => this.#done.delete(name));
    return answer;
  }
}

/** What one transaction left to be published. */
interface Left {
  rows: number;
  readonly sinceMs: number;
  /** Of the records it applied. */
  readonly timestampsMs: readonly number[];
}

/**
 * What a shard's transactions committed and nobody can read yet, oldest first: how much, since when, and how long the records behind it
 * have been on their way. It follows the depths it is told, so that rows found published after an error count as published.
 */
export class Unpublished {
  readonly #left: Left[] = [];
  #rows = 0;

  /** Answers the timestamps of the records whose results are all published by now, which may be those of this transaction. */
  committed(left: { rows: number; depth: number; timestampsMs: readonly number[]; nowMs: number }): readonly number[] {
    this.#left.push({ rows: left.rows, sinceMs: left.nowMs, timestampsMs: left.timestampsMs });
    this.#rows += left.rows;
    return this.published(left.depth);
  }

  /** `depth` rows are still to be published. Answers the timestamps of the records whose results are all published now. */
  published(depth: number): readonly number[] {
    const done: number[] = [];
    for (let oldest = this.#left[0]; oldest !== undefined && this.#rows > depth; oldest = this.#left[0]) {
      const rows = Math.min(oldest.rows, this.#rows - depth);
      oldest.rows -= rows;
      this.#rows -= rows;
      if (oldest.rows > 0) break;
      done.push(...oldest.timestampsMs);
      this.#left.shift();
    }
    return done;
  }

  /** Age of the oldest row; 0 where there is none. */
  ageMs(nowMs: number): number {
    const [oldest] = this.#left;
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.sinceMs);
  }
}

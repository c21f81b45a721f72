/** Rows of one transaction that are not published yet. */
interface Left {
  rows: number;
  readonly sinceMs: number;
  /** The timestamps of the records that the transaction applied. */
  readonly timestampsMs: readonly number[];
}

/**
 * The committed rows of a shard that nobody can read yet, oldest first, with their age and the timestamps of their records. It is driven by
 * reported depths, so rows that are found published after an error count as published.
 */
export class Unpublished {
  readonly #left: Left[] = [];
  #rows = 0;

  /** Adds a transaction's rows. Answers the timestamps of records whose results are all published by now, perhaps its own. */
  committed(left: { rows: number; depth: number; timestampsMs: readonly number[]; nowMs: number }): readonly number[] {
    this.#left.push({ rows: left.rows, sinceMs: left.nowMs, timestampsMs: left.timestampsMs });
    this.#rows += left.rows;
    return this.published(left.depth);
  }

  /** `depth` rows are still unpublished. Answers the timestamps of records whose results are all published now. */
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

  /** Age of the oldest unpublished row, ms; 0 where there is none. */
  ageMs(nowMs: number): number {
    const [oldest] = this.#left;
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.sinceMs);
  }
}

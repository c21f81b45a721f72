import { DayTotals } from '@repo/contracts';
import { isFirstAttached, outcomesAfter, type RowSource, readProgress } from '@repo/ledger';

const TALLY_LIMITS = {
  /** How many outcomes back from a shard's newest counting begins: what a shard of a city produces in some days. */
  reach: 100_000n,
  page: 2_000,
  /** How many pages one request reads at most: after a start, counting catches up over several requests, and none takes long. */
  pagesPerLook: 25,
  /** How many days are kept; the oldest are dropped. */
  daysMax: 400,
};

/**
 * Daily totals, counted from published outcomes. Kept in memory and not in the ledger, where a row that every batch of a shard updates
 * would burden each posting. A look costs only what has come since the last one. Counting begins at most `reach` outcomes back, without
 * archived months, and `complete` tells whether it reaches the first.
 */
export class Tally {
  readonly #source: RowSource;
  readonly #topic: string;
  readonly #limits: typeof TALLY_LIMITS;
  readonly #days = new Map<string, DayTotals>();
  readonly #counted = new Map<number, bigint>();
  #fromTheFirst = true;
  #upToDate = false;
  #looking: Promise<void> | undefined;

  constructor(source: RowSource, topic: string, limits: Partial<typeof TALLY_LIMITS> = {}) {
    this.#source = source;
    this.#topic = topic;
    this.#limits = { ...TALLY_LIMITS, ...limits };
  }

  /** Counts what has come since the last look. Concurrent callers share one look. */
  async look(): Promise<void> {
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** The days counted, the latest first. */
  days(): string[] {
    return [...this.#days.keys()].sort().reverse();
  }

  of(day: string): DayTotals {
    return this.#days.get(day) ?? new DayTotals();
  }

  get complete(): boolean {
    return this.#fromTheFirst && this.#upToDate;
  }

  async #read(): Promise<void> {
    const { page: limit, daysMax, ...limits } = this.#limits;
    let pages = limits.pagesPerLook;
    this.#upToDate = true;
    for (const { shardId, answered } of await readProgress(this.#source, this.#topic)) {
      let seq = this.#counted.get(shardId) ?? (await this.#begin(shardId, answered));
      while (seq < answered && pages > 0) {
        pages -= 1;
        const page = await outcomesAfter(this.#source, { shardId, seq, limit });
        for (const { payload } of page) DayTotals.take(this.#days, payload);
        seq = seq + BigInt(limit) < answered ? seq + BigInt(limit) : answered;
        this.#counted.set(shardId, seq);
      }
      if (seq < answered) this.#upToDate = false;
    }
    for (const old of this.days().slice(daysMax)) {
      this.#days.delete(old);
      this.#fromTheFirst = false;
    }
  }

  async #begin(shardId: number, answered: bigint): Promise<bigint> {
    const { reach } = this.#limits;
    const isWhole = answered <= reach && (answered === 0n || (await isFirstAttached(this.#source, shardId)));
    if (!isWhole) this.#fromTheFirst = false;
    return answered <= reach ? 0n : answered - reach;
  }
}

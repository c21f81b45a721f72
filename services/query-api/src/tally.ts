import { DayTotals } from '@repo/contracts';
import { outcomesAfter, type RowSource, readProgress } from '@repo/ledger';

const TALLY_LIMITS = {
  /** How far back from the newest outcome of each shard counting begins: what a shard of a city answers in some days. */
  reach: 100_000n,
  page: 2_000,
  /** How many pages one request reads at most: a fresh start catches up over several requests, and none takes long. */
  pagesPerLook: 25,
  /** Days kept; past it the oldest go. */
  daysMax: 400,
};

/**
 * Daily totals, counted from what was published as it is published. The totals are kept here and not in the ledger: a row that every
 * batch of a shard adds to would be paid by each posting. So counting costs what has come since the last look, begins at most
 * `reach` outcomes back, and says where it does not reach the first.
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

  /** Counts what has come since the last time; those who ask meanwhile wait for the same look. */
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
      let seq = this.#counted.get(shardId) ?? this.#begin(answered);
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

  #begin(answered: bigint): bigint {
    const { reach } = this.#limits;
    if (answered <= reach) return 0n;
    this.#fromTheFirst = false;
    return answered - reach;
  }
}

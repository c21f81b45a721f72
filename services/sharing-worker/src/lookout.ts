import type { Ledger } from '@repo/ledger';

/** Which kinds of work wait for a shard. */
interface Waiting {
  readonly work: boolean;
  readonly check: boolean;
  readonly left: boolean;
}

/**
 * How long a look is fresh, ms. The shards of a process look at the same moments (`idleIntervalMs`), one after the other, within less than
 * this.
 */
const FRESH_MS = 50;

/** Looks for work of all shards of this process in one statement. Each shard is given what was found once. */
export class Lookout {
  readonly #ledger: Pick<Ledger, 'rows'>;
  readonly #now: () => number;
  readonly #partitions = new Set<number>();
  readonly #found = new Map<number, Waiting>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(ledger: Pick<Ledger, 'rows'>, now: () => number = () => performance.now()) {
    this.#ledger = ledger;
    this.#now = now;
  }

  async waitsFor(partition: number): Promise<Waiting> {
    this.#partitions.add(partition);
    if (this.#now() - this.#lookedAt > FRESH_MS || !this.#found.has(partition)) await this.#look();
    const found = this.#found.get(partition);
    this.#found.delete(partition);
    return found ?? { work: false, check: false, left: false };
  }

  async #look(): Promise<void> {
    const at = this.#now();
    const rows = await this.#ledger.rows<Waiting & { partition: number }>(
      `select partition,
         exists (select from shard_work as waiting where waiting.partition = asked.partition and kind = 'BALANCE') as work,
         exists (select from arrears_check as waiting where waiting.partition = asked.partition and not finished) as check,
         exists (select from arrears_left as waiting where waiting.partition = asked.partition) as left
       from unnest($1::int[]) as asked (partition)`,
      [[...this.#partitions]],
    );
    this.#lookedAt = at;
    this.#found.clear();
    for (const { partition, ...waiting } of rows) this.#found.set(partition, waiting);
  }
}

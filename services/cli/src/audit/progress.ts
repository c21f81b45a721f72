import type { Snapshot } from '@repo/ledger';

/** The measured relative cost of one account, outcome or record, which makes the bar move evenly. */
const COSTS = { accounts: 2, outcomes: 3, sums: 1, records: 3 } as const;
export type Part = keyof typeof COSTS;

type Tell = (share: number, doing: Part) => void;

/** How far an audit has come. Its parts come in order, each with a size that need only be approximate. */
export class Progress {
  readonly #tell: Tell;
  readonly #costs: ReadonlyMap<Part, number>;
  readonly #whole: number;
  #part: Part = 'accounts';
  #before = 0;
  #done = 0;

  private constructor(sizes: Readonly<Record<Part, number>>, tell: Tell) {
    this.#tell = tell;
    this.#costs = new Map((Object.keys(COSTS) as Part[]).map((part) => [part, sizes[part] * COSTS[part]]));
    this.#whole = Math.max(1, sum(this.#costs.values()));
  }

  static async of(snapshot: Snapshot, options: { readonly hasKafka: boolean; readonly tell: Tell }): Promise<Progress> {
    const [row] = await snapshot.rows<{ accounts: string; outcomes: string }>(
      `select (select count(*) from account) as accounts, (select coalesce(sum(out_seq), 0) from shard) as outcomes`,
    );
    const [accounts, outcomes] = [Number(row?.accounts), Number(row?.outcomes)];
    return new Progress(
      { accounts, outcomes, sums: accounts + outcomes, records: options.hasKafka ? outcomes : 0 },
      options.tell,
    );
  }

  /** Begins a part; those before it are done. */
  begin(part: Part): void {
    const parts = [...this.#costs];
    this.#before = sum(
      parts
        .slice(
          0,
          parts.findIndex(([name]) => name === part),
        )
        .map(([, cost]) => cost),
    );
    this.#part = part;
    this.#done = 0;
    this.add(0);
  }

  add(count: number): void {
    this.#done += count * COSTS[this.#part];
    const done = this.#before + Math.min(this.#done, this.#costs.get(this.#part) ?? 0);
    this.#tell(done / this.#whole, this.#part);
  }

  end(): void {
    this.#tell(1, this.#part);
  }
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

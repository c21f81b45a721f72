import { until } from '@repo/testkit';
import { Client } from 'pg';
import type { Topics } from './topics.ts';

/**
 * Knows when a system under test has nothing left to do. Only this looks into the database, and only at how far the shards are: an
 * event that publishes nothing leaves no other trace to wait for.
 */
export class Progress implements AsyncDisposable {
  readonly #client: Client;
  readonly #topics: Topics;

  private constructor(client: Client, topics: Topics) {
    this.#client = client;
    this.#topics = topics;
  }

  static async open(databaseUrl: string, topics: Topics): Promise<Progress> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    return new Progress(client, topics);
  }

  /** Every input applied, no work left for the payers' shards, and as many records read as were written to be published. */
  async waitUntilAnswered(deadlineMs: number): Promise<void> {
    const ends = this.#topics.ends;
    await until(
      async () => {
        const { rows } = await this.#client.query<{
          shard: string;
          next_offset: string;
          written: string;
          waits: boolean;
        }>(
          `select topic || '/' || partition as shard, next_offset, sum(out_seq) over () as written,
             exists (select from shard_work where kind = 'BALANCE')
               or exists (select from arrears_check where not finished) as waits
           from shard`,
        );
        const reached = new Map(rows.map(({ shard, next_offset }) => [shard, BigInt(next_offset)]));
        const isApplied = [...ends].every(([shard, end]) => (reached.get(shard) ?? 0n) >= end);
        const isRead = this.#topics.published.length >= Number(rows[0]?.written ?? 0);
        return isApplied && isRead && rows[0]?.waits !== true;
      },
      { what: 'everything sent to be answered', deadlineMs, everyMs: 20 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

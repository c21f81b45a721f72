import type { MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { assert } from '@repo/domain';
import { type Copied, CopyIn } from './copy-in.ts';
import { codeOf } from './errors.ts';

/** What of the driver's connection is used here; the stream is not among what its types tell. */
interface Client {
  query(statement: { text: string; name?: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
  query(statement: CopyIn): unknown;
  release(destroy?: boolean): void;
  readonly connection: { readonly stream: { cork(): void; uncork(): void } };
}

/** The server refuses a statement because an earlier one of its transaction failed. */
const AFTER_ANOTHER = '25P02';

/**
 * One database transaction on one connection of the ORM's pool. Statements do not wait for each other's answers: those asked for in
 * one go leave in one write and are executed in their order, BEGIN with the first of them and COMMIT with the last, so that a batch
 * takes two round trips. After an error the server refuses what follows, COMMIT included, until ROLLBACK. MikroORM's `transactional` waits
 * for every answer, and never gives a connection back whose BEGIN or ROLLBACK failed because it was cut: a few such use up the pool.
 */
export class Session {
  readonly #client: Client;
  readonly #sent: Promise<unknown>[] = [];
  #begun: Promise<unknown> = Promise.resolve();
  #corked = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Runs `work` in a transaction of this mode, as BEGIN takes it; on any error it is rolled back, or its connection given up. */
  static async run<T>(orm: MikroORM, mode: string, work: (session: Session) => Promise<T>): Promise<T> {
    const pool = await (orm.em.getConnection() as PostgreSqlConnection).getNativeClient();
    const session = new Session((await pool.connect()) as unknown as Client);
    return session.#run(mode, work);
  }

  async #run<T>(mode: string, work: (session: Session) => Promise<T>): Promise<T> {
    const client = this.#client;
    try {
      this.#begun = this.#query(`begin ${mode}`, []);
      const result = await work(this);
      this.send('commit', []);
      await Promise.all(this.#sent);
      client.release();
      return result;
    } catch (error) {
      // A connection that cannot even roll back is gone; what ended the work says more than that.
      await client.query({ text: 'rollback' }).then(
        () => client.release(),
        () => client.release(true),
      );
      // What was waited for may have failed only because something before it did, which nobody waited for.
      throw codeOf(error) === AFTER_ANOTHER ? await this.#firstFailure() : error;
    }
  }

  /** The rows that a statement answers. Rejects where BEGIN failed: whoever reads first then writes nothing, which would commit by itself. */
  async rows<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const answer = this.#query(sql, parameters);
    await this.#begun;
    const { rows } = await answer;
    return rows as Row[];
  }

  /** A statement whose answer nobody waits for: if it fails, the transaction does. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.#query(sql, parameters);
  }

  /** Appends rows to a table, likewise. */
  copy(table: string, columns: readonly string[], rows: readonly (readonly Copied[])[]): void {
    this.#cork();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#client.query(new CopyIn(table, columns, rows, (error) => (error ? reject(error) : resolve())));
    this.#note(promise);
  }

  #query(sql: string, parameters: readonly unknown[]) {
    this.#cork();
    const answer = this.#client.query(
      // A server plans a named statement once for a connection.
      parameters.length === 0 ? { text: sql } : { text: sql, name: nameOf(sql), values: [...parameters] },
    );
    return this.#note(answer);
  }

  #note<T>(answer: Promise<T>): Promise<T> {
    // Seen again in `#run`; until then nobody may have looked at it.
    answer.catch(() => {});
    this.#sent.push(answer);
    return answer;
  }

  /** Of those sent, the first that failed: by their order, since one that fails later may be heard of earlier. All have been answered. */
  async #firstFailure(): Promise<unknown> {
    const answers = await Promise.allSettled(this.#sent);
    return answers.find((answer) => answer.status === 'rejected')?.reason;
  }

  /** Holds back what is written until the caller of this moment has said all it has to say. */
  #cork(): void {
    if (this.#corked) return;
    const { stream } = this.#client.connection;
    this.#corked = true;
    stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      stream.uncork();
    });
  }
}

const names = new Map<string, string>();
/** More different statements than this means that values were written into their text. */
const NAMES_MAX = 200;

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    assert(names.size < NAMES_MAX, 'statements differ by their parameters only');
    name = `gongji-${names.size}`;
    names.set(sql, name);
  }
  return name;
}

import type { MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { assert } from '@repo/domain';
import { type Copied, CopyIn } from './copy-in.ts';
import { codeOf } from './errors.ts';

/** The parts of the driver's connection that are used here; its types leave out the stream. */
interface Client {
  query(statement: { text: string; name?: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
  query(statement: CopyIn): unknown;
  release(destroy?: boolean): void;
  readonly connection: { readonly stream: { cork(): void; uncork(): void } };
}

/** SQLSTATE of a statement refused because an earlier one of its transaction failed. */
const AFTER_ANOTHER = '25P02';

/**
 * One database transaction on one connection of the ORM's pool. Statements do not wait for each other's answers: those issued in one go
 * leave in one write and run in order, BEGIN with the first and COMMIT with the last, so that a batch takes two round trips. After an error
 * the server refuses every later statement, COMMIT included, until ROLLBACK. MikroORM's `transactional` waits for every answer, and never
 * returns a connection whose BEGIN or ROLLBACK failed because it was cut; a few of those exhaust the pool.
 */
export class Session {
  readonly #client: Client;
  readonly #sent: Promise<unknown>[] = [];
  #begun: Promise<unknown> = Promise.resolve();
  #corked = false;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Runs `work` in a transaction; `mode` is what follows BEGIN. On any error the transaction is rolled back, or its connection discarded.
   */
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
      // A connection that cannot even roll back is discarded; the original error says more than the failed rollback.
      await client.query({ text: 'rollback' }).then(
        () => client.release(),
        () => client.release(true),
      );
      // The awaited statement may have failed only because an earlier one did, for whose answer nobody waited.
      throw codeOf(error) === AFTER_ANOTHER ? await this.#firstFailure() : error;
    }
  }

  /**
   * The rows of a statement. Waits for BEGIN first and rejects where it failed, since writes after that would each commit by themselves.
   */
  async rows<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const answer = this.#query(sql, parameters);
    await this.#begun;
    const { rows } = await answer;
    return rows as Row[];
  }

  /** Sends a statement whose answer nobody waits for; where it fails, the transaction fails. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.#query(sql, parameters);
  }

  /** Appends rows to a table with COPY; like `send`, nobody waits for it. */
  copy(table: string, columns: readonly string[], rows: readonly (readonly Copied[])[]): void {
    this.#cork();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#client.query(new CopyIn(table, columns, rows, (error) => (error ? reject(error) : resolve())));
    this.#note(promise);
  }

  #query(sql: string, parameters: readonly unknown[]) {
    this.#cork();
    const answer = this.#client.query(
      // The server plans a named statement once per connection.
      parameters.length === 0 ? { text: sql } : { text: sql, name: nameOf(sql), values: [...parameters] },
    );
    return this.#note(answer);
  }

  #note<T>(answer: Promise<T>): Promise<T> {
    // Without the answer itself, which would be kept until COMMIT.
    const sent = answer.then(nothing);
    // Avoids an unhandled rejection: `#run` awaits it later.
    sent.catch(nothing);
    this.#sent.push(sent);
    return answer;
  }

  /** The failed statement that was sent first; not the one whose error arrived first. All have been answered by now. */
  async #firstFailure(): Promise<unknown> {
    const answers = await Promise.allSettled(this.#sent);
    return answers.find((answer) => answer.status === 'rejected')?.reason;
  }

  /** Buffers writes until the end of this tick, so that all statements of a caller leave together. */
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

const nothing = (): void => {};

const names = new Map<string, string>();
/** More distinct statements than this mean that values were written into their text. */
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

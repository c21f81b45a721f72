import { databaseConnection } from '@repo/transport';
import { Client } from 'pg';

/** Settings for reading the whole database: no time limits, a fixed search path, and only a reader's rights. */
const SESSION = [
  '-c role=gongji_reader',
  '-c search_path=public',
  '-c transaction_timeout=0',
  '-c idle_in_transaction_session_timeout=0',
  '-c client_min_messages=warning',
  '-c timezone=UTC',
  // Pages are read with many small statements, for which JIT compilation costs more than it saves.
  '-c jit=off',
  '-c cursor_tuple_fraction=1',
].join(' ');

/** The database at one moment: one read-only transaction, so that nothing changes while it is compared. */
export class Snapshot implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Connects and begins. Rejects with the driver's error.
   * @param databaseUrl of a user who is `gongji_reader`, or a member of it
   * @param limitMs how long a statement may take, ms; 0 = no limit
   */
  static async open(databaseUrl: string, { name = 'gongji-audit', limitMs = 0 } = {}): Promise<Snapshot> {
    const client = new Client({
      ...databaseConnection(databaseUrl),
      application_name: name,
      options: `${SESSION} -c statement_timeout=${limitMs}`,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    // Without a listener, a connection that ends between two statements would end the process; the next statement rejects anyway.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('begin transaction isolation level repeatable read, read only');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return new Snapshot(client);
  }

  /** Rows of a statement. Numbers arrive as text, `bytea` as buffers. */
  async rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#client.query(sql, [...parameters]);
    return rows as Row[];
  }

  /** Rows of a statement in pieces of `size`, through the cursor `name`, so that only one piece is in memory. */
  async *pieces<Row>(
    name: string,
    sql: string,
    size: number,
    parameters: readonly unknown[] = [],
  ): AsyncGenerator<Row[]> {
    await this.#client.query(`declare ${name} no scroll cursor for ${sql}`, [...parameters]);
    for (;;) {
      const piece = await this.rows<Row>(`fetch ${size} from ${name}`);
      if (piece.length === 0) break;
      yield piece;
    }
    await this.#client.query(`close ${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}

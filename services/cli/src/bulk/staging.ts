import { once } from 'node:events';
import { databaseConnection } from '@repo/transport';
import { Client } from 'pg';
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams';

/** An event of a line, ready to be entered. */
export interface StagedLine {
  readonly line: number;
  readonly type: string;
  readonly identity: string;
  readonly contentHash: Buffer;
  /** The person to be opened, or the binding. */
  readonly subject: string;
  /** The person whose account the event belongs to. */
  readonly key: string;
  readonly json: string;
}

export interface BadLine {
  readonly line: number;
  readonly problem: string;
}

const COLUMNS = 'line, type, identity, content_hash, subject, key, json';
/** Escapes what COPY's text format writes with a backslash. */
const escaped = (text: string): string =>
  text.replace(/[\\\t\n\r]/g, (sign) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' })[sign] ?? sign);

/** Lines to be entered, in a temporary table of one session that is filled by COPY, so that the database finds conflicts between them. */
export class Staging implements AsyncDisposable {
  readonly #client: Client;
  #copy: CopyStreamQuery | undefined;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** @param databaseUrl the owner's */
  static async open(databaseUrl: string): Promise<Staging> {
    const client = new Client({
      ...databaseConnection(databaseUrl),
      application_name: 'gongji-load',
      options: '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(`create temp table load_line (line bigint not null, type text not null, identity text collate "C" not null,
      content_hash bytea not null, subject text collate "C" not null, key text collate "C" not null, json text not null)`);
    return new Staging(client);
  }

  /** Adds lines, waiting where the database is slower. */
  async add(lines: readonly StagedLine[]): Promise<void> {
    this.#copy ??= this.#begin();
    // Between two writes nobody waits for the stream.
    if (this.#copy.errored !== null) throw this.#copy.errored;
    const text = lines.map(({ line, type, identity, contentHash, subject, key, json }) =>
      [
        line,
        type,
        escaped(identity),
        `\\\\x${contentHash.toString('hex')}`,
        escaped(subject),
        escaped(key),
        escaped(json),
      ].join('\t'),
    );
    if (!this.#copy.write(`${text.join('\n')}\n`)) await once(this.#copy, 'drain');
  }

  #begin(): CopyStreamQuery {
    const copy = this.#client.query(copyFrom(`copy load_line (${COLUMNS}) from stdin`));
    return copy.on('error', () => undefined);
  }

  /** Ends the adding of lines. */
  async finish(): Promise<void> {
    if (this.#copy === undefined) return;
    if (this.#copy.errored !== null) throw this.#copy.errored;
    this.#copy.end();
    await once(this.#copy, 'finish');
    await this.#client.query('create index on load_line (identity)');
    await this.#client.query("create index on load_line (subject) where type = 'account.opened'");
    await this.#client.query('analyze load_line');
  }

  /** Lines that cannot be entered although each by itself can be read. */
  async problems(): Promise<BadLine[]> {
    const { rows } = await this.#client.query<{ line: string; problem: string }>(
      `select line, 'stated before in this file with other content, in line ' || first as problem from (
         select line, content_hash, first_value(line) over same as first, first_value(content_hash) over same as first_hash
         from load_line window same as (partition by identity order by line)) repeated where content_hash <> first_hash
       union all
       select line, 'entered before with other content' from load_line join event_id on event_id = identity
         where event_id.content_hash <> load_line.content_hash
       union all
       select line, 'psn_no: expected a person who is not here yet' from load_line join account on psn_no = subject
         where load_line.type = 'account.opened' and not exists (select from event_id where event_id = identity)
       union all
       select line, 'binding_id: expected a binding that is not here yet' from load_line join binding on binding_id = subject
         where load_line.type = 'binding.opened' and not exists (select from event_id where event_id = identity)
       union all
       select line, 'payer: expected a person who is here, or is opened in this file' from load_line
         where type = 'binding.opened' and not exists (select from account where psn_no = key)
           and not exists (select from load_line as opened where opened.type = 'account.opened' and opened.subject = load_line.key)
       order by line`,
    );
    return rows.map(({ line, problem }) => ({ line: Number(line), problem }));
  }

  /** How many lines are to be entered: those not entered yet, repeated ones counted once. */
  async countNew(): Promise<number> {
    const { rows } = await this.#client.query<{ count: string }>(
      'select count(distinct identity) from load_line where not exists (select from event_id where event_id = identity)',
    );
    return Number(rows[0]?.count);
  }

  /** The lines to be entered, accounts before bindings, in pieces. */
  async *pieces(
    size: number,
  ): AsyncGenerator<{ readonly type: string; readonly key: string; readonly json: string }[], void> {
    await this.#client.query('begin');
    await this.#client.query(`declare lines no scroll cursor for
      select type, key, json from (select distinct on (identity) * from load_line
        where not exists (select from event_id where event_id = identity) order by identity, line) once
      order by type, line`);
    for (;;) {
      const { rows } = await this.#client.query(`fetch ${size} from lines`);
      if (rows.length === 0) break;
      yield rows;
    }
    await this.#client.query('commit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }
}

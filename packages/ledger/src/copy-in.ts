import { type Connection, Query } from 'pg';

/** A column of a row to be copied in. Bytes become `bytea`. */
export type Copied = string | number | bigint | Buffer | null | undefined;

/** What of the driver's connection is used here and its types do not tell. */
interface CopyConnection {
  sendCopyFromChunk(data: Buffer): void;
  endCopyFrom(): void;
}

/**
 * `COPY … FROM STDIN` with its rows right behind it, so that it takes its place among other statements that nobody waits for: a server that
 * has refused it drops what it did not ask for (PostgreSQL, Message Flow, COPY Operations). Rows that come so are written
 * page by page, and logged so, where an `insert` writes and logs each by itself; and no array has to be taken apart.
 */
export class CopyIn extends Query {
  /** `done` is told of the end, once. */
  constructor(table: string, columns: readonly string[], rows: readonly (readonly Copied[])[], done: Done) {
    const text = `copy ${table} (${columns}) from stdin`;
    super(text, done);
    const data = Buffer.from(copyText(rows));
    this.submit = (connection: Connection) => {
      connection.query(text);
      const copying = connection as unknown as CopyConnection;
      copying.sendCopyFromChunk(data);
      copying.endCopyFrom();
    };
  }

  /** The driver's own would answer that there are no rows. */
  handleCopyInResponse(): void {}
}

type Done = (error: Error | undefined) => void;

/** Rows as COPY reads them in its text format: parted by line feeds, their columns by tabs. */
const copyText = (rows: readonly (readonly Copied[])[]): string =>
  rows.map((row) => `${row.map(columnText).join('\t')}\n`).join('');

function columnText(value: Copied): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'string') return SPECIAL.test(value) ? value.replace(SPECIALS, escaped) : value;
  return Buffer.isBuffer(value) ? `\\\\x${value.toString('hex')}` : String(value);
}

/** Asked before anything is replaced: a replacement that finds nothing takes three times as long. */
const SPECIAL = /[\\\t\n\r]/;
const SPECIALS = /[\\\t\n\r]/g;
const escaped = (character: string): string => ESCAPES[character] ?? character;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

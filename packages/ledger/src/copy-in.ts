import { type Connection, Query } from 'pg';

/** A column of a row to be copied in. Bytes become `bytea`. */
export type Copied = string | number | bigint | Buffer | null | undefined;

/** The methods of the driver's connection that are used here and missing from its types. */
interface CopyConnection {
  sendCopyFromChunk(data: Buffer): void;
  endCopyFrom(): void;
}

/**
 * `COPY … FROM STDIN` with its rows sent right behind it, so that it can be pipelined with other statements that nobody waits for: a server
 * that refuses the COPY drops the rows (PostgreSQL, Message Flow, COPY Operations). COPY writes and logs rows page by page where `insert`
 * does so row by row, and no array has to be unpacked.
 */
export class CopyIn extends Query {
  /** `done` is called once, with the error if there was one. */
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

  /** Replaces the driver's own, which would answer that there are no rows. */
  handleCopyInResponse(): void {}
}

type Done = (error: Error | undefined) => void;

/** Rows in COPY's text format: columns separated by tabs, rows by line feeds. */
const copyText = (rows: readonly (readonly Copied[])[]): string =>
  rows.map((row) => `${row.map(columnText).join('\t')}\n`).join('');

function columnText(value: Copied): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'string') return SPECIAL.test(value) ? value.replace(SPECIALS, escaped) : value;
  return Buffer.isBuffer(value) ? `\\\\x${value.toString('hex')}` : String(value);
}

/** Tested before replacing, because a `replace` that finds nothing takes three times as long. */
const SPECIAL = /[\\\t\n\r]/;
const SPECIALS = /[\\\t\n\r]/g;
const escaped = (character: string): string => ESCAPES[character] ?? character;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

import { randomBytes } from 'node:crypto';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type ExportedRow, TABLES, type Table } from './tables.ts';

export type Format = 'parquet' | 'csv';

/** Cells are appended as text and cast when a table is written: DuckDB parses them a hundred times faster than this process could. */
const castOf = (table: Table): string =>
  Object.entries(TABLES[table])
    .map(([name, { type }]) => (type === 'VARCHAR' ? name : `${name}::${type} as ${name}`))
    .join(', ');
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The exported tables in a DuckDB database of their own: a file beside the results, deleted when this is disposed of. Memory is bounded.
 */
export class Warehouse implements AsyncDisposable {
  readonly #file: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #appenders = new Map<Table, DuckDBAppender>();
  readonly counts = new Map<Table, number>();

  private constructor(file: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#file = file;
    this.#instance = instance;
    this.#connection = connection;
  }

  static async create(folder: string): Promise<Warehouse> {
    const file = join(folder, `.export-${randomBytes(6).toString('hex')}.duckdb`);
    const instance = await DuckDBInstance.create(file, {
      memory_limit: '512MB',
      threads: '2',
      // Never downloads an extension: Parquet is built in.
      autoinstall_known_extensions: 'false',
    });
    chmodSync(file, 0o600);
    const connection = await instance.connect();
    await connection.run(`set timezone = 'Asia/Shanghai'`);
    const warehouse = new Warehouse(file, instance, connection);
    for (const table of Object.keys(TABLES) as Table[]) {
      const columns = Object.keys(TABLES[table]).map((name) => `${name} VARCHAR`);
      await connection.run(`create table raw_${table} (${columns.join(', ')})`);
      await connection.run(`create view ${table} as select ${castOf(table)} from raw_${table}`);
      warehouse.#appenders.set(table, await connection.createAppender(`raw_${table}`));
      warehouse.counts.set(table, 0);
    }
    return warehouse;
  }

  add({ table, cells }: ExportedRow): void {
    const appender = this.#appenders.get(table);
    for (const name of Object.keys(TABLES[table])) {
      const cell = (cells as Readonly<Record<string, string | null>>)[name] ?? null;
      if (cell === null) appender?.appendNull();
      else appender?.appendVarchar(cell);
    }
    appender?.endRow();
    this.counts.set(table, (this.counts.get(table) ?? 0) + 1);
  }

  /** Ends the adding of rows. */
  finish(): void {
    for (const appender of this.#appenders.values()) appender.closeSync();
  }

  /**
   * Writes a table, rows by day, and answers the file's path. An existing file of that name is replaced only when the new one is complete.
   */
  async write(table: Table, { folder, format }: { readonly folder: string; readonly format: Format }): Promise<string> {
    const file = join(folder, `${table}.${format}`);
    const part = `${file}.part`;
    const options = format === 'parquet' ? 'format parquet, compression zstd' : 'format csv, header';
    await this.#connection.run(
      `copy (select * from ${table} order by on_day, claim_id) to ${quoted(part)} (${options})`,
    );
    chmodSync(part, 0o600);
    renameSync(part, file);
    return file;
  }

  /** Rows of a query over the tables, all cells as text. */
  async ask(sql: string): Promise<Record<string, string | null>[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader
      .getRowObjects()
      .map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)])),
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.closeSync();
    this.#instance.closeSync();
    for (const file of [this.#file, `${this.#file}.wal`]) rmSync(file, { force: true });
  }
}

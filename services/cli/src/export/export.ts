import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublishedEvent } from '@repo/contracts';
import { readStored, Snapshot, type ViewedOutcome } from '@repo/ledger';
import { drawReports } from './reports.ts';
import { type Range, rowsOf, TABLES, type Table } from './tables.ts';
import { type Format, Warehouse } from './warehouse.ts';

export interface ExportOptions extends Range {
  /** URL of a user who is `gongji_reader`, or a member of it. */
  readonly databaseUrl: string;
  readonly folder: string;
  readonly format: Format;
  /** Whether the prepared queries are run and drawn as well. */
  readonly charts: boolean;
  readonly onProgress?: (share: number, doing: string) => void;
}

export interface ExportSummary {
  readonly tables: Readonly<Record<Table, { readonly rows: number; readonly file: string }>>;
  readonly charts: readonly string[];
}

const PIECE = 2_000;
/** Reading outcomes takes this share of the time; the tables are then written in one go. */
const READING = 0.95;

/**
 * Writes what was published about these days as tables. Reads all outcomes in one read-only snapshot, because they are stored in the order
 * in which they came and not by day. Only one piece of them is in memory.
 */
export async function exportOutcomes(options: ExportOptions): Promise<ExportSummary> {
  const { databaseUrl, folder, format, onProgress = () => {} } = options;
  mkdirSync(folder, { recursive: true });
  accessSync(folder, constants.W_OK);
  await using snapshot = await Snapshot.open(databaseUrl);
  await using warehouse = await Warehouse.create(folder);
  const [shards] = await snapshot.rows<{ outcomes: string }>(
    'select coalesce(sum(result_seq), 0) as outcomes from shard',
  );
  const total = Math.max(1, Number(shards?.outcomes));
  let read = 0;
  const sql = `select stamp, payload from all_outcome where dest = 'R' order by shard_id, seq`;
  for await (const piece of snapshot.pieces<ViewedOutcome>('outcomes', sql, PIECE)) {
    for (const stored of piece) {
      const { stamp, payload } = readStored(stored);
      const { type } = JSON.parse(stamp) as Pick<PublishedEvent, 'type'>;
      const value = JSON.parse(payload.toString()) as PublishedEvent['value'];
      for (const row of rowsOf({ type, value } as PublishedEvent, options)) warehouse.add(row);
    }
    read += piece.length;
    onProgress((READING * read) / total, 'reading outcomes');
  }
  warehouse.finish();
  const tables: [Table, { rows: number; file: string }][] = [];
  for (const table of Object.keys(TABLES) as Table[]) {
    onProgress(READING, `writing ${table}`);
    tables.push([
      table,
      { rows: warehouse.counts.get(table) ?? 0, file: await warehouse.write(table, { folder, format }) },
    ]);
  }
  const charts: string[] = [];
  if (options.charts) {
    for (const { name, svg } of await drawReports(warehouse, options)) {
      const file = join(folder, `${name}.svg`);
      writeFileSync(file, svg);
      charts.push(file);
    }
  }
  onProgress(1, 'done');
  return { tables: Object.fromEntries(tables) as ExportSummary['tables'], charts };
}

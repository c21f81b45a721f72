import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from '../chart/bars.ts';
import type { Range } from './tables.ts';
import type { Warehouse } from './warehouse.ts';

/**
 * The prepared queries: each is an SQL file over the exported tables that answers `label`, `series` and `yuan`, in the order of the chart.
 */
export const REPORTS = {
  'who-pays-for-whom': '谁为谁付钱 · Who pays for whom',
  'what-arrears-cost': '欠费让家庭多付了多少现金 · What arrears cost families',
  'where-cash-remains': '现金留在哪里 · Where cash remains',
} as const;

const FOLDER = join(import.meta.dirname, '../../queries');

/** The SQL of a report, which DuckDB can also run over the exported files. */
export const queryOf = (name: keyof typeof REPORTS): string => readFileSync(join(FOLDER, `${name}.sql`), 'utf8');

/** Runs every prepared query and draws its result. */
export async function drawReports(
  warehouse: Pick<Warehouse, 'ask'>,
  { from, to }: Range,
): Promise<{ readonly name: string; readonly svg: string }[]> {
  const drawn = [];
  for (const [name, title] of Object.entries(REPORTS) as [keyof typeof REPORTS, string][]) {
    const rows = await warehouse.ask(queryOf(name));
    const bars = rows.map(({ label, series, yuan }) => ({
      label: label ?? '',
      series: series ?? '',
      value: Number(yuan),
    }));
    drawn.push({ name, svg: barChart({ title, note: `${from} – ${to}, 元 yuan`, bars }) });
  }
  return drawn;
}

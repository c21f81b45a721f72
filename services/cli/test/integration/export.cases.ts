import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, onTestFinished, test } from 'vitest';
import { queryOf, REPORTS } from '../../src/export/reports.ts';
import { TABLES } from '../../src/export/tables.ts';
import type { RunningCity } from './city.fixture.ts';
import { asked, gongji } from './gongji.fixture.ts';

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'gongji-export-test-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

/** What a stranger's DuckDB reads in the files: rows of a query, cells as text. */
async function readFiles(at: string, format: 'parquet' | 'csv', sql: string): Promise<Record<string, string>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = format === 'csv' ? 'read_csv' : 'read_parquet';
    for (const table of Object.keys(TABLES))
      await connection.run(`create view ${table} as from ${reader}('${join(at, `${table}.${format}`)}')`);
    const rows = (await connection.runAndReadAll(sql)).getRowObjects();
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const RANGE = ['--from', '2026-03-10', '--to', '2026-03-17'];

export function exportCases(running: () => RunningCity): void {
  test.each(['parquet', 'csv'] as const)('%s files hold what the books say was paid and given back', async (format) => {
    const out = folder();
    const { code, stdout, stderr } = await gongji(running(), [
      'export',
      ...RANGE,
      '--format',
      format,
      '--out',
      out,
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const sql = `select (select sum(amount::decimal(16,2)) from payments) as paid, (select count(*) from payments) as payments,
      (select coalesce(sum(amount::decimal(16,2)), 0) from refunds where source <> 'CASH') as returned,
      (select sum(acct_pay::decimal(16,2) + acct_mulaid_pay::decimal(16,2)) from settlements) as of_claims,
      (select count(*) from settlements) as claims, (select count(*) from skips) as skips`;
    const [files] = await readFiles(out, format, sql);
    const [books] = await asked<Record<string, string>>(
      running().databaseUrl,
      `select (-sum(prior_year + current_year) filter (where kind in ('CLAIM', 'PREMIUM')))::text as paid,
         (count(*) filter (where kind in ('CLAIM', 'PREMIUM')))::text as payments,
         (sum(prior_year + current_year + held) filter (where kind = 'REFUND'))::text as returned,
         (-sum(prior_year + current_year) filter (where kind = 'CLAIM'))::text as of_claims from entry`,
    );
    expect(files).toMatchObject(books ?? {});
    const { tables } = JSON.parse(stdout) as { tables: Record<string, { rows: number; file: string }> };
    expect(String(tables.settlements?.rows)).toBe(files?.claims);
    expect(Number(files?.skips)).toBeGreaterThan(100);
    // Nothing is left beside them, and nobody else may read them.
    expect(readdirSync(out).sort()).toEqual(
      Object.keys(TABLES)
        .map((table) => `${table}.${format}`)
        .sort(),
    );
    for (const { file } of Object.values(tables)) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('a place where nothing can be written is told, whatever is to be written there', async () => {
    const nowhere = '/dev/null/nowhere';
    const day = '2026-03-12';
    const commands = [
      ['export', '--from', day, '--to', day, `--out=${nowhere}`],
      ['reconcile', 'details', '--day', day, '--out', nowhere],
      ['simulate', '--from', day, '--to', day, '--svg', nowhere],
    ];
    for (const args of commands) {
      const { code, stdout, stderr } = await gongji(running(), args);
      expect({ code, told: stdout !== '' }, args[0]).toEqual({ code: 2, told: args[0] === 'simulate' });
      expect(stderr).toBe(`${nowhere}: expected a place that can be used; found ENOTDIR\n`);
    }
  });

  test('a range takes the days it names and no others, and no file holds a name or a balance', async () => {
    const out = folder();
    await gongji(running(), ['export', '--from', '2026-03-12', '--to', '2026-03-12', '--format', 'csv', '--out', out]);
    const [days] = await readFiles(
      out,
      'csv',
      'select min(on_day)::text as first, max(on_day)::text as last, count(*) as claims from settlements',
    );
    expect(days).toMatchObject({ first: '2026-03-12', last: '2026-03-12' });
    expect(Number(days?.claims)).toBeGreaterThan(20);
    const names = running()
      .city.family(0)
      .people.map(({ account }) => account.psn_name);
    for (const file of readdirSync(out)) {
      const text = readFileSync(join(out, file), 'utf8');
      expect(names.filter((name) => text.includes(name))).toEqual([]);
      expect(text.split('\n')[0]).not.toMatch(/balc|balance|name|certno/);
    }
  });

  test('every ready query answers what its chart draws, and runs over the files alone', async () => {
    const out = folder();
    const { code } = await gongji(running(), ['export', ...RANGE, '--out', out, '--charts']);
    expect(code).toBe(0);
    for (const name of Object.keys(REPORTS) as (keyof typeof REPORTS)[]) {
      const rows = await readFiles(out, 'parquet', queryOf(name));
      expect(rows.length, name).toBeGreaterThan(1);
      const svg = readFileSync(join(out, `${name}.svg`), 'utf8');
      for (const { label = '', series = '' } of rows) {
        expect(svg).toContain(label);
        expect(svg).toContain(series);
      }
      expect(svg.match(/<rect x="[\d.]+" y="\d+" width="[\d.]+" height="18"/g)).toHaveLength(rows.length);
    }
  });

  test('what is not understood is refused with the reason', async () => {
    const wrong = [
      ['--from', '2026-03-02', '--to', '2026-03-01'],
      [...RANGE, '--format', 'xls'],
    ];
    for (const args of wrong) {
      const { code, stdout, stderr } = await gongji(running(), ['export', ...args]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('Usage: gongji export');
    }
  });
}

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatMoney, money } from '@repo/domain';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import type { Said } from './compare.ts';
import { AMOUNTS, type AmountName, type SettledRow } from './settled.ts';

/** Columns of the detail file: those of the national row (3202), then what it has no column for. */
export const DETAIL_COLUMNS = [
  'setl_id',
  'mdtrt_id',
  'psn_no',
  'medfee_sumamt',
  'fund_pay_sumamt',
  'acct_pay',
  'refd_setl_flag',
  'acct_mulaid_pay',
  'cash_payamt',
  'fixmedins_code',
  'insutype',
  'clr_type',
  'day',
  'refund_id',
] as const satisfies readonly (keyof SettledRow)[];

/** Rows as lines of CSV; amounts in yuan with two decimals. */
export const toLines = <Name extends string>(
  columns: readonly Name[],
  rows: readonly Readonly<Record<Name, unknown>>[],
): string => stringify(rows.map((row) => columns.map((name) => textOf(row[name]))));

const textOf = (value: unknown): string => (typeof value === 'bigint' ? formatMoney(value as never) : String(value));

/** A file that cannot be compared, said to the person who gave it. */
export class UnusableFile extends Error {
  override name = 'UnusableFile';
  /** The same without anything that stands in the file. */
  readonly withoutContent: string;

  constructor(message: string, withoutContent = message) {
    super(message);
    this.withoutContent = withoutContent;
  }
}

/** Which of our columns the other side's file has, and its rows. */
export interface OtherSide {
  readonly columns: readonly AmountName[];
  readonly rows: Said[];
}

const PROBLEMS_MAX = 20;

interface Line {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

/**
 * Reads the other side's detail file: CSV with a line of column names, `setl_id` among them and at least one amount. Without
 * `refd_setl_flag` every row is a settlement. Throws `UnusableFile` with every line that cannot be used, the first twenty by number.
 */
export async function readOtherSide(file: Readable): Promise<OtherSide> {
  const rows: Said[] = [];
  const problems: string[] = [];
  let columns: AmountName[] | undefined;
  const parser = parse({ bom: true, columns: true, skip_empty_lines: true, info: true, trim: true });
  try {
    await pipeline(file, parser, async (lines: AsyncIterable<Line>) => {
      for await (const { record, info } of lines) {
        columns ??= columnsOf(Object.keys(record));
        const found = read(record, columns);
        if (typeof found === 'string') problems.push(`line ${info.lines}: ${found}`);
        else rows.push(found);
      }
    });
  } catch (error) {
    if (error instanceof UnusableFile) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isCsv = code?.startsWith('CSV_') === true;
    if (isCsv) throw new UnusableFile(`it is not CSV: ${message}`, 'it is not CSV');
    throw new UnusableFile(`it cannot be read (${code ?? 'unknown'})`);
  }
  if (problems.length > 0) {
    const shown = problems.slice(0, PROBLEMS_MAX).join('\n  ');
    const more = problems.length > PROBLEMS_MAX ? `\n  and ${problems.length - PROBLEMS_MAX} lines more` : '';
    throw new UnusableFile(`${problems.length} lines cannot be used:\n  ${shown}${more}`);
  }
  return { columns: columns ?? [...AMOUNTS], rows };
}

function columnsOf(names: readonly string[]): AmountName[] {
  if (!names.includes('setl_id')) throw new UnusableFile('its first line must name the columns, setl_id among them');
  const amounts = AMOUNTS.filter((name) => names.includes(name));
  if (amounts.length === 0) throw new UnusableFile(`its first line names none of ${AMOUNTS.join(', ')}`);
  return amounts;
}

function read(record: Readonly<Record<string, string>>, columns: readonly AmountName[]): Said | string {
  const { setl_id = '', refd_setl_flag = '0' } = record;
  if (setl_id === '') return 'expected a setl_id';
  if (refd_setl_flag !== '0' && refd_setl_flag !== '1') return 'expected refd_setl_flag to be 0 or 1';
  const bad = columns.filter((name) => !/^-?\d{1,14}(\.\d{1,2})?$/.test(record[name] ?? ''));
  if (bad.length > 0) return `expected ${bad.join(' and ')} in yuan with at most two decimals`;
  const amounts = Object.fromEntries(columns.map((name) => [name, money(record[name] ?? '0')]));
  return { setl_id, refd_setl_flag, amounts };
}

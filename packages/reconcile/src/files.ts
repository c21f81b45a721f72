import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatMoney, money, parseDate } from '@repo/domain';
import { parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import type { Said } from './compare.ts';
import type { SaidTotal } from './compare-totals.ts';
import { AMOUNTS, type AmountName, type SettledRow } from './settled.ts';
import { GROUP, type GroupName, SETTLED_COUNT, type SumName } from './totals.ts';

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

interface BadLine {
  readonly line: number;
  readonly problem: string;
}

/** A file that cannot be compared, said to the person who gave it. */
export class UnusableFile extends Error {
  override name = 'UnusableFile';
  /** The same without anything that stands in the file. */
  readonly withoutContent: string;
  /** The lines that cannot be used, the first twenty, counted from 1. */
  readonly lines: readonly BadLine[];

  constructor(message: string, { withoutContent = message, lines = [] }: Partial<UnusableFile> = {}) {
    super(message);
    this.withoutContent = withoutContent;
    this.lines = lines;
  }
}

/** The other side's details (3202): which of our columns the file has, and its rows. */
export interface OtherDetails {
  readonly kind: 'DETAILS';
  readonly columns: readonly AmountName[];
  readonly rows: readonly Said[];
}

/** The other side's totals (3201): by which of our columns the file tells them apart, which sums it has, and its rows. */
export interface OtherTotals {
  readonly kind: 'TOTALS';
  readonly groups: readonly GroupName[];
  readonly columns: readonly SumName[];
  readonly rows: readonly SaidTotal[];
}

export type OtherSide = OtherDetails | OtherTotals;

const PROBLEMS_MAX = 20;

type Cells = Readonly<Record<string, string>>;
interface Line {
  readonly record: Cells;
  readonly info: { readonly lines: number };
}

/** The file as its column names say it is, and what takes its lines into it: null, or what of a line cannot be used. */
interface Filling {
  readonly side: OtherSide;
  readonly take: (record: Cells) => string | null;
}

/**
 * Reads the other side's file: CSV with a line of column names. With `setl_id` among them and at least one amount it is details, where
 * without `refd_setl_flag` every row is a settlement; without, it is totals, told apart by at least one of the columns we tell them apart
 * by. Throws `UnusableFile` with every line that cannot be used, the first twenty by number.
 */
export async function readOtherSide(file: Readable): Promise<OtherSide> {
  const problems: BadLine[] = [];
  let filling: Filling | undefined;
  const begin = (names: string[]): string[] => {
    filling = names.includes('setl_id') ? detailsWith(names) : totalsWith(names);
    return names;
  };
  const parser = parse({ bom: true, columns: begin, skip_empty_lines: true, info: true, trim: true });
  try {
    await pipeline(file, parser, async (lines: AsyncIterable<Line>) => {
      for await (const { record, info } of lines) {
        const problem = filling?.take(record);
        if (typeof problem === 'string') problems.push({ line: info.lines, problem });
      }
    });
  } catch (error) {
    if (error instanceof UnusableFile) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const isCsv = code?.startsWith('CSV_') === true;
    if (isCsv) throw new UnusableFile(`it is not CSV: ${message}`, { withoutContent: 'it is not CSV' });
    throw new UnusableFile(`it cannot be read (${code ?? 'unknown'})`);
  }
  if (problems.length > 0) {
    const lines = problems.slice(0, PROBLEMS_MAX);
    const shown = lines.map(({ line, problem }) => `line ${line}: ${problem}`).join('\n  ');
    const more = problems.length > PROBLEMS_MAX ? `\n  and ${problems.length - PROBLEMS_MAX} lines more` : '';
    throw new UnusableFile(`${problems.length} lines cannot be used:\n  ${shown}${more}`, { lines });
  }
  if (filling === undefined) throw new UnusableFile(`it is empty: ${NAMES_EXPECTED}`);
  return filling.side;
}

const NAMES_EXPECTED = `its first line must name the columns, setl_id among them for details, or some of ${GROUP.join(', ')} for totals`;

function detailsWith(names: readonly string[]): Filling {
  const columns = AMOUNTS.filter((name) => names.includes(name));
  if (columns.length === 0) throw new UnusableFile(`its first line names none of ${AMOUNTS.join(', ')}`);
  const rows: Said[] = [];
  const take = (record: Cells): string | null => {
    const { setl_id = '', refd_setl_flag = '0' } = record;
    if (setl_id === '') return 'expected a setl_id';
    if (refd_setl_flag !== '0' && refd_setl_flag !== '1') return 'expected refd_setl_flag to be 0 or 1';
    const amounts = amountsOf(record, columns);
    if (typeof amounts === 'string') return amounts;
    rows.push({ setl_id, refd_setl_flag, amounts });
    return null;
  };
  return { side: { kind: 'DETAILS', columns, rows }, take };
}

function totalsWith(names: readonly string[]): Filling {
  const groups = GROUP.filter((name) => names.includes(name));
  if (groups.length === 0) throw new UnusableFile(NAMES_EXPECTED);
  const amountNames = AMOUNTS.filter((name) => names.includes(name));
  const isCounted = names.includes(SETTLED_COUNT);
  const columns: readonly SumName[] = isCounted ? [...amountNames, SETTLED_COUNT] : amountNames;
  if (columns.length === 0)
    throw new UnusableFile(`its first line names none of ${AMOUNTS.join(', ')}, ${SETTLED_COUNT}`);
  const rows: SaidTotal[] = [];
  const take = (record: Cells): string | null => {
    // A day that is written otherwise would be missing on both sides.
    if (groups.includes('day') && parseDate(record.day ?? '') === null) return 'expected day as YYYY-MM-DD';
    const count = record[SETTLED_COUNT] ?? '';
    if (isCounted && !/^\d{1,9}$/.test(count)) return `expected ${SETTLED_COUNT} to be a number of settlements`;
    const amounts = amountsOf(record, amountNames);
    if (typeof amounts === 'string') return amounts;
    const group = Object.fromEntries(groups.map((name) => [name, record[name] ?? '']));
    rows.push({ group, sums: isCounted ? { ...amounts, [SETTLED_COUNT]: Number(count) } : amounts });
    return null;
  };
  return { side: { kind: 'TOTALS', groups, columns, rows }, take };
}

/** The amounts of a line, or what was expected of them. */
function amountsOf(record: Cells, columns: readonly AmountName[]): Said['amounts'] | string {
  const bad = columns.filter((name) => !/^-?\d{1,14}(\.\d{1,2})?$/.test(record[name] ?? ''));
  if (bad.length > 0) return `expected ${bad.join(' and ')} in yuan with at most two decimals`;
  return Object.fromEntries(columns.map((name) => [name, money(record[name] ?? '0')]));
}

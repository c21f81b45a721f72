import { add } from '@repo/domain';
import { AMOUNTS, type AmountName, type Amounts, type SettledRow } from './settled.ts';

export const GROUP = ['day', 'fixmedins_code', 'insutype', 'clr_type'] as const;
export type GroupName = (typeof GROUP)[number];
export const SETTLED_COUNT = 'fixmedins_setl_cnt';
export type SumName = AmountName | typeof SETTLED_COUNT;

/** A day's sums of one institution, kind of insurance and clearing class (3201): what was settled less what was refunded. */
export interface Total extends Amounts, Readonly<Record<GroupName, string>> {
  /** Settlements; a refund is not one. */
  readonly [SETTLED_COUNT]: number;
}

/** Columns of the totals (3201), a line a day. */
export const TOTAL_COLUMNS = [
  'day',
  'fixmedins_code',
  'insutype',
  'clr_type',
  'medfee_sumamt',
  'fund_pay_sumamt',
  'acct_pay',
  'acct_mulaid_pay',
  'cash_payamt',
  'fixmedins_setl_cnt',
] as const satisfies readonly (keyof Total)[];

const textOf = (row: SettledRow): string => GROUP.map((name) => row[name]).join('\x1f');

/** Sums grown row by row. */
export class Totals {
  readonly #groups = new Map<string, Total>();

  add(row: SettledRow): void {
    const key = textOf(row);
    const before = this.#groups.get(key);
    const amounts = Object.fromEntries(
      AMOUNTS.map((name) => [name, before === undefined ? row[name] : add(before[name], row[name])]),
    ) as Record<AmountName, Total[AmountName]>;
    const { day, fixmedins_code, insutype, clr_type } = row;
    const settled = (before?.fixmedins_setl_cnt ?? 0) + (row.refd_setl_flag === '0' ? 1 : 0);
    this.#groups.set(key, { day, fixmedins_code, insutype, clr_type, ...amounts, fixmedins_setl_cnt: settled });
  }

  /** By day, institution, kind of insurance and clearing class. */
  list(): Total[] {
    return [...this.#groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, total]) => total);
  }
}

/** The totals of all of these rows. */
export async function totalsOf(settled: AsyncIterable<readonly SettledRow[]>): Promise<Totals> {
  const totals = new Totals();
  for await (const rows of settled) for (const row of rows) totals.add(row);
  return totals;
}

import { add, type Money, ZERO } from '@repo/domain';
import { AMOUNTS, type AmountName } from './settled.ts';

/** What one side says of one settlement, or of all refunds of one on these days: amounts only of the columns it has. */
export interface Said {
  readonly setl_id: string;
  readonly refd_setl_flag: string;
  readonly amounts: Readonly<Partial<Record<AmountName, Money>>>;
}

export type DifferenceKind = 'MISSING_HERE' | 'MISSING_THERE' | 'AMOUNT_DIFFERS';
export const DIFFERENCE_KINDS: readonly DifferenceKind[] = ['MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS'];

export interface Difference {
  readonly kind: DifferenceKind;
  readonly setl_id: string;
  readonly refd_setl_flag: string;
  /** Null: all of it, whichever column. */
  readonly column: AmountName | null;
  /** Null where this side has nothing, or its file does not say. */
  readonly here: Money | null;
  readonly there: Money | null;
}

export interface Comparison {
  /** Settlements, and settlements refunded, that either side names. */
  readonly compared: number;
  readonly differences: readonly Difference[];
}

/**
 * Holds two sides against each other, settlement by settlement, refunds apart. Several rows of one settlement are summed. Where a side
 * has no column for sharing, as the national detail file has not, its `acct_pay` is held against own account and sharing together.
 */
export function compare(here: Iterable<Said>, there: Iterable<Said>, columns: readonly AmountName[]): Comparison {
  const knowsSharing = columns.includes('acct_mulaid_pay');
  const ours = summed(here, knowsSharing);
  const theirs = summed(there, true);
  const differences: Difference[] = [];
  for (const [key, said] of theirs) {
    if (!ours.has(key))
      differences.push({ ...missing('MISSING_HERE', said), there: said.amounts.medfee_sumamt ?? null });
  }
  for (const [key, said] of ours) {
    const { setl_id, refd_setl_flag } = said;
    const other = theirs.get(key);
    if (other === undefined) {
      differences.push({ ...missing('MISSING_THERE', said), here: said.amounts.medfee_sumamt ?? ZERO });
      continue;
    }
    for (const column of AMOUNTS) {
      if (!columns.includes(column)) continue;
      const [mine, its] = [said.amounts[column] ?? ZERO, other.amounts[column] ?? ZERO];
      if (mine !== its)
        differences.push({ kind: 'AMOUNT_DIFFERS', setl_id, refd_setl_flag, column, here: mine, there: its });
    }
  }
  const order = (each: Difference) => `${DIFFERENCE_KINDS.indexOf(each.kind)} ${each.setl_id} ${each.refd_setl_flag}`;
  differences.sort((left, right) => (order(left) < order(right) ? -1 : order(left) > order(right) ? 1 : 0));
  return { compared: new Set([...ours.keys(), ...theirs.keys()]).size, differences };
}

const missing = (kind: DifferenceKind, { setl_id, refd_setl_flag }: Said) => ({
  kind,
  setl_id,
  refd_setl_flag,
  column: null,
  here: null,
  there: null,
});

function summed(rows: Iterable<Said>, sharingApart: boolean): Map<string, Said> {
  const sums = new Map<string, Said>();
  for (const row of rows) {
    const { setl_id, refd_setl_flag } = row;
    const key = `${setl_id}\x1f${refd_setl_flag}`;
    const before = sums.get(key);
    const { acct_pay = ZERO, acct_mulaid_pay = ZERO } = row.amounts;
    const amounts = sharingApart ? row.amounts : { ...row.amounts, acct_pay: add(acct_pay, acct_mulaid_pay) };
    sums.set(key, {
      setl_id,
      refd_setl_flag,
      amounts: before === undefined ? amounts : added(before.amounts, amounts),
    });
  }
  return sums;
}

function added(left: Said['amounts'], right: Said['amounts']): Said['amounts'] {
  const names = AMOUNTS.filter((name) => left[name] !== undefined || right[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, add(left[name] ?? ZERO, right[name] ?? ZERO)]));
}

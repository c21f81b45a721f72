import { add, type Money, ZERO } from '@repo/domain';
import { AMOUNTS, type AmountName } from './settled.ts';
import { type ComparisonOf, type DifferenceIn, differencesOf, type Side } from './sides.ts';

/** A settlement, or all refunds of it on these days. */
interface SettlementKey {
  readonly setl_id: string;
  readonly refd_setl_flag: string;
}

/** What one side says of one settlement, or of all refunds of one on these days: amounts only of the columns it has. */
export interface Said extends SettlementKey {
  readonly amounts: Readonly<Partial<Record<AmountName, Money>>>;
}

export type Difference = DifferenceIn<SettlementKey, AmountName, Money>;
/** `compared` counts settlements, and settlements refunded. */
export type Comparison = ComparisonOf<Difference>;

/**
 * Holds two sides against each other, settlement by settlement, refunds apart. Several rows of one settlement are summed. Where a side
 * has no column for sharing, as the national detail file has not, its `acct_pay` is held against own account and sharing together.
 */
export function compare(here: Iterable<Said>, there: Iterable<Said>, columns: readonly AmountName[]): Comparison {
  const ours = summed(here, columns.includes('acct_mulaid_pay'));
  return differencesOf(ours, summed(there, true), { columns, whole: 'medfee_sumamt', nothing: () => ZERO });
}

function summed(rows: Iterable<Said>, sharingApart: boolean): Side<SettlementKey, AmountName, Money> {
  const sums = new Map<string, { readonly key: SettlementKey; readonly values: Said['amounts'] }>();
  for (const { setl_id, refd_setl_flag, amounts } of rows) {
    const name = `${setl_id}\x1f${refd_setl_flag}`;
    const before = sums.get(name);
    const values = sharingApart ? amounts : { ...amounts, acct_pay: accountsOf(amounts) };
    sums.set(name, {
      key: { setl_id, refd_setl_flag },
      values: before === undefined ? values : added(before.values, values),
    });
  }
  return sums;
}

/** What own account and sharing paid together, which is `acct_pay` where there is no column for sharing. */
export const accountsOf = ({ acct_pay = ZERO, acct_mulaid_pay = ZERO }: Said['amounts']): Money =>
  add(acct_pay, acct_mulaid_pay);

/** The sums of the amounts that either has. */
export function added(left: Said['amounts'], right: Said['amounts']): Said['amounts'] {
  const names = AMOUNTS.filter((name) => left[name] !== undefined || right[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, add(left[name] ?? ZERO, right[name] ?? ZERO)]));
}

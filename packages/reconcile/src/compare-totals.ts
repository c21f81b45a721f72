import { type Money, ZERO } from '@repo/domain';
import { accountsOf, added } from './compare.ts';
import { type ComparisonOf, type DifferenceIn, differencesOf, type Side } from './sides.ts';
import { type GroupName, SETTLED_COUNT, type SumName, type Total } from './totals.ts';

/** By what a total is told from others: the columns that the other side's file has of them. */
type TotalKey = Readonly<Partial<Record<GroupName, string>>>;

/** A line of the other side's totals: sums only of the columns its file has. */
export interface SaidTotal {
  readonly group: TotalKey;
  readonly sums: Partial<Pick<Total, SumName>>;
}

export type TotalDifference = DifferenceIn<TotalKey, SumName, Money | number>;
/** `compared` counts groups: a day, an institution and so on, as the file tells them apart. */
export type TotalComparison = ComparisonOf<TotalDifference>;

/**
 * Holds the totals of two sides against each other, by the columns that the other side's file tells them apart by; what it has no column
 * for is summed here too, and so are several lines of one group. Without a column for sharing its `acct_pay` contains it. A group of which
 * all sums are nothing is as good as none.
 */
export function compareTotals(
  here: Iterable<Total>,
  there: Iterable<SaidTotal>,
  { groups, columns }: { readonly groups: readonly GroupName[]; readonly columns: readonly SumName[] },
): TotalComparison {
  const knowsSharing = columns.includes('acct_mulaid_pay');
  const ours = Array.from(here, (total): SaidTotal => {
    const sums = knowsSharing ? total : { ...total, acct_pay: accountsOf(total) };
    return { group: Object.fromEntries(groups.map((name) => [name, total[name]])), sums };
  });
  const sides = [summed(ours, groups), summed(there, groups)] as const;
  const [mine, theirs] = [withoutNothing(sides[0], sides[1], columns), withoutNothing(sides[1], sides[0], columns)];
  return differencesOf(mine, theirs, { columns, whole: 'medfee_sumamt', nothing: nothingOf });
}

type SideOfTotals = Side<TotalKey, SumName, Money | number>;

const nothingOf = (name: SumName): Money | number => (name === SETTLED_COUNT ? 0 : ZERO);

function summed(totals: Iterable<SaidTotal>, groups: readonly GroupName[]): SideOfTotals {
  const found = new Map<string, { readonly key: TotalKey; readonly values: SaidTotal['sums'] }>();
  for (const { group, sums } of totals) {
    const name = groups.map((each) => group[each]).join('\x1f');
    const before = found.get(name)?.values;
    const count = (before?.[SETTLED_COUNT] ?? 0) + (sums[SETTLED_COUNT] ?? 0);
    const values = before === undefined ? sums : { ...added(before, sums), [SETTLED_COUNT]: count };
    found.set(name, { key: group, values });
  }
  return found;
}

const withoutNothing = (side: SideOfTotals, other: SideOfTotals, columns: readonly SumName[]): SideOfTotals =>
  new Map(
    [...side].filter(
      ([name, { values }]) =>
        other.has(name) || columns.some((column) => (values[column] ?? nothingOf(column)) !== nothingOf(column)),
    ),
  );

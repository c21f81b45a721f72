import type { CalendarDate } from '@repo/domain';
import type { Snapshot } from '@repo/ledger';
import { type Comparison, compare, type Said } from './compare.ts';
import { compareTotals, type TotalComparison } from './compare-totals.ts';
import type { OtherDetails, OtherTotals } from './files.ts';
import type { Period, SettledRow } from './settled.ts';
import { totalsOf } from './totals.ts';

/** Whether a day's books are closed, and that both sides of its postings are equal, yuan. */
export interface DayOfBooks {
  readonly day: CalendarDate;
  /** No posting can carry this day any more. */
  readonly closed: boolean;
  readonly entries: number;
  readonly debits: string;
  readonly credits: string;
  readonly balanced: boolean;
}

/** The books of each day of a period that carries postings, as they are now: those of a closed day are as they were when it was closed. */
export async function booksOfDays(snapshot: Snapshot, { from, to }: Period): Promise<DayOfBooks[]> {
  const rows = await snapshot.rows<Omit<DayOfBooks, 'balanced'>>(
    `select book_day::text as day, count(*)::int / 2 as entries,
       sum(greatest(amount, 0))::text as debits, sum(greatest(-amount, 0))::text as credits,
       book_day <= coalesce((select min(coalesce(closed_through, '-infinity')) from shard), '-infinity') as closed
     from posting where book_day between $1 and $2 group by book_day order by book_day`,
    [from, to],
  );
  return rows.map((row) => ({ ...row, balanced: row.debits === row.credits }));
}

/** Compares what was settled, settlement by settlement, with what the other side says of it. */
export async function compareWith(
  settled: AsyncIterable<readonly SettledRow[]>,
  other: OtherDetails,
): Promise<Comparison> {
  const ours: Said[] = [];
  for await (const rows of settled)
    for (const row of rows) ours.push({ setl_id: row.setl_id, refd_setl_flag: row.refd_setl_flag, amounts: row });
  return compare(ours, other.rows, other.columns);
}

/** Compares the totals of what was settled with those of the other side. */
export async function compareTotalsWith(
  settled: AsyncIterable<readonly SettledRow[]>,
  other: OtherTotals,
): Promise<TotalComparison> {
  return compareTotals((await totalsOf(settled)).list(), other.rows, other);
}

import type { CalendarDate } from '@repo/domain';
import type { Snapshot } from '@repo/ledger';
import { type Comparison, compare, DIFFERENCE_KINDS, type DifferenceKind, type Said } from './compare.ts';
import type { OtherSide } from './files.ts';
import type { Period, SettledRow } from './settled.ts';

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

/** Compares what was settled with what the other side says of it. */
export async function compareWith(
  settled: AsyncIterable<readonly SettledRow[]>,
  other: OtherSide,
): Promise<Comparison> {
  const ours: Said[] = [];
  for await (const rows of settled)
    for (const row of rows) ours.push({ setl_id: row.setl_id, refd_setl_flag: row.refd_setl_flag, amounts: row });
  return compare(ours, other.rows, other.columns);
}

/** How many settlements, or settlements refunded, are the same on both sides, and how many differ in each way. */
export function countKinds({ compared, differences }: Comparison): {
  readonly same: number;
  readonly kinds: readonly { readonly kind: DifferenceKind; readonly count: number }[];
} {
  const keyOf = ({ setl_id, refd_setl_flag }: (typeof differences)[number]) => `${setl_id} ${refd_setl_flag}`;
  const kinds = DIFFERENCE_KINDS.map((kind) => ({
    kind,
    count: new Set(differences.filter((each) => each.kind === kind).map(keyOf)).size,
  }));
  return { same: compared - kinds.reduce((sum, { count }) => sum + count, 0), kinds };
}

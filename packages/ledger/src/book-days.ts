import { assert, type CalendarDate } from '@repo/domain';
import type { Ledger } from './ledger.ts';

/** A closed day of the books: how many entries are booked on it, and their debits and credits in yuan. */
export interface BookDay {
  readonly day: CalendarDate;
  readonly entries: number;
  readonly debits: string;
  readonly credits: string;
}

/** Why the books stay open. */
export type NotClosableReason = 'NOT_BEGUN' | 'NO_SHARD';

/** The books were not closed; nothing has changed. */
export class NotClosable extends Error {
  override readonly name = 'NotClosable';
  readonly reason: NotClosableReason;

  constructor(reason: NotClosableReason) {
    super(`the books cannot be closed: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Closes the books of every day up to and including `day`: once this returns, no later posting is booked on any of them; a later one with
 * such a date goes on the first open day. Answers the days closed by this call that carry entries; in each, debits equal credits. Needs a
 * ledger opened as the owner. Throws `NotClosable` for a day that has not begun in China, because no day is reopened and every posting
 * until then would be booked after it; and where no worker has run yet, because the shards' rows record what is closed.
 */
export async function closeBooks(ledger: Ledger, day: CalendarDate): Promise<BookDay[]> {
  const [now] = await ledger.rows<{ before: CalendarDate | null; today: CalendarDate }>(
    `select max(day)::text as before, (now() at time zone 'Asia/Shanghai')::date::text as today from book_day`,
  );
  assert(now !== undefined, 'an aggregate is always answered');
  if (day > now.today) throw new NotClosable('NOT_BEGUN');
  await ledger.transact(async (tx) => {
    // Every batch holds its shard's row from its first read to COMMIT, and locks several in this order: once all are locked, no batch is
    // under way.
    const shards = await tx.rows('select from shard order by topic, partition for update', []);
    if (shards.length === 0) throw new NotClosable('NO_SHARD');
    // Also keeps out new shards, which would know only the earlier closed days, and bulk loads. Locking the table first would deadlock with
    // a batch, which could not update its row.
    await tx.rows('lock table shard in share row exclusive mode', []);
    await tx.rows('update shard set closed_through = greatest(closed_through, $1::date)', [day]);
  });
  return ledger.rows<BookDay>(
    `insert into book_day (day, entries, debits, credits)
     select book_day, count(*) / 2, sum(greatest(amount, 0)), sum(greatest(-amount, 0)) from posting
     where book_day <= $1 and ($2::date is null or book_day > $2) group by book_day
     on conflict (day) do nothing
     returning day::text, entries::int, debits::text, credits::text`,
    [day, now.before],
  );
}

/** The closed days that carry entries, oldest first. */
export const closedDays = (ledger: Ledger): Promise<BookDay[]> =>
  ledger.rows<BookDay>('select day::text, entries::int, debits::text, credits::text from book_day order by day');

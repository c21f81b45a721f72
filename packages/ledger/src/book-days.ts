import { assert, type CalendarDate } from '@repo/domain';
import type { Ledger } from './ledger.ts';

/** A closed day of the books: how many entries it carries, and both sides of them, yuan. */
export interface BookDay {
  readonly day: CalendarDate;
  readonly entries: number;
  readonly debits: string;
  readonly credits: string;
}

/** Why the books stay open. */
export type NotClosableReason = 'NOT_BEGUN' | 'NO_SHARD';

/** The books were not closed, and nothing has changed. */
export class NotClosable extends Error {
  override readonly name = 'NotClosable';
  readonly reason: NotClosableReason;

  constructor(reason: NotClosableReason) {
    super(`the books cannot be closed: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Closes the books of every day up to and including `day`: once this returns, no later posting carries any of them; one dated so
 * is booked on the first open day. Answers the days this call closed that carry entries, debits equal to credits in each. The
 * ledger is the owner's. Throws `NotClosable` for a day that has not begun in China, since no day is ever opened again and all that
 * comes would be booked after it; and where no worker has been yet, since it is the shards' rows that say what is closed.
 */
export async function closeBooks(ledger: Ledger, day: CalendarDate): Promise<BookDay[]> {
  const [now] = await ledger.rows<{ before: CalendarDate | null; today: CalendarDate }>(
    `select max(day)::text as before, (now() at time zone 'Asia/Shanghai')::date::text as today from book_day`,
  );
  assert(now !== undefined, 'an aggregate is always answered');
  if (day > now.today) throw new NotClosable('NOT_BEGUN');
  await ledger.transact(async (tx) => {
    // Every batch holds its shard's row from its first read to COMMIT, and several in this order: when these locks are had, none is under way.
    const shards = await tx.rows('select from shard order by topic, partition for update', []);
    if (shards.length === 0) throw new NotClosable('NO_SHARD');
    // Nor does a shard appear that knows only of the days before, nor is a bulk load under way. Not first: a batch under way could not move its row then.
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

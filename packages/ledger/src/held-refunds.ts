import { type CalendarDate, type Money, money } from '@repo/domain';
import { inRange, type PersonRange, type RowSource } from './reads.ts';

/** Money that a refund owes to the owner of a closed account, to be paid out by hand. In yuan. */
export interface HeldRefund {
  readonly personNo: string;
  readonly refundId: string;
  /** The day of the refund. */
  readonly on: CalendarDate;
  readonly amount: Money;
  readonly paid: Money;
}

/**
 * Held refunds that are not fully paid out, of at most `personsMax` persons by ascending person number, after the person `after` or of one
 * person only; each person's by refund id.
 */
export async function findHeldRefunds(
  source: RowSource,
  {
    personNo,
    after = '',
    of,
    personsMax,
  }: {
    personNo?: string | undefined;
    after?: string | undefined;
    of?: PersonRange | null | undefined;
    personsMax: number;
  },
): Promise<HeldRefund[]> {
  const range = inRange('held_refund', of, 4);
  const rows = await source.rows<{
    psn_no: string;
    refund_id: string;
    on_day: CalendarDate;
    amount: string;
    paid: string;
  }>(
    `select psn_no, refund_id, (select min(on_day)::text from all_entry as entry where entry.psn_no = held_refund.psn_no
         and kind = 'REFUND' and reference = refund_id) as on_day, amount, paid
     from held_refund where amount > paid and psn_no in (select distinct psn_no from held_refund
       where amount > paid and psn_no > $1 and ($2::text is null or psn_no = $2) ${range.condition} order by psn_no limit $3)
     order by psn_no, refund_id`,
    [after, personNo ?? null, personsMax, ...range.values],
  );
  return rows.map(({ psn_no, refund_id: refundId, on_day: on, amount, paid }) => ({
    personNo: psn_no,
    refundId,
    on,
    amount: money(amount),
    paid: money(paid),
  }));
}

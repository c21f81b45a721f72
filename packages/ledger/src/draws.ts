import { type CalendarDate, type Money, money, type Portions } from '@repo/domain';
import type { RowSource } from './reads.ts';

/** What a claim drew from a payer through a binding, with the account and the day's usage as they were just before. Amounts in yuan. */
export interface ClaimDraw {
  readonly payer: string;
  readonly bindingId: string;
  /** The version of the payer's entry; a later entry has a higher one. */
  readonly version: bigint;
  readonly before: Portions;
  /** What the binding had paid of that day's limit, less refunds. */
  readonly usedBefore: Money;
}

/** What a claim settled on a date drew from these payers through bindings; entries are found by account and day. */
export async function findDraws(
  source: RowSource,
  { claimId, payers, on }: { readonly claimId: string; readonly payers: readonly string[]; readonly on: CalendarDate },
): Promise<ClaimDraw[]> {
  const rows = await source.rows<{
    psn_no: string;
    binding_id: string;
    version: string;
    prior_year: string;
    current_year: string;
    used: string;
  }>(
    `select psn_no, binding_id, version, prior_year_after - prior_year as prior_year, current_year_after - current_year as current_year,
       coalesce((select sum(-used.prior_year - used.current_year - used.held) from all_entry as used
         where used.binding_id = entry.binding_id and used.counted_on = entry.counted_on and used.book_day >= entry.counted_on
           and used.psn_no = entry.psn_no and used.version < entry.version), 0) as used
     from all_entry as entry
     where psn_no = any($1::text[]) and kind = 'CLAIM' and reference = $2 and on_day = $3 and book_day >= $3
       and binding_id is not null`,
    [payers, claimId, on],
  );
  return rows.map(({ psn_no: payer, binding_id: bindingId, version, prior_year, current_year, used }) => ({
    ...{ payer, bindingId, version: BigInt(version), usedBefore: money(used) },
    before: { priorYear: money(prior_year), currentYear: money(current_year) },
  }));
}

/**
 * What a binding has paid since a draw, that draw included, less refunds, up to a version of the payer's entries; yuan. `until` null: up to
 * now.
 */
export async function drawnSince(
  source: RowSource,
  { payer, bindingId, version }: Pick<ClaimDraw, 'payer' | 'bindingId' | 'version'>,
  until: bigint | null,
): Promise<Money> {
  const [row] = await source.rows<{ drawn: string }>(
    `select coalesce(sum(-prior_year - current_year - held), 0) as drawn from all_entry
     where psn_no = $1 and binding_id = $2 and version >= $3 and ($4::bigint is null or version <= $4)`,
    [payer, bindingId, String(version), until === null ? null : String(until)],
  );
  return money(row?.drawn ?? '0');
}

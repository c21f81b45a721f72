import { type CalendarDate, type ENTRY_KINDS, type Money, money, type Portions } from '@repo/domain';
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

type EntryKind = (typeof ENTRY_KINDS)[number];

/** A movement of a payer's money through a binding. */
export interface BindingMove {
  readonly kind: EntryKind;
  /** The claim, premium or refund. */
  readonly reference: string;
  /** Yuan; negative: what a refund returned or holds. */
  readonly drawn: Money;
}

/**
 * At most `limit` movements of a binding since a draw, that draw included, up to a version of the payer's entries, in order. `until` null: up
 * to now.
 */
export async function findMovesSince(
  source: RowSource,
  { payer, bindingId, version }: Pick<ClaimDraw, 'payer' | 'bindingId' | 'version'>,
  { until, limit }: { readonly until: bigint | null; readonly limit: number },
): Promise<BindingMove[]> {
  const rows = await source.rows<{ kind: EntryKind; reference: string; drawn: string }>(
    `select kind, reference, -prior_year - current_year - held as drawn from all_entry
     where psn_no = $1 and binding_id = $2 and version >= $3 and ($4::bigint is null or version <= $4)
     order by version limit $5`,
    [payer, bindingId, String(version), until === null ? null : String(until), limit],
  );
  return rows.map(({ drawn, ...row }) => ({ ...row, drawn: money(drawn) }));
}

import type { CalendarDate, Relation } from '@repo/domain';
import { payloadText, readStored } from './outcome-blocks.ts';
import { givenRows, insertRows } from './packed.ts';
import { inRange, type PersonRange, type RowSource } from './reads.ts';
import type { LedgerTransaction } from './transaction.ts';

/** Money drawn from a payer through a binding, and the stamp of the outcome, which holds the moment of the draw. */
export interface StoredDraw {
  readonly payer: string;
  readonly version: bigint;
  readonly kind: 'CLAIM' | 'PREMIUM';
  readonly bindingId: string;
  readonly stamp: string;
}

/** All settled draws from these payers on or after their dates. Must be read under the payers' locks. */
export async function drawsSince(
  tx: LedgerTransaction,
  asked: readonly { readonly payer: string; readonly since: CalendarDate }[],
): Promise<StoredDraw[]> {
  const columns = [
    ['payer', 'text'],
    ['since', 'date'],
  ] as const;
  const { given, parameters } = givenRows(
    columns,
    asked.map(({ payer, since }) => [payer, since]),
  );
  const rows = await tx.rows<{
    psn_no: string;
    version: string;
    kind: StoredDraw['kind'];
    binding_id: string;
    stamp: string | null;
    payload: Buffer;
  }>(
    `select psn_no, version, kind, binding_id, stamp, payload from ${given}
       join all_entry on psn_no = payer and on_day >= since and book_day >= since and binding_id is not null and kind in ('CLAIM', 'PREMIUM')
       join event_id on event_id = 'claim:' || reference join all_outcome using (shard_id, seq, month)
     order by psn_no, version`,
    parameters,
  );
  return rows.map(({ psn_no: payer, version, kind, binding_id: bindingId, ...outcome }) => ({
    payer,
    version: BigInt(version),
    kind,
    bindingId,
    stamp: readStored(outcome).stamp,
  }));
}

/** One reason for which one draw is listed. */
interface DrawReason {
  readonly payer: string;
  readonly version: bigint;
  readonly reason: string;
}

export interface NotedReason extends DrawReason {
  readonly since: CalendarDate;
  readonly cause: { readonly type: string; readonly id: string };
}

/** Adds draws to the staff's list, and removes those that no longer belong on it. A draw already listed keeps its first date and cause. */
export function writeBackdated(
  tx: LedgerTransaction,
  { noted, lifted }: { readonly noted: readonly NotedReason[]; readonly lifted: readonly DrawReason[] },
): void {
  const key = [
    ['psn_no', 'text'],
    ['version', 'bigint'],
    ['reason', 'text'],
  ] as const;
  if (lifted.length > 0) {
    const { given, parameters } = givenRows(
      key,
      lifted.map(({ payer, version, reason }) => [payer, version, reason]),
    );
    tx.send(
      `delete from backdated_draw as listed using ${given}
       where (listed.psn_no, listed.version, listed.reason) = (given.psn_no, given.version, given.reason)`,
      parameters,
    );
  }
  insertRows(
    tx,
    'backdated_draw',
    [...key, ['since', 'date'], ['cause_type', 'text'], ['cause_id', 'text']],
    noted.map(({ payer, version, reason, since, cause }) => [payer, version, reason, since, cause.type, cause.id]),
    { onConflict: 'on conflict do nothing' },
  );
}

/** A listed draw: its entry, the published outcome, the outcomes of its refunds, and every reason for listing it. */
export interface BackdatedDraw {
  readonly payer: string;
  readonly bindingId: string;
  readonly beneficiary: string;
  readonly relation: Relation;
  readonly on: CalendarDate;
  readonly payload: string;
  readonly refunds: readonly string[];
  readonly reasons: readonly {
    readonly reason: string;
    readonly since: CalendarDate;
    readonly cause: { readonly type: string; readonly id: string };
    /** ISO 8601, when the fact was applied. */
    readonly knownAt: string;
  }[];
}

/**
 * The staff's list: all listed draws of at most `payersMax` payers, by ascending person number, after the payer `after` or of one `payer`
 * only; each payer's in the order of the account's entries.
 */
export async function findBackdated(
  source: RowSource,
  {
    payer,
    after = '',
    of,
    payersMax,
  }: {
    payer?: string | undefined;
    after?: string | undefined;
    of?: PersonRange | null | undefined;
    payersMax: number;
  },
): Promise<BackdatedDraw[]> {
  const range = inRange('backdated_draw', of, 4);
  const rows = await source.rows<{
    psn_no: string;
    binding_id: string;
    beneficiary: string;
    relation: Relation;
    on_day: CalendarDate;
    payload: Buffer;
    refunds: Buffer[];
    reasons: BackdatedDraw['reasons'];
  }>(
    `with listed as (
       select psn_no, version, json_agg(json_build_object('reason', reason, 'since', since, 'knownAt', known_at,
           'cause', json_build_object('type', cause_type, 'id', cause_id)) order by known_at, since, reason) as reasons
       from backdated_draw where psn_no in (select distinct psn_no from backdated_draw
         where psn_no > $1 and ($2::text is null or psn_no = $2) ${range.condition} order by psn_no limit $3)
       group by psn_no, version)
     select psn_no, entry.binding_id, beneficiary, relation, on_day::text, payload, reasons, array(
         select refund.payload from claim_refund join all_outcome as refund using (shard_id, seq, month)
         where claim_refund.claim_id = reference order by claim_refund.shard_id, claim_refund.seq) as refunds
     from listed join all_entry as entry using (psn_no, version)
       join binding on (binding.payer, binding.binding_id) = (psn_no, entry.binding_id)
       join event_id on event_id = 'claim:' || reference join all_outcome using (shard_id, seq, month)
     order by psn_no, version`,
    [after, payer ?? null, payersMax, ...range.values],
  );
  return rows.map(({ psn_no, binding_id: bindingId, on_day: on, payload, refunds, ...rest }) => ({
    ...rest,
    payer: psn_no,
    bindingId,
    on,
    payload: payloadText(payload),
    refunds: refunds.map(payloadText),
  }));
}

import { type CalendarDate, type Money, money, type Relation } from '@repo/domain';
import { payloadText } from './outcome-blocks.ts';
import type { RowSource } from './reads.ts';

/** Where a list of usage continues: the date, account and version of the last row before. */
export interface UsagePlace {
  readonly on: string;
  readonly payer: string;
  readonly version: string;
}

/**
 * Whose usage: what left a payer's account, what relatives paid for a beneficiary, or, with both, what the payer paid for that beneficiary.
 */
export interface UsageFilter {
  readonly payer?: string | undefined;
  readonly beneficiary?: string | undefined;
  /** First and last date, both inclusive. */
  readonly from?: CalendarDate | undefined;
  readonly to?: CalendarDate | undefined;
  /**
   * The full name of the other side: of the beneficiary where a payer is given, else of the payer. A part of a name does not match: it
   * would mix people whose names begin alike, in rows that show no names.
   */
  readonly name?: string | undefined;
}

/** One debit of an account for a claim or premium, with its published outcome. Amounts in yuan. */
export interface UsageRow {
  readonly place: UsagePlace;
  readonly kind: 'CLAIM' | 'PREMIUM';
  readonly on: CalendarDate;
  readonly payer: string;
  /** Where the payer is insured now. */
  readonly payerArea: string;
  readonly beneficiary: string;
  /** Null where the account paid for its owner. */
  readonly binding: {
    readonly bindingId: string;
    readonly relation: Relation;
    readonly dailyLimit: Money | null;
  } | null;
  readonly priorYear: Money;
  readonly currentYear: Money;
  /** The account's balance right after this debit. */
  readonly balanceAfter: Money;
  /** What the binding has paid of that day's limit, less refunds. */
  readonly usedOnDay: Money;
  readonly payload: string;
  /** The published refunds of this claim or premium, in order. */
  readonly refunds: readonly string[];
}

interface Row {
  readonly psn_no: string;
  readonly version: string;
  readonly kind: 'CLAIM' | 'PREMIUM';
  readonly on_day: CalendarDate;
  readonly insu_admdvs: string;
  readonly beneficiary: string | null;
  readonly binding_id: string | null;
  readonly relation: Relation;
  readonly daily_limit: string | null;
  readonly prior_year: string;
  readonly current_year: string;
  readonly balance_after: string;
  readonly used: string;
  readonly payload: Buffer;
  readonly refunds: readonly Buffer[];
}

/**
 * At most `limit` debits, the newest date first, those after the place `after`. Entries are found by account: a beneficiary's through the
 * accounts of the payers bound to them.
 */
export async function findUsage(
  source: RowSource,
  filter: UsageFilter,
  { after, limit }: { readonly after?: UsagePlace | undefined; readonly limit: number },
): Promise<UsageRow[]> {
  const { payer, beneficiary, from, to, name } = filter;
  const parameters: unknown[] = [];
  const given = (value: unknown): string => `$${parameters.push(value)}`;
  const other = payer === undefined ? 'entry.psn_no' : 'coalesce(beneficiary, entry.psn_no)';
  const conditions = [
    `kind in ('CLAIM', 'PREMIUM')`,
    payer === undefined ? null : `entry.psn_no = ${given(payer)}`,
    beneficiary === undefined ? null : `beneficiary = ${given(beneficiary)}`,
    // No entry is booked before its day, so earlier months need not be read.
    from === undefined ? null : `on_day >= ${given(from)} and book_day >= $${parameters.length}`,
    to === undefined ? null : `on_day <= ${given(to)}`,
    name === undefined
      ? null
      : `exists (select from person_name where psn_no = ${other} and psn_name = ${given(name)})`,
    after === undefined
      ? null
      : `(on_day, entry.psn_no, version) < (${given(after.on)}::date, ${given(after.payer)}, ${given(after.version)}::bigint)`,
  ].filter((condition) => condition !== null);
  const rows = await source.rows<Row>(
    `select psn_no, debit.version, kind, on_day::text, insu_admdvs, beneficiary, debit.binding_id, relation, daily_limit,
       -debit.prior_year as prior_year, -debit.current_year as current_year, balance_after, outcome.payload,
       coalesce((select sum(-used.prior_year - used.current_year - used.held) from all_entry as used
         where used.binding_id = debit.binding_id and used.counted_on = debit.on_day and used.book_day >= debit.on_day), 0) as used,
       array(select refund.payload from claim_refund join all_outcome as refund using (shard_id, seq, month)
         where claim_refund.claim_id = reference order by claim_refund.shard_id, claim_refund.seq) as refunds
     from (select entry.psn_no, version, kind, reference, on_day, entry.binding_id, beneficiary, relation, daily_limit,
             prior_year, current_year, prior_year_after + current_year_after as balance_after
           from all_entry as entry left join binding on binding.payer = entry.psn_no and binding.binding_id = entry.binding_id
           where ${conditions.join(' and ')}
           order by on_day desc, entry.psn_no desc, version desc limit ${given(limit)}) as debit
     join account using (psn_no)
     join event_id on event_id.event_id = 'claim:' || reference
     join all_outcome as outcome using (shard_id, seq, month)
     order by on_day desc, psn_no desc, debit.version desc`,
    parameters,
  );
  return rows.map(toUsage);
}

const toUsage = (row: Row): UsageRow => ({
  place: { on: row.on_day, payer: row.psn_no, version: row.version },
  kind: row.kind,
  on: row.on_day,
  payer: row.psn_no,
  payerArea: row.insu_admdvs,
  beneficiary: row.beneficiary ?? row.psn_no,
  binding:
    row.binding_id === null
      ? null
      : {
          bindingId: row.binding_id,
          relation: row.relation,
          dailyLimit: row.daily_limit === null ? null : money(row.daily_limit),
        },
  priorYear: money(row.prior_year),
  currentYear: money(row.current_year),
  balanceAfter: money(row.balance_after),
  usedOnDay: money(row.used),
  payload: payloadText(row.payload),
  refunds: row.refunds.map(payloadText),
});

import { type CalendarDate, type Money, money, negate } from '@repo/domain';
import type { Snapshot } from '@repo/ledger';

/** The amounts of a settlement that both sides keep, in the order of the national files. Sharing has no column there (3202). */
export const AMOUNTS = ['medfee_sumamt', 'fund_pay_sumamt', 'acct_pay', 'acct_mulaid_pay', 'cash_payamt'] as const;
export type AmountName = (typeof AMOUNTS)[number];
export type Amounts = Readonly<Record<AmountName, Money>>;

/** One settlement, or one refund of a settlement with what it gave back as negative amounts. */
export interface SettledRow extends Amounts {
  readonly setl_id: string;
  /** 0 settled, 1 refunded. */
  readonly refd_setl_flag: '0' | '1';
  readonly refund_id: string;
  readonly mdtrt_id: string;
  readonly psn_no: string;
  readonly fixmedins_code: string;
  /** The patient's kind of insurance, as it is now. */
  readonly insutype: string;
  readonly clr_type: string;
  /** The day of the settlement or the refund, in Asia/Shanghai. */
  readonly day: CalendarDate;
}

export interface Period {
  readonly from: CalendarDate;
  readonly to: CalendarDate;
  /** One institution's only. */
  readonly institution: string | undefined;
}

/** An event may be dated so far after its record (`futureDaysMax` in contracts): its outcome may have been stored that much earlier. */
const STORED_BEFORE_DAYS = 400;
const ROWS_AT_ONCE = 5_000;

const dayOf = (field: string) => `((${field})::timestamptz at time zone 'Asia/Shanghai')::date`;

/** `$1` and `$2` the first and last day, `$3` the institution or null. The server counts the days back, beyond the year 1 too. */
const SETTLED = `
  with result as (
    select shard_id, seq, convert_from(payload, 'UTF8')::json as own from all_outcome
    where dest = 'R' and month >= date_trunc('month', $1::date - ${STORED_BEFORE_DAYS})
  ), paid as (
    select shard_id, seq, own, own as claim, ${dayOf(`own->>'setl_time'`)} as day from result
    where own->>'setl_id' is not null and own->>'status' = 'SETTLED'
    union all
    select result.shard_id, result.seq, own, convert_from(claimed.payload, 'UTF8')::json, ${dayOf(`own->>'at'`)} from result
    join event_id on event_id = 'claim:' || (own->>'claim_id')
    join all_outcome as claimed on claimed.shard_id = event_id.shard_id and claimed.seq = event_id.seq and claimed.month = event_id.month
    where own->>'refund_id' is not null and own->>'status' = 'REFUNDED'
  )
  select claim->>'setl_id' as setl_id, own->>'refd_setl_flag' as refd_setl_flag, coalesce(own->>'refund_id', '') as refund_id,
    claim->>'mdtrt_id' as mdtrt_id, claim->>'psn_no' as psn_no, claim->>'fixmedins_code' as fixmedins_code,
    coalesce(insutype, '') as insutype, claim->>'clr_type' as clr_type, day::text as day,
    coalesce(own->>'medfee_sumamt', own->>'amount') as medfee_sumamt, coalesce(own->>'fund_pay_sumamt', '0.00') as fund_pay_sumamt,
    own->>'acct_pay' as acct_pay, own->>'acct_mulaid_pay' as acct_mulaid_pay, own->>'psn_cash_pay' as cash_payamt
  from paid left join account on account.psn_no = claim->>'psn_no'
  where day between $1::date and $2::date and claim->>'setl_id' is not null and ($3::text is null or claim->>'fixmedins_code' = $3)`;

/** A code of an institution. */
export const isInstitution = (code: string): boolean => /^[A-Za-z0-9]{1,30}$/.test(code);

type Wire = Readonly<Record<keyof SettledRow, string>>;

/** A refund's outcome tells its amount as it was asked for and its parts as what they take off. */
function toRow(wire: Wire): SettledRow {
  const whole = money(wire.medfee_sumamt);
  return {
    ...(wire as unknown as SettledRow),
    medfee_sumamt: wire.refd_setl_flag === '1' ? negate(whole) : whole,
    fund_pay_sumamt: money(wire.fund_pay_sumamt),
    acct_pay: money(wire.acct_pay),
    acct_mulaid_pay: money(wire.acct_mulaid_pay),
    cash_payamt: money(wire.cash_payamt),
  };
}

/** What was settled and refunded in these days, in no order, piece by piece. A refund counts on its own day. Premiums are no institution's. */
export async function* settledRows(
  snapshot: Snapshot,
  { from, to, institution }: Period,
): AsyncGenerator<SettledRow[]> {
  const asked = [from, to, institution ?? null];
  for await (const piece of snapshot.pieces<Wire>('settled', SETTLED, ROWS_AT_ONCE, asked)) yield piece.map(toRow);
}

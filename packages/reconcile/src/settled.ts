import { parseInstant } from '@repo/contracts';
import { type CalendarDate, dateOf, type Instant, type Money, money, negate } from '@repo/domain';
import { payloadText, type Snapshot } from '@repo/ledger';

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

/** `$1` the first day. The server counts the days back, beyond the year 1 too. */
const RESULTS = `select payload from all_outcome
  where dest = 'R' and month >= date_trunc('month', $1::date - ${STORED_BEFORE_DAYS}) order by shard_id, seq`;

/** What is read of an outcome: of a claim's, its own facts; of a refund's, what it gave back, and of which claim. */
type Wire = Readonly<Partial<Record<string, string>>>;

/** A code of an institution. */
export const isInstitution = (code: string): boolean => /^[A-Za-z0-9]{1,30}$/.test(code);

/** A refund's outcome tells its amount as it was asked for and its parts as what they take off. */
function toRow(own: Wire, claim: Wire, insutype: string, day: CalendarDate): SettledRow {
  const text = (wire: Wire, name: string): string => wire[name] ?? '';
  const isRefund = own.refd_setl_flag === '1';
  const whole = money(own.medfee_sumamt ?? text(own, 'amount'));
  return {
    setl_id: text(claim, 'setl_id'),
    refd_setl_flag: isRefund ? '1' : '0',
    refund_id: text(own, 'refund_id'),
    mdtrt_id: text(claim, 'mdtrt_id'),
    psn_no: text(claim, 'psn_no'),
    fixmedins_code: text(claim, 'fixmedins_code'),
    insutype,
    clr_type: text(claim, 'clr_type'),
    day,
    medfee_sumamt: isRefund ? negate(whole) : whole,
    fund_pay_sumamt: money(own.fund_pay_sumamt ?? '0.00'),
    acct_pay: money(text(own, 'acct_pay')),
    acct_mulaid_pay: money(text(own, 'acct_mulaid_pay')),
    cash_payamt: money(text(own, 'psn_cash_pay')),
  };
}

/** The moment a settlement or a refund counts at; null of any other outcome. */
function momentOf({ setl_id, setl_time, refund_id, at, status }: Wire): Instant | null {
  if (setl_id !== undefined && status === 'SETTLED') return parseInstant(setl_time ?? '');
  if (refund_id !== undefined && status === 'REFUNDED') return parseInstant(at ?? '');
  return null;
}

/** What was settled and refunded in these days, in no order, piece by piece. A refund counts on its own day. Premiums are no institution's. */
export async function* settledRows(
  snapshot: Snapshot,
  { from, to, institution }: Period,
): AsyncGenerator<SettledRow[]> {
  for await (const piece of snapshot.pieces<{ payload: Buffer }>('settled', RESULTS, ROWS_AT_ONCE, [from])) {
    const found = piece.flatMap(({ payload }) => {
      const own = JSON.parse(payloadText(payload)) as Wire;
      const moment = momentOf(own);
      if (moment === null) return [];
      const day = dateOf(moment);
      return day < from || day > to ? [] : [{ own, day }];
    });
    const claims = await claimsOf(
      snapshot,
      found.flatMap(({ own }) => (own.refund_id === undefined ? [] : [own.claim_id ?? ''])),
    );
    const rows = found.flatMap(({ own, day }) => {
      const claim = own.refund_id === undefined ? own : claims.get(own.claim_id ?? '');
      const isAsked = claim?.setl_id !== undefined && (institution ?? claim.fixmedins_code) === claim.fixmedins_code;
      return isAsked ? [{ own, claim, day }] : [];
    });
    const kinds = await insuranceOf(
      snapshot,
      rows.map(({ claim }) => claim.psn_no ?? ''),
    );
    yield rows.map(({ own, claim, day }) => toRow(own, claim, kinds.get(claim.psn_no ?? '') ?? '', day));
  }
}

/** What was answered to these claims, or premiums, by their ids. */
async function claimsOf(snapshot: Snapshot, claimIds: readonly string[]): Promise<Map<string, Wire>> {
  if (claimIds.length === 0) return new Map();
  const rows = await snapshot.rows<{ event_id: string; payload: Buffer }>(
    'select event_id, payload from event_id join all_outcome using (shard_id, seq, month) where event_id = any($1::text[])',
    [claimIds.map((id) => `claim:${id}`)],
  );
  return new Map(
    rows.map(({ event_id, payload }) => [event_id.slice('claim:'.length), JSON.parse(payloadText(payload)) as Wire]),
  );
}

/** These persons' kinds of insurance, as they are now; nobody's who is not known. */
async function insuranceOf(snapshot: Snapshot, personNos: readonly string[]): Promise<Map<string, string>> {
  if (personNos.length === 0) return new Map();
  const rows = await snapshot.rows<{ psn_no: string; insutype: string | null }>(
    'select psn_no, insutype from account where psn_no = any($1::text[])',
    [personNos],
  );
  return new Map(rows.map(({ psn_no, insutype }) => [psn_no, insutype ?? '']));
}

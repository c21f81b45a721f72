import { add, formatMoney, type Money, money, type Policy } from '@repo/domain';
import type { Outgoing } from './settlements-out.ts';

/** How a region prints the totals of a settlement; inside this system account and fund amounts never overlap. */
export type NhsaFlags = Pick<Policy, 'nhsaAcctPayIncludesMulaid' | 'nhsaFundIncludesAcct'>;

/** The output node of transaction 2207 (outpatient and pharmacy) or 2304 (inpatient), with the fields known to this system. */
export interface NhsaSettlement {
  readonly infno: '2207' | '2304';
  readonly setlinfo: Readonly<Record<string, string | null>>;
}

const COPIED = [
  'setl_id',
  'mdtrt_id',
  'psn_no',
  'fixmedins_code',
  'med_type',
  'clr_type',
  'setl_time',
  'medins_setl_id',
  'refd_setl_flag',
  'medfee_sumamt',
  'hosp_part_amt',
  'psn_part_amt',
] as const;

/** The clearing class that 2304 settles; 2207 settles all others. */
const INPATIENT_CLEARING = '21';

/** For an unknown patient, who has no region; no account paid, so the flags change nothing. */
const NOBODYS: NhsaFlags = { nhsaAcctPayIncludesMulaid: false, nhsaFundIncludesAcct: false };

/**
 * Adds the national rendering of a claim's outcome as `nhsa`. `flags`: those of the patient's region; null where the patient is unknown.
 */
export const withNhsa = (outgoing: Outgoing, flags: NhsaFlags | null): Outgoing => ({
  ...outgoing,
  payload: { ...outgoing.payload, nhsa: render(outgoing.payload as WireSettlement, flags ?? NOBODYS) },
});

/** The rendering published with an outcome; null where there was none. */
export const publishedNhsa = (payload: string): NhsaSettlement | null =>
  (JSON.parse(payload) as { nhsa?: NhsaSettlement }).nhsa ?? null;

/**
 * A published `settlement.settled` or `settlement.refused` as the fields of `setlinfo`, amounts in yuan. Where the region's account total
 * includes what relatives paid, `acct_pay` contains it and `acct_mulaid_pay` names that part; where its fund total includes the personal
 * account, `fund_pay_sumamt` contains `acct_pay` as printed. Null for an outcome that is not a claim's.
 */
export function renderNhsa(payload: string, flags: NhsaFlags | null): NhsaSettlement | null {
  const wire = JSON.parse(payload) as WireSettlement;
  return wire.setl_id === undefined ? null : render(wire, flags ?? NOBODYS);
}

type WireSettlement = Readonly<Record<string, string | null>>;

function render(wire: WireSettlement, flags: NhsaFlags): NhsaSettlement {
  const amountOf = (name: string): Money => money(wire[name] ?? '0.00');
  const mutualAidPaid = amountOf('acct_mulaid_pay');
  const ownPaid = amountOf('acct_pay');
  const accountPaid = flags.nhsaAcctPayIncludesMulaid ? add(ownPaid, mutualAidPaid) : ownPaid;
  const fundPaid = amountOf('fund_pay_sumamt');
  const amounts = {
    fund_pay_sumamt: flags.nhsaFundIncludesAcct ? add(fundPaid, accountPaid) : fundPaid,
    acct_pay: accountPaid,
    acct_mulaid_pay: mutualAidPaid,
    psn_cash_pay: amountOf('psn_cash_pay'),
    balc: amountOf('balc'),
  };
  return {
    infno: wire.clr_type === INPATIENT_CLEARING ? '2304' : '2207',
    setlinfo: {
      ...Object.fromEntries(COPIED.map((name) => [name, wire[name] ?? null])),
      ...Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatMoney(amount)])),
    },
  };
}

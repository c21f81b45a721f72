import { serviceClassOf } from '@repo/domain';

interface Wire {
  readonly refund_id?: string;
  readonly premium_id?: string;
  readonly claim_id?: string;
  readonly psn_no?: string;
  readonly status: string;
  readonly code: string | null;
  readonly setl_time?: string;
  readonly at?: string;
  readonly med_type?: string;
  readonly fixmedins_code?: string;
  readonly medfee_sumamt?: string;
  readonly fund_pay_sumamt?: string;
  readonly psn_part_amt?: string;
  readonly acct_pay?: string;
  readonly acct_mulaid_pay?: string;
  readonly psn_cash_pay?: string;
  readonly amount?: string | null;
  readonly year?: number;
}

/** The list line for a published claim, premium or refund, or for a rejected message. Amounts in yuan. */
export function encodeSummary(payload: string) {
  const wire = JSON.parse(payload) as Wire;
  return {
    kind: kindOf(wire),
    claim_id: wire.claim_id ?? wire.premium_id ?? '',
    refund_id: wire.refund_id ?? null,
    status: wire.status,
    code: wire.code,
    setl_time: wire.setl_time ?? wire.at ?? null,
    service_class: wire.med_type === undefined ? null : serviceClassOf(wire.med_type),
    fixmedins_code: wire.fixmedins_code ?? null,
    medfee_sumamt: wire.medfee_sumamt ?? null,
    fund_pay_sumamt: wire.fund_pay_sumamt ?? null,
    psn_part_amt: wire.psn_part_amt ?? wire.amount ?? null,
    acct_pay: wire.acct_pay ?? null,
    acct_mulaid_pay: wire.acct_mulaid_pay ?? (wire.status === 'SETTLED' ? (wire.amount ?? null) : null),
    psn_cash_pay: wire.psn_cash_pay ?? null,
  };
}

/** Which kind of input a published outcome answers. */
export function kindOf({
  refund_id: refundId,
  premium_id: premiumId,
  status,
}: Pick<Wire, 'refund_id' | 'premium_id' | 'status'>) {
  if (status === 'REJECTED') return 'REJECTED';
  if (refundId !== undefined) return 'REFUND';
  return premiumId === undefined ? 'CLAIM' : 'PREMIUM';
}

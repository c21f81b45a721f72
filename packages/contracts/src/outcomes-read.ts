import {
  type CalendarDate,
  type ClaimRefusalCode,
  dateOf,
  type OwnSkipCode,
  type PremiumRefusalCode,
  type RelativeSkipCode,
  type RulesUsed,
} from '@repo/domain';
import { toInstant } from './fields.ts';

/** One source that was asked for a claim: it paid `amount`, or nothing because of `code`. Amounts are yuan as published, `"36.00"`. */
export interface AskedSource {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  /** Null for the own account. */
  readonly bindingId: string | null;
  readonly amount: string | null;
  readonly code: OwnSkipCode | RelativeSkipCode | null;
}

export interface ClaimOutcome {
  readonly kind: 'CLAIM';
  readonly personNo: string;
  readonly on: CalendarDate;
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: ClaimRefusalCode | null;
  readonly totalFee: string;
  readonly fundPaid: string;
  readonly hospitalBorne: string;
  readonly personalShare: string;
  readonly cashPaid: string;
  /** In the order they were debited. */
  readonly paid: readonly AskedSource[];
  /** In the order they were asked. */
  readonly skipped: readonly AskedSource[];
  /** The patient's insured area first, then those of the payers asked. */
  readonly rules: readonly RulesUsed[];
}

export interface PremiumOutcome {
  readonly kind: 'PREMIUM';
  readonly payer: string;
  readonly on: CalendarDate;
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: PremiumRefusalCode | null;
  readonly bindingId: string | null;
  readonly year: number;
  /** Null where what was asked for is no amount. */
  readonly amount: string | null;
}

/** A published refund: when, how much, and where the money went, in order. */
export interface RefundOutcome {
  readonly refundId: string;
  readonly on: CalendarDate;
  readonly amount: string;
  readonly returned: readonly {
    readonly source: 'CASH' | 'OWN' | 'RELATIVE';
    readonly account: string | null;
    readonly bindingId: string | null;
    readonly amount: string;
    /** Held to be paid out by hand: the account is closed. */
    readonly manual: boolean;
  }[];
}

interface WireSource {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  readonly binding_id?: string;
  readonly amount?: string;
  readonly code?: OwnSkipCode | RelativeSkipCode;
}

interface WireOutcome {
  readonly premium_id?: string;
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: string | null;
  readonly psn_no: string;
  readonly setl_time: string;
  readonly medfee_sumamt: string;
  readonly fund_pay_sumamt: string;
  readonly hosp_part_amt: string;
  readonly psn_part_amt: string;
  readonly psn_cash_pay: string;
  readonly allocation: readonly WireSource[];
  readonly skipped: readonly WireSource[];
  readonly policy: readonly RulesUsed[];
  readonly payer: string;
  readonly binding_id: string | null;
  readonly year: number;
  readonly amount: string | null;
  readonly at: string;
}

interface WireRefund {
  readonly refund_id: string;
  readonly at: string;
  readonly amount: string;
  readonly returned: readonly {
    readonly source: 'CASH' | 'OWN' | 'RELATIVE';
    readonly account?: string;
    readonly binding_id?: string;
    readonly amount: string;
    readonly manual?: true;
  }[];
}

const toAsked = ({ source, account, binding_id, amount, code }: WireSource): AskedSource => ({
  source,
  account,
  bindingId: binding_id ?? null,
  amount: amount ?? null,
  code: code ?? null,
});

/** Reads back an outcome that this package encoded, for those who retell it. */
export function readOutcome(payload: string): ClaimOutcome | PremiumOutcome {
  const wire = JSON.parse(payload) as WireOutcome;
  if (wire.premium_id !== undefined) {
    return {
      kind: 'PREMIUM',
      payer: wire.payer,
      on: dateOf(toInstant(wire.at)),
      status: wire.status,
      code: wire.code as PremiumRefusalCode | null,
      bindingId: wire.binding_id,
      year: wire.year,
      amount: wire.amount,
    };
  }
  return {
    kind: 'CLAIM',
    personNo: wire.psn_no,
    on: dateOf(toInstant(wire.setl_time)),
    status: wire.status,
    code: wire.code as ClaimRefusalCode | null,
    totalFee: wire.medfee_sumamt,
    fundPaid: wire.fund_pay_sumamt,
    hospitalBorne: wire.hosp_part_amt,
    personalShare: wire.psn_part_amt,
    cashPaid: wire.psn_cash_pay,
    paid: wire.allocation.map(toAsked),
    skipped: wire.skipped.map(toAsked),
    rules: wire.policy,
  };
}

/** Reads back a refund that this package encoded. */
export function readRefund(payload: string): RefundOutcome {
  const wire = JSON.parse(payload) as WireRefund;
  return {
    refundId: wire.refund_id,
    on: dateOf(toInstant(wire.at)),
    amount: wire.amount,
    returned: wire.returned.map(({ source, account = null, binding_id: bindingId = null, amount, manual = false }) => ({
      source,
      account,
      bindingId,
      amount,
      manual,
    })),
  };
}

import {
  type CalendarDate,
  type ClaimRefusalCode,
  dateOf,
  type LimitParameter,
  type OwnSkipCode,
  type PremiumRefusalCode,
  type RelativeSkipCode,
  type RulesUsed,
} from '@repo/domain';
import { toInstant } from './fields.ts';

/** One account that was asked for a claim: it paid `amount`, or nothing because of `code`. Amounts are yuan as published, `"36.00"`. */
export interface AskedSource {
  readonly source: 'OWN' | 'RELATIVE';
  readonly account: string;
  /** Null for the own account. */
  readonly bindingId: string | null;
  readonly amount: string | null;
  readonly code: OwnSkipCode | RelativeSkipCode | null;
  /** For a limit: the region's parameter that set it; null where the binding's own limit applied, and for every other code. */
  readonly parameter: LimitParameter | null;
  /** The rules it was judged by; null only where the patient is unknown. */
  readonly rules: RulesUsed | null;
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
  /** In the order they were asked. */
  readonly asked: readonly AskedSource[];
  /** The rules of the patient's insured area; null where the patient is unknown. */
  readonly rules: RulesUsed | null;
}

export interface PremiumOutcome {
  readonly kind: 'PREMIUM';
  readonly payer: string;
  readonly on: CalendarDate;
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: PremiumRefusalCode | null;
  readonly bindingId: string | null;
  readonly year: number;
  /** Null where the requested amount is none. */
  readonly amount: string | null;
  /** The payer's rules; null where none were applied. */
  readonly rules: RulesUsed | null;
}

/** A published refund: its date, its amount (yuan), and where the money went, in order. */
export interface RefundOutcome {
  readonly refundId: string;
  readonly claimId: string;
  readonly on: CalendarDate;
  readonly amount: string;
  readonly returned: readonly {
    readonly source: 'CASH' | 'OWN' | 'RELATIVE';
    readonly account: string | null;
    readonly bindingId: string | null;
    readonly amount: string;
    /** Held to be paid out by hand, because the account is closed. */
    readonly manual: boolean;
  }[];
}

interface Listed {
  readonly source: 'OWN' | 'RELATIVE';
  readonly binding_id?: string;
}

interface WireSource extends Listed {
  readonly account: string;
  readonly amount?: string;
  readonly code?: OwnSkipCode | RelativeSkipCode;
  readonly parameter?: LimitParameter;
}

interface WireRules extends RulesUsed {
  readonly payers?: readonly string[];
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
  readonly asked?: readonly string[];
  readonly policy?: readonly WireRules[];
  readonly payer: string;
  readonly binding_id: string | null;
  readonly year: number;
  readonly amount: string | null;
  readonly at: string;
}

interface WireRefund {
  readonly refund_id: string;
  readonly claim_id: string;
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

const named = (rules: WireRules | undefined): RulesUsed | null =>
  rules === undefined ? null : { region: rules.region, version: rules.version };

/**
 * The accounts of a published settlement in the order in which they were asked: the own account, then the relatives in the order of
 * `asked`, or without it in the order that `orderAsked` leaves out.
 */
export function inOrderAsked<Paid extends Listed, Skipped extends Listed>({
  allocation,
  skipped,
  asked,
  psn_cash_pay: cash,
}: {
  readonly allocation: readonly Paid[];
  readonly skipped: readonly Skipped[];
  readonly asked?: readonly string[] | undefined;
  readonly psn_cash_pay: string;
}): (Paid | Skipped)[] {
  const rank = ({ source, binding_id = '' }: Listed) => (source === 'OWN' ? -1 : (asked?.indexOf(binding_id) ?? 0));
  const lists = cash === '0.00' ? [...skipped, ...allocation] : [...allocation, ...skipped];
  return lists.sort((left, right) => rank(left) - rank(right));
}

function sourcesOf(wire: WireOutcome): AskedSource[] {
  const { policy = [] } = wire;
  const rulesOf = ({ source, account }: WireSource) =>
    source === 'OWN' ? policy[0] : (policy.find(({ payers }) => payers?.includes(account)) ?? policy.at(-1));
  return inOrderAsked(wire).map((each) => ({
    source: each.source,
    account: each.account,
    bindingId: each.binding_id ?? null,
    amount: each.amount ?? null,
    code: each.code ?? null,
    parameter: each.parameter ?? null,
    rules: named(rulesOf(each)),
  }));
}

/** Reads back an outcome of a claim or premium that this package encoded. Throws on anything else. */
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
      rules: named(wire.policy?.[0]),
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
    asked: sourcesOf(wire),
    rules: named(wire.policy?.[0]),
  };
}

/** Reads back a refund that this package encoded. Throws on anything else. */
export function readRefund(payload: string): RefundOutcome {
  const wire = JSON.parse(payload) as WireRefund;
  return {
    refundId: wire.refund_id,
    claimId: wire.claim_id,
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

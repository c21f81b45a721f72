import {
  type Allocation,
  add,
  type Claim,
  clearingClassOf,
  dateOf,
  formatInstant,
  formatMoney,
  institutionAccount,
  isPositive,
  money,
  type OwnAllocation,
  type Paid,
  PREMIUM_ACCOUNT,
  type Premium,
  type PremiumDecision,
  type Refund,
  type RefundDecision,
  type Relation,
  type RelativeAllocation,
  type RulesApplied,
  type Settlement,
  type Skip,
  ZERO,
} from '@repo/domain';
import type { Bad } from './decode.ts';
import { toInstant } from './fields.ts';
import type { EventStamp } from './headers.ts';

/** An outcome ready to publish: its stamp, the key in whose order it belongs (null: none), and its fields. */
export interface Outgoing {
  readonly stamp: EventStamp;
  readonly key: string | null;
  readonly payload: object;
}

interface WireAllocation {
  source: 'OWN' | 'RELATIVE';
  account: string;
  binding_id?: string;
  relation?: Relation;
  amount: string;
  prior_year: string;
  current_year: string;
  /** Present only where they differ from the usual; a refund needs them. */
  authorised?: true;
  portion_order?: 'PRIOR_YEAR_FIRST';
}

function encodeAllocation(part: Allocation): WireAllocation {
  const { source, account } = part;
  const amounts = {
    amount: formatMoney(part.amount),
    prior_year: formatMoney(part.priorYear),
    current_year: formatMoney(part.currentYear),
  };
  const wire: WireAllocation =
    part.source === 'RELATIVE'
      ? { source, account, binding_id: part.bindingId, relation: part.relation, ...amounts }
      : { source, account, ...amounts };
  if (part.source === 'RELATIVE' && part.authorised) wire.authorised = true;
  if (part.order === 'PRIOR_YEAR_FIRST') wire.portion_order = part.order;
  return wire;
}

interface WireSkip {
  source: Skip['source'];
  account: string;
  binding_id?: string;
  code: Skip['code'];
  parameter?: string;
}

function encodeSkip(skip: Skip): WireSkip {
  const { source, account, code } = skip;
  if (skip.source === 'OWN') return { source, account, code };
  const wire: WireSkip = { source, account, binding_id: skip.bindingId, code };
  if (skip.parameter !== undefined) wire.parameter = skip.parameter;
  return wire;
}

function decodeAllocation(wire: WireAllocation): Allocation {
  const draw = {
    account: wire.account,
    amount: money(wire.amount),
    priorYear: money(wire.prior_year),
    currentYear: money(wire.current_year),
    order: wire.portion_order ?? 'CURRENT_YEAR_FIRST',
  } as const;
  if (wire.source === 'OWN' || wire.binding_id === undefined || wire.relation === undefined) {
    return { source: 'OWN', ...draw } satisfies OwnAllocation;
  }
  const { binding_id: bindingId, relation, authorised = false } = wire;
  return { source: 'RELATIVE', bindingId, relation, authorised, ...draw } satisfies RelativeAllocation;
}

/** `settlement.settled` or `settlement.refused`. `settlementId`: the claim's 结算ID. */
export function encodeSettlement(
  claim: Claim,
  settlement: Settlement,
  settlementId: string,
  traceparent?: string,
): Outgoing {
  const settled = settlement.status === 'SETTLED';
  return {
    stamp: stamp(
      settled ? 'settlement.settled' : 'settlement.refused',
      `claim:${claim.claimId}`,
      claim.settledAt,
      traceparent,
    ),
    key: claim.personNo,
    payload: {
      claim_id: claim.claimId,
      setl_id: settlementId,
      mdtrt_id: claim.encounterId,
      medins_setl_id: claim.senderSettlementId,
      psn_no: claim.personNo,
      fixmedins_code: claim.providerCode,
      med_type: claim.visitType,
      clr_type: clearingClassOf(claim.visitType),
      setl_time: claim.settledAtText,
      refd_setl_flag: '0',
      status: settlement.status,
      code: settlement.code,
      medfee_sumamt: formatMoney(claim.totalFee),
      fund_pay_sumamt: formatMoney(claim.fundPaid),
      hosp_part_amt: formatMoney(claim.hospitalBorne),
      psn_part_amt: formatMoney(claim.personalShare),
      acct_pay: formatMoney(settlement.accountPaid),
      acct_mulaid_pay: formatMoney(settlement.mutualAidPaid),
      psn_cash_pay: formatMoney(settlement.cashPaid),
      balc: formatMoney(settlement.balance),
      allocation: settlement.allocation.map(encodeAllocation),
      skipped: settlement.skipped.map(encodeSkip),
      ...orderAsked(settlement),
      policy: encodePolicies(settlement.policies),
    },
  };
}

/**
 * `asked`: the bindings in the order in which they were asked. Left out where that is the order a reader assumes (`inOrderAsked`): with
 * cash left, those who paid and then those skipped; without, those skipped and then those who paid.
 */
function orderAsked({ asked, cashPaid }: Settlement): { asked?: readonly string[] } {
  // The own account always comes first, so with at most one relative only one order is possible.
  if (asked.length <= 2) return {};
  const relatives = asked.filter((each) => each.source === 'RELATIVE');
  const isFirst = relatives.map((each) => 'amount' in each === isPositive(cashPaid));
  const isAssumed = isFirst.every((first, i) => !first || isFirst[i - 1] !== false);
  return isAssumed ? {} : { asked: relatives.map(({ bindingId }) => bindingId) };
}

/** `payers`: whom each set of rules judged. Left out where the last set judged everyone. */
function encodePolicies(policies: readonly RulesApplied[]): object[] {
  const isAssumed = policies.every(({ payers }, i) => payers.length === 0 || i === policies.length - 1);
  return policies.map(({ region, version, payers }) => ({
    region,
    version,
    ...(isAssumed || payers.length === 0 ? {} : { payers }),
  }));
}

/** `settlement.rejected`: the original itself goes to the dead letters. `place` names the message in its topic. */
export function encodeRejected(
  bad: Bad,
  place: { id: string; at: number; key: string | null },
  traceparent?: string,
): Outgoing {
  return {
    stamp: stamp('settlement.rejected', `rejected:${place.id}`, place.at, traceparent),
    key: place.key,
    payload: { claim_id: bad.claimId, psn_no: bad.personNo, status: 'REJECTED', code: bad.code, issues: bad.issues },
  };
}

/** `refund.settled` or `refund.refused`. */
export function encodeRefund(refund: Refund, decision: RefundDecision, traceparent?: string): Outgoing {
  const settled = decision.status === 'REFUNDED';
  return {
    stamp: stamp(settled ? 'refund.settled' : 'refund.refused', `refund:${refund.refundId}`, refund.at, traceparent),
    key: refund.personNo,
    payload: {
      refund_id: refund.refundId,
      claim_id: refund.claimId,
      psn_no: refund.personNo,
      at: formatInstant(refund.at),
      status: decision.status,
      code: decision.code,
      refd_setl_flag: '1',
      amount: formatMoney(decision.amount),
      returned: decision.returned.map((step) =>
        step.source === 'CASH'
          ? { source: 'CASH', amount: formatMoney(step.amount) }
          : {
              source: step.allocation.source,
              account: step.allocation.account,
              ...(step.allocation.source === 'RELATIVE' ? { binding_id: step.allocation.bindingId } : {}),
              amount: formatMoney(step.amount),
              ...(step.manual ? { manual: true } : {}),
            },
      ),
      acct_pay: formatMoney(decision.accountPaid),
      acct_mulaid_pay: formatMoney(decision.mutualAidPaid),
      psn_cash_pay: formatMoney(decision.cashPaid),
    },
  };
}

/** `premium.settled` or `premium.refused`. */
export function encodePremium(premium: Premium, decision: PremiumDecision, traceparent?: string): Outgoing {
  const settled = decision.status === 'SETTLED';
  return {
    stamp: stamp(
      settled ? 'premium.settled' : 'premium.refused',
      `claim:${premium.premiumId}`,
      premium.at,
      traceparent,
    ),
    key: premium.beneficiary,
    payload: {
      premium_id: premium.premiumId,
      payer: premium.payer,
      beneficiary: premium.beneficiary,
      binding_id: decision.bindingId,
      year: premium.year,
      amount: premium.amount === 'INVALID' ? null : formatMoney(premium.amount),
      at: formatInstant(premium.at),
      status: decision.status,
      code: decision.code,
      ...(decision.allocation === null ? {} : { allocation: [encodeAllocation(decision.allocation)] }),
      ...(decision.rules === null ? {} : { policy: [decision.rules] }),
    },
  };
}

function stamp(type: string, id: string, at: number, traceparent?: string): EventStamp {
  return { type, id, time: formatInstant(at), ...(traceparent === undefined ? {} : { traceparent }) };
}

/** What can be refunded of a published outcome, before any refund; undefined unless it was SETTLED. Reads only what this file wrote. */
export function paidFromOutcome(payload: string): Paid | undefined {
  const wire = JSON.parse(payload) as Record<string, string> & { allocation?: WireAllocation[] };
  if (wire.status !== 'SETTLED') return undefined;
  const allocation = (wire.allocation ?? []).map(decodeAllocation);
  const nothingBack = { returnedCash: ZERO, returned: allocation.map(() => ZERO), allocation };
  if (wire.premium_id !== undefined) {
    const on = dateOf(toInstant(wire.at ?? ''));
    return {
      kind: 'PREMIUM',
      personNo: wire.beneficiary ?? '',
      counterpart: PREMIUM_ACCOUNT,
      on,
      cash: ZERO,
      ...nothingBack,
    };
  }
  return {
    kind: 'CLAIM',
    personNo: wire.psn_no ?? '',
    counterpart: institutionAccount(wire.fixmedins_code ?? ''),
    on: dateOf(toInstant(wire.setl_time ?? '')),
    cash: money(wire.psn_cash_pay ?? '0.00'),
    ...nothingBack,
  };
}

/** The payment after a published refund. */
export function withRefundOutcome(paid: Paid, payload: string): Paid {
  const wire = JSON.parse(payload) as {
    returned: { source: 'CASH' | 'OWN' | 'RELATIVE'; account?: string; binding_id?: string; amount: string }[];
  };
  const returned = [...paid.returned];
  let { returnedCash } = paid;
  for (const step of wire.returned) {
    const amount = money(step.amount);
    if (step.source === 'CASH') returnedCash = add(returnedCash, amount);
    const index = paid.allocation.findIndex((part) =>
      part.source === 'OWN' ? step.source === 'OWN' : part.bindingId === step.binding_id,
    );
    if (index >= 0) returned[index] = add(returned[index] ?? ZERO, amount);
  }
  return { ...paid, returnedCash, returned };
}

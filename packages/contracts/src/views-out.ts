import {
  add,
  arrearsStart,
  BEGINNING,
  type Binding,
  balanceOf,
  dateOf,
  foldTo,
  formatInstant,
  formatMoney,
  type Instant,
  isInArrears,
  isPositive,
  type Money,
  type Period,
  type Person,
  type PolicyLookup,
  type Relation,
  serviceClassOf,
  stateOn,
  yearOf,
  ZERO,
} from '@repo/domain';
import { paidFromOutcome, withRefundOutcome } from './settlements-out.ts';

const moneyOrNull = (amount: Money | null | undefined) => (amount == null ? null : formatMoney(amount));

/**
 * A person and their account as HTTP shows them: every fact of `account.changed`, and the portions as of `at`. Where the account has
 * postings of a later year its portions are shown as stored. Null portions: no account. Amounts in yuan.
 */
export function encodeAccount(
  stored: { readonly person: Person; readonly name: string | null; readonly unpaidPeriods: readonly Period[] },
  at: Instant,
  policyOf: PolicyLookup,
) {
  const { person, name, unpaidPeriods } = stored;
  const on = dateOf(at);
  const purse = person.purse === null ? null : foldTo(person.purse, yearOf(on));
  const since = arrearsStart(person);
  return {
    psn_no: person.personNo,
    psn_name: name,
    insutype: person.insuranceKind,
    psn_type: person.personCategory,
    employment: person.employment,
    insu_admdvs: person.insuredArea,
    insured: person.uninsuredSince === null,
    status: person.status,
    card_active: person.cardActive,
    employer_enabled: person.employerEnabled,
    wallet_open: person.walletOpen,
    prior_year: moneyOrNull(purse?.priorYear),
    current_year: moneyOrNull(purse?.currentYear),
    balance: moneyOrNull(purse && balanceOf(purse)),
    in_arrears: isInArrears(person, on, policyOf(person.insuredArea, on)),
    // `BEGINNING` was imported without a date, so none is known.
    arrears_since: since === BEGINNING ? null : since,
    recovered_on: person.recoveredOn,
    unpaid_periods: unpaidPeriods,
  };
}

/** A binding with the field names of `binding.opened` and its state as of `at`, EXPIRED included. Amounts in yuan. */
export const encodeBinding = (binding: Binding, at: Instant) => ({
  binding_id: binding.bindingId,
  payer: binding.payer,
  beneficiary: binding.beneficiary,
  relation: binding.relation,
  bound_at: formatInstant(binding.boundAt),
  type: binding.type,
  state: stateOn(binding, dateOf(at)),
  pause_reasons: [...binding.holds.keys()].sort(),
  priority: binding.priority,
  effective_from: binding.effectiveFrom,
  effective_to: binding.effectiveTo,
  daily_limit: moneyOrNull(binding.dailyLimit),
  authorised_amount: moneyOrNull(binding.authorisedAmount),
  premium_registered: binding.premiumRegistered,
});

/** The settings that a payer may change (`binding.changed`). */
const CHANGEABLE = ['priority', 'daily_limit', 'authorised_amount', 'effective_to', 'premium_registered'] as const;

/** The settings that a payer's change gave another value, named and written as on the wire. */
export function encodeChanges(before: Binding, after: Binding, at: Instant) {
  const [was, is] = [encodeBinding(before, at), encodeBinding(after, at)];
  return CHANGEABLE.flatMap((field) =>
    was[field] === is[field] ? [] : [{ field, before: was[field], after: is[field] }],
  );
}

/** What HTTP answers for a claim or premium: its published outcome, its refunds, and what is left to refund (yuan). */
export const encodeStanding = (payload: string, refunds: readonly string[], refundable: Money): object => ({
  ...(JSON.parse(payload) as object),
  refunds: refunds.map((refund) => JSON.parse(refund) as object),
  refundable: formatMoney(refundable),
});

/** One debit of an account for a claim or premium, with its published outcome; yuan. */
export interface Debit {
  readonly kind: 'CLAIM' | 'PREMIUM';
  readonly payer: string;
  readonly beneficiary: string;
  /** Null where the account paid for its owner. */
  readonly binding: { readonly bindingId: string; readonly relation: Relation } | null;
  readonly priorYear: Money;
  readonly currentYear: Money;
  readonly payload: string;
  readonly refunds: readonly string[];
}

/** Shown only to the account's owner: the balance after the debit, and what was left of the day's limit (null: no limit). */
export interface PayersPart {
  readonly balanceAfter: Money;
  readonly headroom: Money | null;
}

/** A row of the usage details (共济使用明细). `refd_setl_flag` is 1 once part of it has been refunded. Amounts in yuan. */
export function encodeUsage(debit: Debit, own: PayersPart | null) {
  const { kind, payer, beneficiary, binding, priorYear, currentYear, payload, refunds } = debit;
  const wire = JSON.parse(payload) as Readonly<Record<string, string | undefined>>;
  const original = paidFromOutcome(payload);
  const paid = original && refunds.reduce(withRefundOutcome, original);
  const place = paid?.allocation.findIndex((part) =>
    part.source === 'OWN' ? binding === null : part.bindingId === binding?.bindingId,
  );
  const refunded = paid?.returned[place ?? -1] ?? ZERO;
  return {
    claim_id: wire.claim_id ?? wire.premium_id ?? '',
    setl_id: wire.setl_id ?? null,
    kind,
    setl_time: wire.setl_time ?? wire.at ?? '',
    payer,
    beneficiary,
    binding_id: binding?.bindingId ?? null,
    relation: binding?.relation ?? null,
    fixmedins_code: wire.fixmedins_code ?? null,
    service_class: wire.med_type === undefined ? null : serviceClassOf(wire.med_type),
    amount: formatMoney(add(priorYear, currentYear)),
    portion_prior: formatMoney(priorYear),
    portion_current: formatMoney(currentYear),
    refunded: formatMoney(refunded),
    refd_setl_flag: isPositive(refunded) ? '1' : '0',
    ...(own === null
      ? {}
      : { balance_after: formatMoney(own.balanceAfter), daily_headroom: moneyOrNull(own.headroom) }),
  };
}

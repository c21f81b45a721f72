import {
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
  type Money,
  type Period,
  type Person,
  type PolicyLookup,
  stateOn,
  yearOf,
} from '@repo/domain';

const moneyOrNull = (amount: Money | null | undefined) => (amount == null ? null : formatMoney(amount));

/**
 * A person and their account as HTTP shows them: every fact of `account.changed`, and the portions as of `at`. An account that
 * was posted to in a later year is shown as it stands. The portions are null without an account; amounts in yuan.
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
    // Imported as "from the beginning": no date is known.
    arrears_since: since === BEGINNING ? null : since,
    recovered_on: person.recoveredOn,
    unpaid_periods: unpaidPeriods,
  };
}

/** A binding with the field names of `binding.opened`, its state as of `at`: EXPIRED follows from the date. Amounts in yuan. */
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

/** What HTTP answers for a claim or premium: its published outcome, then the refunds paid of it and what is left to refund. */
export const encodeStanding = (payload: string, refunds: readonly string[], refundable: Money): object => ({
  ...(JSON.parse(payload) as object),
  refunds: refunds.map((refund) => JSON.parse(refund) as object),
  refundable: formatMoney(refundable),
});

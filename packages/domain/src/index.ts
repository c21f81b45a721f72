export {
  applyPremium,
  applyRefund,
  applySettlement,
  institutionAccount,
  PREMIUM_ACCOUNT,
  paidByClaim,
  paidByPremium,
} from './apply.ts';
export type { Area } from './area.ts';
export { isSameProvince, isWithin } from './area.ts';
export { arrearsChanged, type DueWork, enforceArrears } from './arrears.ts';
export { applyArrearsCheck, type BlockRule, blockRule, isChecked, monthsDue } from './arrears-check.ts';
export { assert, InvariantBroken } from './assert.ts';
export {
  BACKDATED_REASONS,
  type BackdatedReason,
  type Draw,
  type FactChange,
  reachOf,
  reconsider,
  type Standing,
} from './backdated.ts';
export { BINDING_EVENTS, type BindingEvent, hold, lift, nextState } from './binding-state.ts';
export { Books, type Crossing, ENTRY_KINDS, type Entry, type EntryKind, type PostingNote } from './books.ts';
export {
  addDays,
  type CalendarDate,
  date,
  dateOf,
  dayOfPeriod,
  earlier,
  formatInstant,
  type Instant,
  NO_TIMESTAMP,
  nextPeriod,
  type Period,
  parseDate,
  parsePeriod,
  periodOf,
  startOf,
  timestampOf,
  yearOf,
} from './calendar.ts';
export {
  type Allocation,
  compareOrder,
  decideClaim,
  type OwnAllocation,
  type RelativeAllocation,
  type RulesApplied,
  type RulesUsed,
  rulesUsed,
  type Settlement,
  type Skip,
} from './cascade.ts';
export { brokenIdentity, type Claim, type ScopeAmounts } from './claim.ts';
export {
  BIND_REFUSAL_CODES,
  type BindRefusalCode,
  CLAIM_REFUSAL_CODES,
  CLAIM_REJECTION_CODES,
  type ClaimRefusalCode,
  type ClaimRejectionCode,
  DEAD_LETTER_CODES,
  type DeadLetterCode,
  OUTCOME_CODES,
  type OutcomeCode,
  OWN_SKIP_CODES,
  type OwnSkipCode,
  PREMIUM_REFUSAL_CODES,
  type PremiumRefusalCode,
  REFUND_REFUSAL_CODES,
  RELATIVE_SKIP_CODES,
  type RefundRefusalCode,
  type RelativeSkipCode,
} from './codes.ts';
export { type Contribution, firstDayUnpaid } from './contribution.ts';
export type { FamilyView } from './family.ts';
export type { BindingChanges, Cause, MemberEvent, PersonChanges, SharingEvent } from './member-event.ts';
export {
  applyMemberEvent,
  type ContributionBook,
  DEAD_DETAILS,
  type HeldBook,
  type MemberBooks,
  type Verdict,
} from './members.ts';
export {
  add,
  atLeastZero,
  compareMoney,
  equalMoney,
  formatMoney,
  isNegative,
  isPositive,
  isZero,
  least,
  MONEY_MAX,
  type Money,
  money,
  negate,
  subtract,
  sum,
  toDecimal,
  ZERO,
} from './money.ts';
export {
  ACCOUNT_STATUSES,
  type AccountStatus,
  arrearsStart,
  BEGINNING,
  BINDING_STATES,
  BINDING_TYPES,
  type Binding,
  type BindingState,
  type BindingType,
  blockStart,
  EMPLOYEE_INSURANCE,
  EMPLOYMENTS,
  type Employment,
  isExempt,
  isInArrears,
  isRetired,
  PAUSE_REASONS,
  type PauseReason,
  type Person,
  resumeDate,
  stateOn,
} from './person.ts';
export {
  type Policy,
  type PolicyLookup,
  PURPOSES,
  type Purpose,
  RELATIONS,
  type Relation,
  SCOPES,
  type Scope,
  SERVICE_CLASSES,
  type ServiceClass,
  SHARABLE_PORTIONS,
  type SharablePortion,
} from './policy.ts';
export { decidePremium, type Premium, type PremiumDecision } from './premium.ts';
export { balanceOf, foldTo, type Portions, type Purse, sharableOf } from './purse.ts';
export {
  afterRefund,
  decideRefund,
  type Paid,
  type Refund,
  type RefundDecision,
  type Returned,
  refundable,
} from './refund.ts';
export { BOUNDS, type Bound, boundsOf, effectiveDailyLimit, type LimitParameter } from './relative-account.ts';
export { clearingClassOf, serviceClassOf } from './service-class.ts';
export { applyCrossing, applyNewYear } from './zero-balance.ts';

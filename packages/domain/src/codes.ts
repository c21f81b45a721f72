/** Why the patient's own account paid nothing, in the order of the tests (rule 5.1). */
export const OWN_SKIP_CODES = [
  'OWN_NO_ACCOUNT',
  'ACCOUNT_USE_DECLINED',
  'OWN_ACCOUNT_FROZEN',
  'OWN_ACCOUNT_CLOSED',
  'OWN_CARD_INACTIVE',
  'OWN_IN_ARREARS',
  'OWN_CROSS_REGION_NOT_FILED',
  'OWN_ZERO_BALANCE',
] as const;

/** Why a relative's account paid nothing, in the order of the tests (rule 5.2). */
export const RELATIVE_SKIP_CODES = [
  'ACCOUNT_USE_DECLINED',
  'NOT_A_SHARING_BINDING',
  'SELF_BINDING',
  'BINDING_PENDING',
  'BINDING_REJECTED',
  'BINDING_REVOKED',
  'BINDING_NOT_YET_EFFECTIVE',
  'BINDING_EXPIRED',
  'SHARING_NOT_ENABLED',
  'RELATION_NOT_ALLOWED',
  'SERVICE_CLASS_NOT_COVERED',
  'PAYER_NOT_EMPLOYEE_INSURED',
  'PAYER_ACCOUNT_FROZEN',
  'PAYER_ACCOUNT_CLOSED',
  'PAYER_CARD_INACTIVE',
  'BENEFICIARY_CARD_INACTIVE',
  'BENEFICIARY_NOT_INSURED',
  'MEMBER_OUT_OF_AREA',
  'WALLET_NOT_OPEN',
  'INSTITUTION_OUT_OF_AREA',
  'EMPLOYER_NOT_ENABLED',
  'PAYER_IN_ARREARS',
  'PAYER_RESUME_WAITING',
  'PAUSED_BY_USER',
  'PAYER_ZERO_BALANCE',
  'BELOW_SHARE_THRESHOLD',
  'MIN_REMAINING_REACHED',
  'AUTHORISED_AMOUNT_EXHAUSTED',
  'DAILY_LIMIT_REACHED',
] as const;

/** Why a claim cannot be settled at all: it gets no settlement. */
export const CLAIM_REJECTION_CODES = [
  'CLAIM_MALFORMED',
  'CLAIM_AMOUNT_INVALID',
  'CLAIM_IDENTITY_VIOLATION',
  'CLAIM_DUPLICATE_CONFLICT',
] as const;

/** Why no account may pay for a claim: all of it is cash. */
export const CLAIM_REFUSAL_CODES = ['BENEFICIARY_UNKNOWN', 'INSTITUTION_NOT_DESIGNATED', 'PURPOSE_EXCLUDED'] as const;

export const REFUND_REFUSAL_CODES = [
  'REFUND_AMOUNT_INVALID',
  'REFUND_CLAIM_NOT_FOUND',
  'REFUND_EXCEEDS_SETTLED',
] as const;

export const PREMIUM_REFUSAL_CODES = [
  'PREMIUM_AMOUNT_INVALID',
  'BINDING_NOT_FOUND',
  'NOT_A_SHARING_BINDING',
  'SELF_BINDING',
  'BINDING_PENDING',
  'BINDING_REJECTED',
  'BINDING_REVOKED',
  'BINDING_NOT_YET_EFFECTIVE',
  'BINDING_EXPIRED',
  'PREMIUM_NOT_ENABLED',
  'RELATION_NOT_ALLOWED',
  'PAYER_NOT_EMPLOYEE_INSURED',
  'PAYER_ACCOUNT_FROZEN',
  'PAYER_ACCOUNT_CLOSED',
  'PREMIUM_NOT_REGISTERED',
  'PAYER_IN_ARREARS',
  'PAYER_RESUME_WAITING',
  'PAUSED_BY_USER',
  'PREMIUM_AMOUNT_MISMATCH',
  'BELOW_SHARE_THRESHOLD',
  'PREMIUM_INSUFFICIENT_BALANCE',
] as const;

/** Why a request to bind was refused, in the order of the tests (rule 11, limits). */
export const BIND_REFUSAL_CODES = [
  'SELF_BINDING',
  'RELATION_NOT_ALLOWED',
  'PAYER_IN_ARREARS',
  'DAILY_LIMIT_MISSING',
  'DAILY_LIMIT_TOO_HIGH',
  'BINDING_LIMIT_EXCEEDED',
] as const;

/** Why an event became a dead letter, besides the claim rejections. */
export const DEAD_LETTER_CODES = [
  'EVENT_UNREADABLE',
  'EVENT_TOO_LARGE',
  'EVENT_TYPE_UNKNOWN',
  'EVENT_MALFORMED',
  'EVENT_CONFLICT',
  'KEY_MISMATCH',
  'PERSON_UNKNOWN',
  'BINDING_UNKNOWN',
  'TRANSITION_NOT_ALLOWED',
] as const;

export type OwnSkipCode = (typeof OWN_SKIP_CODES)[number];
export type RelativeSkipCode = (typeof RELATIVE_SKIP_CODES)[number];
export type ClaimRejectionCode = (typeof CLAIM_REJECTION_CODES)[number];
export type ClaimRefusalCode = (typeof CLAIM_REFUSAL_CODES)[number];
export type RefundRefusalCode = (typeof REFUND_REFUSAL_CODES)[number];
export type PremiumRefusalCode = (typeof PREMIUM_REFUSAL_CODES)[number];
export type BindRefusalCode = (typeof BIND_REFUSAL_CODES)[number];
/** `DAILY_LIMIT_MISSING`: a change of a binding is refused for the same reason as a request would be. */
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number] | ClaimRejectionCode | 'DAILY_LIMIT_MISSING';
export type OutcomeCode =
  | OwnSkipCode
  | RelativeSkipCode
  | DeadLetterCode
  | ClaimRefusalCode
  | RefundRefusalCode
  | PremiumRefusalCode
  | BindRefusalCode;

/** Every code, once. */
export const OUTCOME_CODES: readonly OutcomeCode[] = [
  ...new Set<OutcomeCode>([
    ...OWN_SKIP_CODES,
    ...RELATIVE_SKIP_CODES,
    ...CLAIM_REJECTION_CODES,
    ...DEAD_LETTER_CODES,
    ...CLAIM_REFUSAL_CODES,
    ...REFUND_REFUSAL_CODES,
    ...PREMIUM_REFUSAL_CODES,
    ...BIND_REFUSAL_CODES,
  ]),
];

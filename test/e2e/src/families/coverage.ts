import type { ExpectedOutput } from '../auditor/types.ts';
import type { PublishedRecord } from '../compare.ts';

const BINDING_TESTS = [
  'NOT_A_SHARING_BINDING',
  'SELF_BINDING',
  'BINDING_PENDING',
  'BINDING_REJECTED',
  'BINDING_REVOKED',
  'BINDING_NOT_YET_EFFECTIVE',
  'BINDING_EXPIRED',
];
const PAYER_TESTS = [
  'RELATION_NOT_ALLOWED',
  'PAYER_NOT_EMPLOYEE_INSURED',
  'PAYER_ACCOUNT_FROZEN',
  'PAYER_ACCOUNT_CLOSED',
  'PAYER_IN_ARREARS',
  'PAYER_RESUME_WAITING',
  'PAUSED_BY_USER',
  'BELOW_SHARE_THRESHOLD',
];

/** Every code that must come up in a long enough stream, by the place it comes up in. */
export const CODES: Readonly<Record<string, readonly string[]>> = {
  'settlement.settled': ['SETTLED'],
  'settlement.refused': ['BENEFICIARY_UNKNOWN', 'INSTITUTION_NOT_DESIGNATED', 'PURPOSE_EXCLUDED'],
  'settlement.rejected': [
    'CLAIM_MALFORMED',
    'CLAIM_AMOUNT_INVALID',
    'CLAIM_IDENTITY_VIOLATION',
    'CLAIM_DUPLICATE_CONFLICT',
  ],
  OWN: [
    'PAID',
    'OWN_NO_ACCOUNT',
    'ACCOUNT_USE_DECLINED',
    'OWN_ACCOUNT_FROZEN',
    'OWN_ACCOUNT_CLOSED',
    'OWN_CARD_INACTIVE',
    'OWN_IN_ARREARS',
    'OWN_CROSS_REGION_NOT_FILED',
    'OWN_ZERO_BALANCE',
  ],
  RELATIVE: [
    ...[
      'PAID',
      'ACCOUNT_USE_DECLINED',
      ...BINDING_TESTS,
      'SHARING_NOT_ENABLED',
      ...PAYER_TESTS,
      'SERVICE_CLASS_NOT_COVERED',
    ],
    ...[
      'PAYER_CARD_INACTIVE',
      'BENEFICIARY_CARD_INACTIVE',
      'BENEFICIARY_NOT_INSURED',
      'MEMBER_OUT_OF_AREA',
      'WALLET_NOT_OPEN',
    ],
    ...['INSTITUTION_OUT_OF_AREA', 'EMPLOYER_NOT_ENABLED', 'PAYER_ZERO_BALANCE', 'MIN_REMAINING_REACHED'],
    ...['AUTHORISED_AMOUNT_EXHAUSTED', 'DAILY_LIMIT_REACHED'],
  ],
  'refund.settled': ['REFUNDED', 'MANUAL'],
  'refund.refused': ['REFUND_CLAIM_NOT_FOUND', 'REFUND_AMOUNT_INVALID', 'REFUND_EXCEEDS_SETTLED'],
  'premium.settled': ['SETTLED'],
  'premium.refused': [
    ...['PREMIUM_AMOUNT_INVALID', 'BINDING_NOT_FOUND', ...BINDING_TESTS, 'PREMIUM_NOT_ENABLED', ...PAYER_TESTS],
    ...['PREMIUM_NOT_REGISTERED', 'PREMIUM_AMOUNT_MISMATCH', 'PREMIUM_INSUFFICIENT_BALANCE'],
  ],
  'binding.refused': [
    'SELF_BINDING',
    'RELATION_NOT_ALLOWED',
    'PAYER_IN_ARREARS',
    'DAILY_LIMIT_MISSING',
    'DAILY_LIMIT_TOO_HIGH',
    'BINDING_LIMIT_EXCEEDED',
  ],
  'binding.activated': ['ACTIVE'],
  'binding.rejected': ['REJECTED'],
  'binding.revoked': ['REVOKED'],
  'sharing.paused': ['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'],
  'sharing.resumed': ['ARREARS', 'EMPLOYER_OFF', 'USER', 'ZERO_BALANCE'],
  'dead-letters': [
    ...[
      'EVENT_UNREADABLE',
      'EVENT_TYPE_UNKNOWN',
      'EVENT_MALFORMED',
      'EVENT_CONFLICT',
      'KEY_MISMATCH',
      'PERSON_UNKNOWN',
      'BINDING_UNKNOWN',
    ],
    ...[
      'TRANSITION_NOT_ALLOWED',
      'CLAIM_MALFORMED',
      'CLAIM_AMOUNT_INVALID',
      'CLAIM_IDENTITY_VIOLATION',
      'CLAIM_DUPLICATE_CONFLICT',
    ],
  ],
};

/** Counts outcomes by `place:code`, so that a test can tell what a stream never reached. */
export function countCodes(outputs: readonly (ExpectedOutput | PublishedRecord)[]): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (place: string, code: unknown) => {
    const name = `${place}:${String(code)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  for (const output of outputs) {
    if (output.topic === 'dead-letters') {
      count('dead-letters', 'code' in output ? output.code : output.headers['gongji-code']);
      continue;
    }
    const { type, value } = 'headers' in output ? readRecord(output) : output;
    count(type, value.code ?? value.reason ?? value.status ?? value.state);
    for (const each of listOf(value.allocation)) count(sourceOf(type, each), 'PAID');
    for (const each of listOf(value.skipped)) count(String(each.source), each.code);
    if (listOf(value.returned).some((each) => each.manual === true)) count(type, 'MANUAL');
  }
  return counts;
}

function readRecord({ headers, value }: PublishedRecord): { type: string; value: Readonly<Record<string, unknown>> } {
  return { type: headers.ce_type ?? '', value: JSON.parse(value) };
}

/** A premium is drawn from a relative too, but by no cascade. */
function sourceOf(type: string, allocation: Readonly<Record<string, unknown>>): string {
  return type.startsWith('premium.') ? 'PREMIUM' : String(allocation.source);
}

function listOf(value: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(value) ? value : [];
}

/** The listed codes that no outcome had. */
export function missingCodes(counts: ReadonlyMap<string, number>): string[] {
  const all = Object.entries(CODES).flatMap(([place, codes]) => codes.map((code) => `${place}:${code}`));
  return all.filter((name) => !counts.has(name));
}

import { isSameProvince, isWithin } from './area.ts';
import type { CalendarDate } from './calendar.ts';
import { yearOf } from './calendar.ts';
import type { Claim } from './claim.ts';
import type { RelativeSkipCode } from './codes.ts';
import type { FamilyView } from './family.ts';
import { atLeastZero, compareMoney, isZero, least, type Money, subtract, ZERO } from './money.ts';
import { type Binding, blockStart, EMPLOYEE_INSURANCE, isExempt, type Person, resumeDate } from './person.ts';
import type { Policy, ServiceClass } from './policy.ts';
import { foldTo, type Portions, type Purse, sharableOf } from './purse.ts';

/** Everything that the tests of one relative's account look at. `policy`: the payer's. */
export interface RelativeCase {
  readonly claim: Claim;
  readonly serviceClass: ServiceClass;
  readonly on: CalendarDate;
  readonly patient: Person;
  readonly binding: Binding;
  readonly payer: Person | undefined;
  readonly policy: Policy;
  /** Read only where the binding has a daily limit. */
  readonly usage: Pick<FamilyView, 'usage'>;
  /** Paid so far by this payer in this claim, through any binding; yuan. */
  readonly paidInClaim: Money;
}

/** A region's parameter that limits what a binding pays on a day, or a payer towards a claim. */
export type LimitParameter = 'dailyLimitDefault' | 'dailyLimitMax' | 'perClaimPayerCap';

interface Obstacle {
  readonly code: RelativeSkipCode;
  readonly parameter?: LimitParameter;
}

/** The most that a relative may pay for this claim, yuan, or why nothing: the first failing test of rule 5.2 gives the code. */
export function evaluateRelative(relative: RelativeCase): { readonly purse: Purse; readonly most: Money } | Obstacle {
  const { binding, on, payer, policy } = relative;
  if (!relative.claim.accountsUsed) return { code: 'ACCOUNT_USE_DECLINED' };
  const code = bindingObstacle(binding, on) ?? coverageObstacle(relative);
  if (code !== null) return { code };
  if (payer === undefined || payer.purse === null || payer.insuranceKind !== EMPLOYEE_INSURANCE) {
    return { code: 'PAYER_NOT_EMPLOYEE_INSURED' };
  }
  const obstacle = standingObstacle(relative, payer) ?? pauseObstacle(binding, payer, on, policy);
  if (obstacle !== null) return { code: obstacle };
  return measure(relative, foldTo(payer.purse, yearOf(on)));
}

/** Tests 2 to 5 of rule 5.2: is a sharing relation in force on the date? */
export function bindingObstacle(binding: Binding, on: CalendarDate) {
  if (binding.type !== 'FAMILY_SHARING') return 'NOT_A_SHARING_BINDING';
  if (binding.payer === binding.beneficiary) return 'SELF_BINDING';
  switch (binding.state) {
    case 'PENDING':
      return 'BINDING_PENDING';
    case 'REJECTED':
      return 'BINDING_REJECTED';
    case 'REVOKED':
      return 'BINDING_REVOKED';
    case 'ACTIVE':
    case 'PAUSED':
      break;
    default:
      return binding.state satisfies never;
  }
  if (on < binding.effectiveFrom) return 'BINDING_NOT_YET_EFFECTIVE';
  if (binding.effectiveTo !== null && on > binding.effectiveTo) return 'BINDING_EXPIRED';
  return null;
}

/** Tests 6 to 8: does the payer's region share with such a relative for such a service? */
function coverageObstacle({ binding, policy, serviceClass }: RelativeCase): RelativeSkipCode | null {
  if (!policy.sharingEnabled) return 'SHARING_NOT_ENABLED';
  if (!policy.allowedRelations.has(binding.relation)) return 'RELATION_NOT_ALLOWED';
  if (!policy.allowedServiceClasses.has(serviceClass)) return 'SERVICE_CLASS_NOT_COVERED';
  return null;
}

/** Tests 10 to 17: accounts, cards, insurance, areas and the employer. */
function standingObstacle(relative: RelativeCase, payer: Person): RelativeSkipCode | null {
  const { binding, claim, patient, policy } = relative;
  if (payer.status === 'FROZEN') return 'PAYER_ACCOUNT_FROZEN';
  if (payer.status === 'CLOSED') return 'PAYER_ACCOUNT_CLOSED';
  if (policy.requireCardActive && !payer.cardActive) return 'PAYER_CARD_INACTIVE';
  if (policy.inactiveOwnCardBlocksSharing && !patient.cardActive) return 'BENEFICIARY_CARD_INACTIVE';
  if (policy.requireBeneficiaryInsured && patient.uninsuredSince !== null) return 'BENEFICIARY_NOT_INSURED';
  if (!isWithin(policy.memberScope, payer.insuredArea, patient.insuredArea, policy)) return 'MEMBER_OUT_OF_AREA';
  if (
    policy.requireWalletCrossProvince &&
    !isSameProvince(payer.insuredArea, patient.insuredArea) &&
    !(payer.walletOpen && patient.walletOpen)
  ) {
    return 'WALLET_NOT_OPEN';
  }
  if (!isWithin(policy.institutionScope, payer.insuredArea, claim.providerArea, policy)) {
    return 'INSTITUTION_OUT_OF_AREA';
  }
  if (
    policy.requireEmployerEnabled &&
    payer.employment === 'ACTIVE' &&
    (!payer.employerEnabled || binding.holds.has('EMPLOYER_OFF'))
  ) {
    return 'EMPLOYER_NOT_ENABLED';
  }
  return null;
}

/**
 * Tests 18 to 20. Live facts and the stored reason give the same code, so that a worker that has not paused the binding yet cannot change a
 * result. Exempt retirees skip the first two.
 */
export function pauseObstacle(
  binding: Binding,
  payer: Person,
  on: CalendarDate,
  policy: Policy,
): 'PAYER_IN_ARREARS' | 'PAYER_RESUME_WAITING' | 'PAUSED_BY_USER' | null {
  if (policy.pauseOnArrears && !isExempt(payer, policy)) {
    const blocked = blockStart(payer, policy);
    const held = binding.holds.get('ARREARS');
    if ((blocked !== null && on >= blocked) || (held !== undefined && on >= held)) return 'PAYER_IN_ARREARS';
  }
  const resumes = resumeDate(payer, policy);
  if (resumes !== null && payer.lastSpellStart <= on && on < resumes) return 'PAYER_RESUME_WAITING';
  if (binding.holds.has('USER')) return 'PAUSED_BY_USER';
  return null;
}

/** Tests 21 to 25, and where all pass the amount of rule 5.4. */
function measure(relative: RelativeCase, purse: Purse): { readonly purse: Purse; readonly most: Money } | Obstacle {
  const { binding, paidInClaim, policy } = relative;
  const sharable = sharableOf(purse, policy);
  if (isZero(sharable)) return { code: 'PAYER_ZERO_BALANCE' };
  if (policy.shareThreshold !== null && compareMoney(sharable, policy.shareThreshold) <= 0) {
    return { code: 'BELOW_SHARE_THRESHOLD' };
  }
  const used = () => relative.usage.usage(binding.bindingId, relative.on);
  let most = sharable;
  for (const bound of boundsOf({ purse, binding, policy, used, paidInClaim })) {
    if (isZero(bound.most)) return { code: USED_UP[bound.by], ...parameterOf(bound) };
    most = least(most, bound.most);
  }
  return { purse, most };
}

/** The limits of a payment by rule 5.4, in the order of their tests. */
export const BOUNDS = ['BALANCE', 'AUTHORISED_AMOUNT', 'DAILY_LIMIT', 'PER_CLAIM_CAP'] as const;

/** One limit of a payment by itself. `most`: what it leaves to be paid, at least 0.00; yuan. */
export interface Bound {
  readonly by: (typeof BOUNDS)[number];
  readonly most: Money;
  /** The region's parameter that set the limit. Absent where the binding's own limit applies. */
  readonly parameter?: LimitParameter;
}

/** The cap has no code of its own: a payer who is asked again within one claim counts as having reached a limit of that day. */
const USED_UP = {
  BALANCE: 'MIN_REMAINING_REACHED',
  AUTHORISED_AMOUNT: 'AUTHORISED_AMOUNT_EXHAUSTED',
  DAILY_LIMIT: 'DAILY_LIMIT_REACHED',
  PER_CLAIM_CAP: 'DAILY_LIMIT_REACHED',
} as const satisfies Readonly<Record<Bound['by'], RelativeSkipCode>>;

const parameterOf = ({ parameter }: Bound): Pick<Obstacle, 'parameter'> =>
  parameter === undefined ? {} : { parameter };

/**
 * Every limit on what an account may pay through a binding (rule 5.4). The payment is the least of them, so they also explain why a payment
 * was less than asked for. `used`: what the binding has paid on that day, read only where there is a daily limit; yuan.
 */
export function boundsOf({
  purse,
  binding,
  policy,
  used,
  paidInClaim,
}: {
  readonly purse: Portions;
  readonly binding: Pick<Binding, 'dailyLimit' | 'authorisedAmount'>;
  readonly policy: Policy;
  readonly used: () => Money;
  readonly paidInClaim: Money;
}): Bound[] {
  const left = (whole: Money, gone: Money): Money => atLeastZero(subtract(whole, gone));
  const bounds: Bound[] = [{ by: 'BALANCE', most: left(sharableOf(purse, policy), policy.minRemaining) }];
  if (policy.sharablePortion === 'PRIOR_YEAR_AUTHORISED') {
    bounds.push({ by: 'AUTHORISED_AMOUNT', most: binding.authorisedAmount ?? ZERO });
  }
  const limit = effectiveDailyLimit(binding, policy);
  if (limit !== null) {
    bounds.push({ by: 'DAILY_LIMIT', most: left(limit, used()), ...limitParameter(binding, policy) });
  }
  if (policy.perClaimPayerCap !== null) {
    const most = left(policy.perClaimPayerCap, paidInClaim);
    bounds.push({ by: 'PER_CLAIM_CAP', most, parameter: 'perClaimPayerCap' });
  }
  return bounds;
}

/**
 * The daily limit of a binding, yuan: its own, else the region's default, else the region's maximum; never above the maximum. Null: none.
 */
export function effectiveDailyLimit(binding: Pick<Binding, 'dailyLimit'>, policy: Policy): Money | null {
  const chosen = binding.dailyLimit ?? policy.dailyLimitDefault ?? policy.dailyLimitMax;
  if (chosen === null) return null;
  return policy.dailyLimitMax === null ? chosen : least(chosen, policy.dailyLimitMax);
}

/** The region's parameter that sets a binding's daily limit; empty where the binding's own limit applies. */
function limitParameter(binding: Pick<Binding, 'dailyLimit'>, policy: Policy): Pick<Obstacle, 'parameter'> {
  const limit = effectiveDailyLimit(binding, policy);
  if (binding.dailyLimit === limit) return {};
  const isDefault = binding.dailyLimit === null && policy.dailyLimitDefault === limit;
  return { parameter: isDefault ? 'dailyLimitDefault' : 'dailyLimitMax' };
}

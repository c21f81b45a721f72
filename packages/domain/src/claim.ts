import type { Area } from './area.ts';
import type { Instant } from './calendar.ts';
import { add, equalMoney, type Money, sum } from './money.ts';
import type { Purpose } from './policy.ts';

/** The parts of the total fee by the rules of scope (全自费, 超限价自费, 先行自付, 符合政策范围); yuan. */
export interface ScopeAmounts {
  readonly fullyOwnPaid: Money | null;
  readonly overLimit: Money | null;
  readonly preSelfPaid: Money | null;
  readonly inScope: Money | null;
}

/** A visit already priced by the pool: what is left to decide is who pays the personal share. Amounts in yuan. */
export interface Claim {
  readonly claimId: string;
  readonly encounterId: string;
  readonly personNo: string;
  readonly providerCode: string;
  readonly designated: boolean;
  readonly providerArea: Area;
  readonly visitType: string;
  readonly purpose: Purpose;
  readonly crossRegionFiled: boolean;
  /** False where the patient declined the use of any personal account (个人账户使用标志 0). */
  readonly accountsUsed: boolean;
  readonly settledAt: Instant;
  /** The moment and the message id in the sender's own text, echoed in the outcome. */
  readonly settledAtText: string;
  readonly senderSettlementId: string | null;
  readonly totalFee: Money;
  readonly fundPaid: Money;
  readonly hospitalBorne: Money;
  readonly personalShare: Money;
  readonly scope: ScopeAmounts;
}

/**
 * The identities a claim must satisfy. I1: total = pooled fund + hospital + personal share. I3: total = the four scope
 * amounts, when all four are given. Returns the name of the first that fails, else null.
 */
export function brokenIdentity(claim: Claim): 'I1' | 'I3' | null {
  if (!equalMoney(claim.totalFee, sum([claim.fundPaid, claim.hospitalBorne, claim.personalShare]))) return 'I1';
  const { fullyOwnPaid, overLimit, preSelfPaid, inScope } = claim.scope;
  if (fullyOwnPaid === null || overLimit === null || preSelfPaid === null || inScope === null) return null;
  const inAndOut = add(add(fullyOwnPaid, overLimit), add(preSelfPaid, inScope));
  return equalMoney(claim.totalFee, inAndOut) ? null : 'I3';
}

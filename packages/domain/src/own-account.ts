import { isWithin } from './area.ts';
import type { CalendarDate } from './calendar.ts';
import { yearOf } from './calendar.ts';
import type { Claim } from './claim.ts';
import type { OwnSkipCode } from './codes.ts';
import { isZero } from './money.ts';
import { EMPLOYEE_INSURANCE, isInArrears, type Person } from './person.ts';
import type { Policy } from './policy.ts';
import { balanceOf, foldTo, type Purse } from './purse.ts';

/** The purse that the patient may pay from, or why not: the first failing test of rule 5.1 gives the code. */
export function evaluateOwn(
  claim: Claim,
  patient: Person,
  on: CalendarDate,
  policy: Policy,
): { readonly purse: Purse } | { readonly code: OwnSkipCode } {
  const { purse } = patient;
  if (purse === null || patient.insuranceKind !== EMPLOYEE_INSURANCE) return { code: 'OWN_NO_ACCOUNT' };
  if (!claim.accountsUsed) return { code: 'ACCOUNT_USE_DECLINED' };
  if (patient.status === 'FROZEN') return { code: 'OWN_ACCOUNT_FROZEN' };
  if (patient.status === 'CLOSED') return { code: 'OWN_ACCOUNT_CLOSED' };
  if (policy.requireCardActive && !patient.cardActive) return { code: 'OWN_CARD_INACTIVE' };
  if (!policy.ownAccountUsableInArrears && isInArrears(patient, on, policy)) return { code: 'OWN_IN_ARREARS' };
  if (
    policy.ownRequiresCrossRegionFiling &&
    !claim.crossRegionFiled &&
    !isWithin('SAME_POOLING_AREA', patient.insuredArea, claim.providerArea, policy)
  ) {
    return { code: 'OWN_CROSS_REGION_NOT_FILED' };
  }
  if (isZero(balanceOf(purse))) return { code: 'OWN_ZERO_BALANCE' };
  return { purse: foldTo(purse, yearOf(on)) };
}

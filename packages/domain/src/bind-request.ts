import { dateOf } from './calendar.ts';
import type { BindRefusalCode } from './codes.ts';
import type { BindingChanges } from './member-event.ts';
import { compareMoney } from './money.ts';
import { type Binding, isInArrears, type Person, stateOn } from './person.ts';
import type { Policy } from './policy.ts';

const LIVE = new Set(['PENDING', 'ACTIVE', 'PAUSED']);

/**
 * Why a request to bind is refused, or null: by the payer's policy on the date of `bound_at`; the first failing test decides (rule 11).
 * `related`: every binding that names the payer or the beneficiary, in either role.
 */
export function bindObstacle(
  binding: Binding,
  payer: Person,
  related: Iterable<Binding>,
  policy: Policy,
): BindRefusalCode | null {
  const on = dateOf(binding.boundAt);
  if (binding.payer === binding.beneficiary) return 'SELF_BINDING';
  if (!policy.allowedRelations.has(binding.relation)) return 'RELATION_NOT_ALLOWED';
  if (policy.bindRequiresNormalContribution && isInArrears(payer, on, policy)) return 'PAYER_IN_ARREARS';
  // A KINSHIP_CODE binding (亲情账户) only shows a code and moves no money: it needs no limit and exceeds none.
  if (binding.type !== 'FAMILY_SHARING') return null;
  if (policy.dailyLimitRequired && binding.dailyLimit === null) return 'DAILY_LIMIT_MISSING';
  if (
    policy.dailyLimitMax !== null &&
    binding.dailyLimit !== null &&
    compareMoney(binding.dailyLimit, policy.dailyLimitMax) > 0
  ) {
    return 'DAILY_LIMIT_TOO_HIGH';
  }
  const live = [...related, binding].filter((other) => other.type === 'FAMILY_SHARING' && LIVE.has(stateOn(other, on)));
  return exceedsLimits(binding, live, policy) ? 'BINDING_LIMIT_EXCEEDED' : null;
}

/** Whether a change removes a daily limit that the region requires for such a binding. */
export const clearsRequiredLimit = (before: Binding, { dailyLimit }: BindingChanges, policy: Policy): boolean =>
  policy.dailyLimitRequired && before.type === 'FAMILY_SHARING' && before.dailyLimit !== null && dailyLimit === null;

function exceedsLimits(binding: Binding, live: readonly Binding[], policy: Policy): boolean {
  const over = (count: number, limit: number | null) => limit !== null && count > limit;
  const payers = new Set(live.filter((other) => other.beneficiary === binding.beneficiary).map((other) => other.payer));
  const members = new Set(live.filter((other) => other.payer === binding.payer).map((other) => other.beneficiary));
  return (
    over(payers.size, policy.maxPayersPerBeneficiary) ||
    over(members.size, policy.maxBeneficiariesPerPayer) ||
    over(familiesOf(binding.payer, live).size, policy.maxFamiliesPerPerson) ||
    over(familiesOf(binding.beneficiary, live).size, policy.maxFamiliesPerPerson)
  );
}

/** The families that a person belongs to, named by payer: a family is one payer and the persons bound to them. */
function familiesOf(personNo: string, live: readonly Binding[]): Set<string> {
  return new Set(
    live.filter((other) => other.payer === personNo || other.beneficiary === personNo).map((other) => other.payer),
  );
}

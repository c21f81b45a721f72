import { arrearsSince, blockApproved, isInArrears, worksAgainOn } from './arrears.ts';
import { shanghaiDate } from './dates.ts';
import type { Refusal } from './members.ts';
import type { Policy } from './policy.ts';
import { addReason, publishBinding, removeReason } from './sharing.ts';
import type { Reason } from './types.ts';
import type { Fields } from './wire.ts';
import { type Binding, type Cause, isLive, type Person, stateOf, type World } from './world.ts';

/** `binding.opened`: enters with the state it has elsewhere; nothing is published for an import. */
export function openBinding(world: World, fields: Fields): void {
  const state = fields.text('state');
  const binding = readBinding(fields, isLiveState(state) ? 'LIVE' : state);
  if (isLiveState(state))
    for (const reason of fields.list('pause_reasons')) binding.reasons.set(reason as Reason, null);
  world.addBinding(binding);
}

/** Whether an imported state is one that reasons and dates then tell apart: ACTIVE, PAUSED, EXPIRED. */
export function isLiveState(state: string): boolean {
  return ['ACTIVE', 'PAUSED', 'EXPIRED'].includes(state);
}

/** The first day of a binding, by default that on which it was bound. */
export function effectiveFrom(fields: Fields): string {
  return fields.textOr('effective_from', shanghaiDate(fields.instant('bound_at').ms));
}

/** `binding.requested`: refused with a code and no binding, or PENDING without a word. */
export function requestBinding(world: World, payer: Person, fields: Fields, date: string): void {
  const binding = readBinding(fields, 'PENDING');
  const code = requestRefusal(world, payer, binding, date);
  if (code === null) world.addBinding(binding);
  else publishBinding(world, 'binding.refused', binding, { state: null, at: fields.instant('bound_at').text, code });
}

function readBinding(fields: Fields, stage: string): Binding {
  return {
    binding_id: fields.text('binding_id'),
    payer: fields.text('payer'),
    beneficiary: fields.text('beneficiary'),
    relation: fields.text('relation'),
    type: fields.text('type'),
    bound_at: fields.instant('bound_at').ms,
    effective_from: effectiveFrom(fields),
    stage: stage as Binding['stage'],
    reasons: new Map(),
    priority: fields.intOr('priority', null),
    effective_to: fields.textOr('effective_to', null),
    daily_limit: fields.fenOr('daily_limit', null),
    authorised_amount: fields.fenOr('authorised_amount', null),
    premium_registered: fields.flag('premium_registered'),
  };
}

function requestRefusal(world: World, payer: Person, binding: Binding, date: string): string | null {
  const policy = world.policy(payer, date);
  if (binding.payer === binding.beneficiary) return 'SELF_BINDING';
  if (!policy.allowedRelations.includes(binding.relation)) return 'RELATION_NOT_ALLOWED';
  if (policy.bindRequiresNormalContribution && isInArrears(payer, policy, date)) return 'PAYER_IN_ARREARS';
  if (binding.type !== 'FAMILY_SHARING') return null;
  if (policy.dailyLimitRequired && binding.daily_limit === null) return 'DAILY_LIMIT_MISSING';
  if (binding.daily_limit !== null && policy.dailyLimitMax !== null && binding.daily_limit > policy.dailyLimitMax) {
    return 'DAILY_LIMIT_TOO_HIGH';
  }
  return exceedsLimits(world, binding, policy, date) ? 'BINDING_LIMIT_EXCEEDED' : null;
}

function exceedsLimits(world: World, request: Binding, policy: Policy, date: string): boolean {
  const people = [request.payer, request.beneficiary];
  const ties = people.flatMap((each) => [...world.bindingsOf(each), ...world.bindingsFor(each)]);
  const open = [...new Set(ties), request].filter(
    (each) => each.type === 'FAMILY_SHARING' && ['PENDING', 'ACTIVE', 'PAUSED'].includes(stateOf(each, date)),
  );
  const payers = new Set(open.filter((each) => each.beneficiary === request.beneficiary).map((each) => each.payer));
  const family = new Set(open.filter((each) => each.payer === request.payer).map((each) => each.beneficiary));
  // A family is known by its payer, so a person's families are the payers they are bound to, and themselves as a payer.
  const familiesOf = (psn_no: string) =>
    new Set(open.filter((each) => each.payer === psn_no || each.beneficiary === psn_no).map((each) => each.payer));
  return (
    payers.size > (policy.maxPayersPerBeneficiary ?? payers.size) ||
    family.size > (policy.maxBeneficiariesPerPayer ?? family.size) ||
    people.some((each) => {
      const families = familiesOf(each).size;
      return families > (policy.maxFamiliesPerPerson ?? families);
    })
  );
}

/** `binding.approved`, `.rejected`, `.revoked`, `.changed`, `.paused`, `.resumed` of a binding known to be this payer's. */
export function moveBinding(
  world: World,
  type: string,
  binding: Binding,
  fields: Fields,
  date: string,
  cause: Cause,
): Refusal {
  const at = fields.instant('at').text;
  const state = stateOf(binding, date);
  const isOpen = ['PENDING', 'ACTIVE', 'PAUSED'].includes(state);
  switch (type) {
    case 'binding.approved':
      if (state !== 'PENDING') return 'TRANSITION_NOT_ALLOWED';
      binding.stage = 'LIVE';
      publishBinding(world, 'binding.activated', binding, { state: 'ACTIVE', at });
      blockApproved(world, world.person(binding.payer), binding, date, cause);
      return null;
    case 'binding.rejected':
      if (state !== 'PENDING') return 'TRANSITION_NOT_ALLOWED';
      binding.stage = 'REJECTED';
      publishBinding(world, type, binding, { state: 'REJECTED', at });
      return null;
    case 'binding.revoked':
      if (!isOpen) return 'TRANSITION_NOT_ALLOWED';
      binding.stage = 'REVOKED';
      binding.reasons.clear();
      publishBinding(world, type, binding, { state: 'REVOKED', at });
      return null;
    case 'binding.changed':
      if (!isOpen) return 'TRANSITION_NOT_ALLOWED';
      if (clearsRequiredLimit(world, binding, fields, date)) return 'DAILY_LIMIT_MISSING';
      changeBinding(binding, fields);
      return null;
    default:
      return isLive(binding, date)
        ? switchByPayer(world, type, binding, fields, date, cause)
        : 'TRANSITION_NOT_ALLOWED';
  }
}

/** The limit that a region asks for at binding cannot be taken away afterwards. */
function clearsRequiredLimit(world: World, binding: Binding, fields: Fields, date: string): boolean {
  const { dailyLimitRequired } = world.policy(world.person(binding.payer), date);
  const isCleared = fields.has('daily_limit') && fields.fenOr('daily_limit', null) === null;
  return dailyLimitRequired && binding.type === 'FAMILY_SHARING' && binding.daily_limit !== null && isCleared;
}

function changeBinding(binding: Binding, fields: Fields): void {
  if (fields.has('priority')) binding.priority = fields.intOr('priority', null);
  if (fields.has('daily_limit')) binding.daily_limit = fields.fenOr('daily_limit', null);
  if (fields.has('authorised_amount')) binding.authorised_amount = fields.fenOr('authorised_amount', null);
  if (fields.has('effective_to')) binding.effective_to = fields.textOr('effective_to', null);
  if (fields.has('premium_registered')) binding.premium_registered = fields.flag('premium_registered');
}

function switchByPayer(
  world: World,
  type: string,
  binding: Binding,
  fields: Fields,
  date: string,
  cause: Cause,
): Refusal {
  const change = { reason: 'USER', date, effective_on: date, cause } as const;
  if (type === 'binding.paused') {
    addReason(world, binding, change);
    return null;
  }
  if (fields.text('reason') === 'USER') {
    removeReason(world, binding, change);
    return null;
  }
  const payer = world.person(binding.payer);
  const policy = world.policy(payer, date);
  const waits = policy.resumeMode === 'MANUAL' || binding.reasons.has('ARREARS');
  if (!waits || arrearsSince(payer) !== null) return 'TRANSITION_NOT_ALLOWED';
  const effective_on = worksAgainOn(payer, policy, date);
  removeReason(world, binding, { ...change, reason: 'ARREARS', effective_on });
  return null;
}

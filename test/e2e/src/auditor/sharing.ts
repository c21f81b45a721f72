import { seenOn, sharable } from './account.ts';
import type { Reason } from './types.ts';
import { type Binding, type Cause, isLive, type Person, stateOf, type World } from './world.ts';

interface ReasonChange {
  readonly reason: Reason;
  /** The date of the event, on which the published state is told. */
  readonly date: string;
  readonly effective_on: string;
  readonly cause: Cause;
}

/** Adds a pause reason; publishes only a real change of the set. */
export function addReason(world: World, binding: Binding, change: ReasonChange): void {
  if (binding.reasons.has(change.reason)) return;
  binding.reasons.set(change.reason, change.effective_on);
  publishChange(world, 'sharing.paused', binding, change);
}

/** Removes a pause reason; publishes only a real change of the set. */
export function removeReason(world: World, binding: Binding, change: ReasonChange): void {
  if (!binding.reasons.delete(change.reason)) return;
  publishChange(world, 'sharing.resumed', binding, change);
}

function publishChange(world: World, type: string, binding: Binding, change: ReasonChange): void {
  const { reason, date, effective_on, cause } = change;
  const unknowable = cause.ce_type === 'calendar' ? ['cause'] : cause.id === null ? ['cause.id'] : [];
  world.publish(
    'sharing',
    binding.payer,
    type,
    {
      binding_id: binding.binding_id,
      payer: binding.payer,
      beneficiary: binding.beneficiary,
      reason,
      pause_reasons: [...binding.reasons.keys()].sort(),
      state: stateOf(binding, date),
      effective_on,
      cause: { ce_type: cause.ce_type, id: cause.id },
    },
    unknowable,
  );
}

/** Publishes a transition of a binding, or the refusal of a request (which has a code and leaves no binding). */
export function publishBinding(
  world: World,
  type: string,
  binding: Pick<Binding, 'binding_id' | 'payer' | 'beneficiary'>,
  rest: { readonly state: string | null; readonly at: string; readonly code?: string },
): void {
  const { binding_id, payer, beneficiary } = binding;
  const unknowable = rest.state === null ? ['state'] : [];
  world.publish('sharing', payer, type, { binding_id, payer, beneficiary, ...rest }, unknowable);
}

/** After a posting: ZERO_BALANCE comes to every live binding of this payer when nothing sharable is left, and goes when something is. */
export function reviewZeroBalance(world: World, person: Person, date: string, cause: Cause): void {
  if (person.account === null) return;
  const policy = world.policy(person, date);
  const balance = sharable(person.account, policy);
  for (const binding of world.bindingsOf(person.psn_no)) {
    if (!isLive(binding, date)) continue;
    const change: ReasonChange = { reason: 'ZERO_BALANCE', date, effective_on: date, cause };
    if (balance > 0n) removeReason(world, binding, change);
    else if (policy.pauseOnZeroBalance) addReason(world, binding, change);
  }
}

/** 1 January: the rollover is a posting where it lifts ZERO_BALANCE from a binding, and nothing otherwise. */
export function rollOver(world: World, person: Person, newYearsDay: string): void {
  if (person.account === null) return;
  const rolled = seenOn(person.account, newYearsDay);
  const isWaiting = world
    .bindingsOf(person.psn_no)
    .some((binding) => isLive(binding, newYearsDay) && binding.reasons.has('ZERO_BALANCE'));
  if (!isWaiting || sharable(rolled, world.policy(person, newYearsDay)) === 0n) return;
  person.account = rolled;
  reviewZeroBalance(world, person, newYearsDay, { ce_type: 'calendar', id: null });
}

import type { CalendarDate } from './calendar.ts';
import { type Binding, type BindingState, type PauseReason, stateOn } from './person.ts';

export const BINDING_EVENTS = ['APPROVE', 'REJECT', 'REVOKE', 'CHANGE', 'HOLD', 'LIFT'] as const;
export type BindingEvent = (typeof BINDING_EVENTS)[number];
type ShownState = BindingState | 'EXPIRED';

/** Where each event takes a binding from each state; null = not allowed. HOLD and LIFT then depend on what is still held. */
const NEXT: Readonly<Record<ShownState, Readonly<Record<BindingEvent, BindingState | null>>>> = {
  PENDING: { APPROVE: 'ACTIVE', REJECT: 'REJECTED', REVOKE: 'REVOKED', CHANGE: 'PENDING', HOLD: null, LIFT: null },
  ACTIVE: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'ACTIVE', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  PAUSED: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'PAUSED', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  REJECTED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  REVOKED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  EXPIRED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
};

/** The state after an event on a date, or null where the state does not allow it. */
export const nextState = (binding: Binding, event: BindingEvent, on: CalendarDate): BindingState | null =>
  NEXT[stateOn(binding, on)][event];

/** The binding with a reason to pause added; the same object when it was there already or cannot be paused. */
export function hold(binding: Binding, reason: PauseReason, from: CalendarDate, on: CalendarDate): Binding {
  if (binding.holds.has(reason) || nextState(binding, 'HOLD', on) === null) return binding;
  return { ...binding, state: 'PAUSED', holds: new Map([...binding.holds, [reason, from]]) };
}

/** The binding with a reason removed, ACTIVE once none is left; the same object when it was not there. */
export function lift(binding: Binding, reason: PauseReason, on: CalendarDate): Binding {
  if (!binding.holds.has(reason) || nextState(binding, 'LIFT', on) === null) return binding;
  const holds = new Map(binding.holds);
  holds.delete(reason);
  return { ...binding, state: holds.size === 0 ? 'ACTIVE' : 'PAUSED', holds };
}

/** The binding with another first day of a reason it has; the same object when nothing changes or it has ended. */
export function redate(binding: Binding, reason: PauseReason, from: CalendarDate, on: CalendarDate): Binding {
  const held = binding.holds.get(reason);
  if (held === undefined || held === from || nextState(binding, 'HOLD', on) === null) return binding;
  return { ...binding, holds: new Map(binding.holds).set(reason, from) };
}

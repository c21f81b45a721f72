import type { CalendarDate } from './calendar.ts';
import { type Binding, type BindingState, type PauseReason, stateOn } from './person.ts';

export const BINDING_EVENTS = ['APPROVE', 'REJECT', 'REVOKE', 'CHANGE', 'HOLD', 'LIFT'] as const;
export type BindingEvent = (typeof BINDING_EVENTS)[number];
type ShownState = BindingState | 'EXPIRED';

/** The state each event leads to; null = not allowed. After HOLD and LIFT the remaining reasons decide the state. */
const NEXT: Readonly<Record<ShownState, Readonly<Record<BindingEvent, BindingState | null>>>> = {
  PENDING: { APPROVE: 'ACTIVE', REJECT: 'REJECTED', REVOKE: 'REVOKED', CHANGE: 'PENDING', HOLD: null, LIFT: null },
  ACTIVE: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'ACTIVE', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  PAUSED: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'PAUSED', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  REJECTED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  REVOKED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  EXPIRED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
};

/** The state after an event on a date; null where the binding's state does not allow the event. */
export const nextState = (binding: Binding, event: BindingEvent, on: CalendarDate): BindingState | null =>
  NEXT[stateOn(binding, on)][event];

/**
 * Adds a pause reason that holds from a day on. Answers the same object where the reason is there already or the binding cannot be paused.
 */
export function hold(binding: Binding, reason: PauseReason, from: CalendarDate, on: CalendarDate): Binding {
  if (binding.holds.has(reason) || nextState(binding, 'HOLD', on) === null) return binding;
  return { ...binding, state: 'PAUSED', holds: new Map([...binding.holds, [reason, from]]) };
}

/** Removes a pause reason; ACTIVE once none is left. Answers the same object where the reason was not there. */
export function lift(binding: Binding, reason: PauseReason, on: CalendarDate): Binding {
  if (!binding.holds.has(reason) || nextState(binding, 'LIFT', on) === null) return binding;
  const holds = new Map(binding.holds);
  holds.delete(reason);
  return { ...binding, state: holds.size === 0 ? 'ACTIVE' : 'PAUSED', holds };
}

/** Changes the first day of a pause reason. Answers the same object where nothing changes or the binding has ended. */
export function redate(binding: Binding, reason: PauseReason, from: CalendarDate, on: CalendarDate): Binding {
  const held = binding.holds.get(reason);
  if (held === undefined || held === from || nextState(binding, 'HOLD', on) === null) return binding;
  return { ...binding, holds: new Map(binding.holds).set(reason, from) };
}

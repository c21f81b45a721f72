import { describe, expect, test } from 'vitest';
import { redate } from '../src/binding-state.ts';
import { BINDING_EVENTS, BINDING_STATES, date, hold, lift, nextState, PAUSE_REASONS, stateOn } from '../src/index.ts';
import { binding } from './builders.ts';

const on = date('2025-03-10');
const USER_HELD = new Map([['USER', on]] as const);

/** A binding in each state as a date finds it. */
const SHOWN = {
  ...Object.fromEntries(
    BINDING_STATES.map((state) => [state, binding({ state, ...(state === 'PAUSED' ? { holds: USER_HELD } : {}) })]),
  ),
  EXPIRED: binding({ effectiveTo: date('2025-03-09') }),
};

const TABLE: Readonly<Record<string, Readonly<Record<(typeof BINDING_EVENTS)[number], string | null>>>> = {
  PENDING: { APPROVE: 'ACTIVE', REJECT: 'REJECTED', REVOKE: 'REVOKED', CHANGE: 'PENDING', HOLD: null, LIFT: null },
  REJECTED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  ACTIVE: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'ACTIVE', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  PAUSED: { APPROVE: null, REJECT: null, REVOKE: 'REVOKED', CHANGE: 'PAUSED', HOLD: 'PAUSED', LIFT: 'ACTIVE' },
  REVOKED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
  EXPIRED: { APPROVE: null, REJECT: null, REVOKE: null, CHANGE: null, HOLD: null, LIFT: null },
};

describe('the table of states', () => {
  test('has every state', () => expect(Object.keys(TABLE).sort()).toEqual(Object.keys(SHOWN).sort()));
  for (const [state, one] of Object.entries(SHOWN)) {
    for (const event of BINDING_EVENTS) {
      test(`${state} on ${event} becomes ${TABLE[state]?.[event] ?? 'nothing: not allowed'} (C5)`, () => {
        expect(stateOn(one, on)).toBe(state);
        expect(nextState(one, event, on)).toBe(TABLE[state]?.[event]);
      });
    }
  }
});

test('lifting one reason does not lift another (I10)', () => {
  const all = PAUSE_REASONS.reduce((held, reason) => hold(held, reason, on, on), binding());
  expect(all.state).toBe('PAUSED');
  const left = PAUSE_REASONS.slice(1).reduce((held, reason) => lift(held, reason, on), all);
  expect([left.state, [...left.holds.keys()]]).toEqual(['PAUSED', [PAUSE_REASONS[0]]]);
  expect(lift(left, PAUSE_REASONS[0], on)).toMatchObject({ state: 'ACTIVE', holds: new Map() });
});

test('adding a reason that is there or removing one that is not changes nothing, not even the object (I11)', () => {
  const held = hold(binding(), 'USER', on, on);
  expect(hold(held, 'USER', date('2025-04-01'), on)).toBe(held);
  expect(lift(held, 'ARREARS', on)).toBe(held);
  for (const state of ['PENDING', 'REJECTED', 'REVOKED'] as const) {
    const still = binding({ state });
    expect(hold(still, 'ARREARS', on, on)).toBe(still);
  }
});

test('another first day of a reason changes no state, and nothing of what has ended or does not have it', () => {
  const [first, later] = [hold(binding(), 'ARREARS', on, on), date('2025-04-01')];
  expect(redate(first, 'ARREARS', later, on)).toEqual({ ...first, holds: new Map([['ARREARS', later]]) });
  expect(redate(first, 'ARREARS', on, on)).toBe(first);
  expect(redate(first, 'USER', later, on)).toBe(first);
  const ended = { ...first, effectiveTo: date('2025-03-09') };
  expect(redate(ended, 'ARREARS', later, on)).toBe(ended);
});

test('a binding expires the day after its last day, PENDING ones do not', () => {
  const one = binding({ effectiveTo: on });
  expect([stateOn(one, on), stateOn(one, date('2025-03-11'))]).toEqual(['ACTIVE', 'EXPIRED']);
  expect(stateOn({ ...one, state: 'PENDING' }, date('2025-03-11'))).toBe('PENDING');
});

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  addDays,
  applyArrearsCheck,
  applyMemberEvent,
  applyNewYear,
  arrearsStart,
  BEGINNING,
  type Binding,
  blockStart,
  type DueWork,
  dateOf,
  enforceArrears,
  firstDayUnpaid,
  type MemberEvent,
  PAUSE_REASONS,
  type PauseReason,
  type Period,
  type Policy,
  parsePeriod,
  type SharingEvent,
  startOf,
} from '../src/index.ts';
import { amount, day, policy } from './arbitraries.ts';
import { binding, lookup, person, World } from './builders.ts';

/** A busy machine may take its time over so many walks. */
vi.setConfig({ testTimeout: 60_000 });

const cause = { type: 'walk', id: '1' };
const periods = ['2024-11', '2024-12', '2025-01'].flatMap((text) => parsePeriod(text) ?? []);
const period = fc.constantFrom(...periods);
const payer = fc.constantFrom('P2', 'P3');
const ids = ['B1', 'B2', 'B3'];
const bindingId = fc.constantFrom(...ids);
const payerOf = (id: string) => (id === 'B3' ? 'P3' : 'P2');
const dueDate = (month: Period) => addDays(`${month}-01` as Parameters<typeof addDays>[0], 27);

/** A member event without its moment; the walk gives it one, never earlier than the one before. */
const step: fc.Arbitrary<(at: number) => MemberEvent | 'CHECK'> = fc.oneof(
  fc.record({ payer, month: period }).map(
    ({ payer: personNo, month }) =>
      (at: number) =>
        ({ kind: 'CONTRIBUTION_MISSED', at, cause, personNo, period: month, dueDate: dueDate(month) }) as const,
  ),
  fc.record({ payer, month: period, amount: fc.option(amount, { nil: null }) }).map(
    ({ payer: personNo, month, amount: paid }) =>
      (at: number) =>
        ({
          kind: 'CONTRIBUTION_PAID',
          at,
          cause,
          personNo,
          period: month,
          amount: paid || null,
          reference: 'K',
        }) as const,
  ),
  fc
    .record({
      payer,
      changes: fc.record(
        {
          insured: fc.boolean(),
          employment: fc.constantFrom('ACTIVE', 'RETIRED', 'FLEXIBLE'),
          employerEnabled: fc.boolean(),
          status: fc.constantFrom('ACTIVE', 'CLOSED'),
        },
        { requiredKeys: [] },
      ),
    })
    .map(
      ({ payer: personNo, changes }) =>
        (at: number) =>
          ({ kind: 'ACCOUNT_CHANGED', at, cause, personNo, changes }) as const,
    ),
  fc
    .record({
      id: bindingId,
      kind: fc.constantFrom(
        'BINDING_APPROVED',
        'BINDING_REJECTED',
        'BINDING_REVOKED',
        'BINDING_PAUSED',
        'BINDING_PAUSED',
      ),
    })
    .map(
      ({ id, kind }) =>
        (at: number) =>
          ({ kind, at, cause, payer: payerOf(id), bindingId: id }) as const,
    ),
  fc.record({ id: bindingId, reason: fc.constantFrom('USER', 'USER', 'ARREARS') }).map(
    ({ id, reason }) =>
      (at: number) =>
        ({ kind: 'BINDING_RESUMED', at, cause, payer: payerOf(id), bindingId: id, reason }) as const,
  ),
  fc.record({ id: bindingId, effectiveTo: fc.option(day, { nil: null }) }).map(
    ({ id, effectiveTo }) =>
      (at: number) =>
        ({ kind: 'BINDING_CHANGED', at, cause, payer: payerOf(id), bindingId: id, changes: { effectiveTo } }) as const,
  ),
  fc.constant(() => 'CHECK' as const),
);
const walk = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 12 })), { minLength: 1, maxLength: 25 });

function start(rules: Policy): World {
  return new World(
    {
      persons: [person({ personNo: 'P2' }), person({ personNo: 'P3' })],
      bindings: ids.map((id, i) =>
        binding({
          bindingId: id,
          payer: payerOf(id),
          beneficiary: `P${7 + i}`,
          state: id === 'B2' ? 'PENDING' : 'ACTIVE',
        }),
      ),
    },
    lookup(rules),
  );
}

/** Walks through the events as the sharing worker would: what earlier days left for a day is done first. */
function take(
  world: World,
  walked: readonly [(at: number) => MemberEvent | 'CHECK', number][],
  look: (told: readonly SharingEvent[], on: string) => void,
) {
  let at = Date.parse('2024-12-20T09:00:00+08:00');
  let due: DueWork[] = [];
  for (const [make, days] of walked) {
    at += days * 86_400_000;
    const on = dateOf(at);
    const told: SharingEvent[] = [];
    const event = make(at);
    for (const personNo of ['P2', 'P3']) told.push(...applyNewYear(world, personNo, on, cause));
    for (const work of due.filter(({ dueOn }) => dueOn <= on)) {
      const who = world.books.person(work.payer);
      if (who === undefined) throw new Error('work is left for a known person');
      const done = enforceArrears(world, who, { at: startOf(work.dueOn), cause });
      told.push(...done.events);
      due.push(...done.due);
    }
    due = due.filter(({ dueOn }) => dueOn > on);
    const results =
      event === 'CHECK'
        ? ['P2', 'P3'].map((who) => applyArrearsCheck(world, who, on, cause))
        : [applyMemberEvent(event, world)];
    for (const result of results) {
      if ('kind' in result && result.kind === 'DEAD') continue;
      told.push(...result.events);
      due.push(...result.due);
    }
    look(told, on);
  }
}

test('PAUSED exactly while a reason is held; what has ended stays ended; every event told of is a real change (I10, I11, C5)', () => {
  fc.assert(
    fc.property(policy, walk, (rules, walked) => {
      const world = start(rules);
      let before = snapshot(world);
      take(world, walked, (told) => {
        const after = snapshot(world);
        for (const [id, one] of after) {
          const was = before.get(id);
          expect(one.state === 'PAUSED').toBe(one.holds.size > 0);
          if (was?.state === 'REVOKED' || was?.state === 'REJECTED') expect(one).toBe(was);
          expect(
            replay(
              was,
              told.filter((event) => event.binding.bindingId === id),
            ),
          ).toEqual(new Set(one.holds.keys()));
        }
        before = after;
      });
    }),
    { numRuns: 200 },
  );
});

test('arrears follow the unpaid months and the insurance, and block every live binding from their day on (I12)', () => {
  fc.assert(
    fc.property(policy, walk, (rules, walked) => {
      const world = start(rules);
      take(world, walked, (_, on) => {
        for (const personNo of ['P2', 'P3']) {
          const who = world.books.person(personNo);
          if (who === undefined) throw new Error('a person once opened stays');
          expect(who.arrearsSince).toBe(firstDayUnpaid(world.contributions.monthsOf(personNo)));
          const since = arrearsStart(who);
          expect(who.spellSince === null).toBe(since === null);
          if (since !== null && who.spellSince !== null) expect(who.spellSince <= since).toBe(true);
          const blocked = blockStart(who, rules);
          for (const one of world.books.bindingsBy(personNo)) {
            const live =
              (one.state === 'ACTIVE' || one.state === 'PAUSED') && (one.effectiveTo === null || on <= one.effectiveTo);
            if (live && blocked !== null && blocked <= on && one.effectiveTo === null)
              expect(one.holds.has('ARREARS')).toBe(true);
            if (rules.resumeMode === 'AUTO' && since === null && live) expect(one.holds.has('ARREARS')).toBe(false);
          }
        }
      });
    }),
    { numRuns: 200 },
  );
});

test('contributions in any order, any number of times, leave the same months unpaid and the same first day (I13)', () => {
  const facts = fc.array(fc.record({ month: period, paid: fc.boolean() }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(facts, fc.infiniteStream(fc.nat()), (given, dice) => {
      const events = given.map(({ month, paid }) =>
        paid
          ? ({
              kind: 'CONTRIBUTION_PAID',
              at: 0,
              cause,
              personNo: 'P2',
              period: month,
              amount: null,
              reference: '',
            } as const)
          : ({
              kind: 'CONTRIBUTION_MISSED',
              at: 0,
              cause,
              personNo: 'P2',
              period: month,
              dueDate: dueDate(month),
            } as const),
      );
      const shuffled = [...events, ...events]
        .map((one) => ({ one, rank: dice.next().value }))
        .sort((a, b) => a.rank - b.rank);
      const unpaidAfter = (order: readonly MemberEvent[]) => {
        const world = start(lookup()('330106', BEGINNING));
        for (const event of order) applyMemberEvent(event, world);
        const months = [...world.contributions.monthsOf('P2')].filter((one) => !one.paid).map((one) => one.period);
        return { months: months.sort(), since: world.books.person('P2')?.arrearsSince };
      };
      const inOrder = unpaidAfter(events);
      expect(unpaidAfter(shuffled.map(({ one }) => one))).toEqual(inOrder);
      const paid = new Set(given.flatMap((fact) => (fact.paid ? [fact.month] : [])));
      const missed = new Set(given.flatMap((fact) => (fact.paid || paid.has(fact.month) ? [] : [fact.month])));
      expect(inOrder.months).toEqual([...missed].sort());
    }),
    { numRuns: 200 },
  );
});

test('an event that is dead changes nothing at all (C4)', () => {
  fc.assert(
    fc.property(policy, walk, (rules, walked) => {
      const world = start(rules);
      let at = Date.parse('2024-12-20T09:00:00+08:00');
      for (const [make, days] of walked) {
        at += days * 86_400_000;
        const event = make(at);
        if (event === 'CHECK') continue;
        const before = [
          snapshot(world),
          ['P2', 'P3'].map((who) => world.books.person(who)),
          new Map(world.months),
          world.books.entries.length,
        ];
        if (applyMemberEvent(event, world).kind === 'DONE') continue;
        expect([
          snapshot(world),
          ['P2', 'P3'].map((who) => world.books.person(who)),
          new Map(world.months),
          world.books.entries.length,
        ]).toEqual(before);
      }
    }),
    { numRuns: 200 },
  );
});

const snapshot = (world: World): Map<string, Binding> =>
  new Map(
    ids.flatMap((id) => {
      const one = world.books.binding(id);
      return one === undefined ? [] : [[id, one] as const];
    }),
  );

/** The reasons that a listener would believe held; throws where an event told of says nothing new. */
function replay(was: Binding | undefined, told: readonly SharingEvent[]): Set<PauseReason> {
  let held = new Set<PauseReason>(was?.holds.keys());
  for (const event of told) {
    if (event.kind === 'REVOKED') held = new Set();
    if (event.kind !== 'PAUSED' && event.kind !== 'RESUMED') continue;
    expect(PAUSE_REASONS).toContain(event.reason);
    expect(held.has(event.reason)).toBe(event.kind === 'RESUMED');
    if (event.kind === 'PAUSED') held.add(event.reason);
    else held.delete(event.reason);
  }
  return held;
}

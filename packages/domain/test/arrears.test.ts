import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addDays,
  applyArrearsCheck,
  applyMemberEvent,
  blockStart,
  type CalendarDate,
  type DueWork,
  date,
  decideClaim,
  enforceArrears,
  type MemberEvent,
  nextPeriod,
  type PolicyLookup,
  parsePeriod,
  periodOf,
  type SharingEvent,
  startOf,
} from '../src/index.ts';
import { BASE_POLICY, binding, claim, lookup, person, World } from './builders.ts';

const cause = { type: 'test', id: '1' };

/** A payer as the sharing worker meets them: what earlier days left for a day is done before anything else of that day. */
class Payer {
  readonly world: World;
  #due: DueWork[] = [];

  constructor(policyOf: PolicyLookup, facts: Partial<Parameters<typeof person>[0]> = {}) {
    const persons = [person({ personNo: 'P1', purse: null }), person({ ...facts, personNo: 'P2' })];
    this.world = new World(
      { persons, bindings: [binding(), binding({ bindingId: 'B2', beneficiary: 'P9' })] },
      policyOf,
    );
  }

  /** Takes an event of a date; answers what is told of it, work of earlier days included. */
  takes(on: string, event: object): string[] {
    const at = startOf(date(on)) + 3_600_000;
    const earlier = this.reaches(on);
    const verdict = applyMemberEvent({ personNo: 'P2', at, cause, ...event } as MemberEvent, this.world);
    if (verdict.kind === 'DEAD') return [...earlier, verdict.code];
    this.#due.push(...verdict.due);
    return [...earlier, ...verdict.events.map(told)];
  }

  isChecked(on: string): string[] {
    const earlier = this.reaches(on);
    const { events, due } = applyArrearsCheck(this.world, 'P2', date(on), cause);
    this.#due.push(...due);
    return [...earlier, ...events.map(told)];
  }

  /** What the calendar brings up to a date. */
  reaches(on: string): string[] {
    const all: string[] = [];
    for (let day = this.#nextDay(); day !== undefined && day <= on; day = this.#nextDay()) {
      const dueOn = day;
      this.#due = this.#due.filter((work) => work.dueOn !== dueOn);
      const { events, due } = enforceArrears(this.world, this.person(), { at: startOf(dueOn), cause });
      all.push(...events.map(told));
      this.#due.push(...due);
    }
    return all;
  }

  /** Whether a claim of a date, whenever it comes, is refused the payer's account for arrears. */
  isRefused(on: string): boolean {
    const { books, policyOf } = this.world;
    const { skipped } = decideClaim(claim({ settledAt: startOf(date(on)) }), books, policyOf);
    return skipped.some(({ code }) => code === 'PAYER_IN_ARREARS');
  }

  /** Everything that later decisions go by. */
  state() {
    const { arrearsSince, spellSince, recoveredOn, lastSpellStart } = this.person();
    const months = [...this.world.months.values()].map(({ period, dueDate, paid }) => ({ period, dueDate, paid }));
    return {
      ...{ arrearsSince, spellSince, recoveredOn, lastSpellStart },
      months: months.sort((a, b) => (a.period < b.period ? -1 : 1)),
      holds: this.world.books
        .bindingsBy('P2')
        .map(({ bindingId, holds }) => [bindingId, ...holds].flat())
        .sort(),
    };
  }

  person() {
    const found = this.world.books.person('P2');
    if (found === undefined) throw new Error('a person once opened stays');
    return found;
  }

  #nextDay = (): CalendarDate | undefined => this.#due.map(({ dueOn }) => dueOn).sort()[0];
}

const told = (event: SharingEvent): string =>
  'reason' in event
    ? `${event.binding.bindingId} ${event.kind} ${event.reason} ${event.effectiveOn}`
    : `${event.binding.bindingId} ${event.kind}`;

const months = ['2025-01', '2025-02', '2025-03'].flatMap((text) => parsePeriod(text) ?? []);

test('what a check reckons and what is stated of a month come to the same in any order and however often (I16)', () => {
  const stated = fc.record({ period: fc.constantFrom(...months), days: fc.integer({ min: -20, max: 40 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(0, 5, 20),
      fc.uniqueArray(stated, { selector: ({ period }) => period, maxLength: 3 }),
      fc.integer({ min: 0, max: 80 }),
      fc.infiniteStream(fc.nat()),
      (arrearsGraceDays, facts, days, dice) => {
        const on = addDays(date('2025-02-01'), days);
        const steps = [...facts, ...facts, null, null].map((fact) => (payer: Payer) => {
          if (fact === null) return payer.isChecked(on);
          const { period } = fact;
          const dueDate = addDays(date(`${nextPeriod(period)}-01`), fact.days);
          return payer.takes(on, { kind: 'CONTRIBUTION_MISSED', period, dueDate });
        });
        const shuffled = steps.map((step) => ({ step, rank: dice.next().value })).sort((a, b) => a.rank - b.rank);
        const after = (order: readonly ((payer: Payer) => unknown)[]) => {
          const payer = new Payer(lookup({ arrearsGraceDays }));
          for (const step of order) step(payer);
          const [now, later] = [payer.state(), addDays(on, 15)];
          payer.reaches(later);
          for (const period of [...months, periodOf(on)])
            payer.takes(later, { kind: 'CONTRIBUTION_PAID', period, amount: null, reference: '' });
          return [now, payer.state()];
        };
        expect(after(shuffled.map(({ step }) => step))).toEqual(after(steps));
      },
    ),
    { numRuns: 500 },
  );
});

test('a recovery is remembered exactly where arrears had paused sharing, by the first day of that pause (I17)', () => {
  const step = fc.record({
    kind: fc.constantFrom('MISSED', 'MISSED', 'PAID', 'PAID', 'CHECK'),
    period: fc.constantFrom(...months),
    due: fc.integer({ min: -30, max: 10 }),
    days: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(0, 10, 30), fc.array(step, { maxLength: 15 }), (arrearsGraceDays, steps) => {
      const payer = new Payer(lookup({ arrearsGraceDays }));
      let on = date('2025-02-01');
      for (const { kind, period, due, days } of steps) {
        on = addDays(on, days);
        payer.reaches(on);
        const before = payer.state();
        if (kind === 'CHECK') payer.isChecked(on);
        if (kind === 'MISSED') payer.takes(on, { kind: 'CONTRIBUTION_MISSED', period, dueDate: addDays(on, due) });
        if (kind === 'PAID') payer.takes(on, { kind: 'CONTRIBUTION_PAID', period, amount: null, reference: '' });
        const after = payer.state();
        const hasEnded = before.arrearsSince !== null && after.arrearsSince === null;
        const paused = hasEnded ? before.holds.flatMap((held) => held[2] ?? []) : [];
        for (const first of paused) expect(first).toBe(addDays(date(String(before.spellSince)), arrearsGraceDays));
        if (paused.length > 0) expect(after).toMatchObject({ recoveredOn: on, lastSpellStart: before.spellSince });
        else expect([after.recoveredOn, after.lastSpellStart]).toEqual([before.recoveredOn, before.lastSpellStart]);
      }
    }),
    { numRuns: 500 },
  );
});

test('after a check every live binding holds ARREARS as the facts and the rules of its date say, whatever moved or changed (I12)', () => {
  const [from, to] = [date('2025-02-20'), date('2025-03-20')];
  const pack = fc.record({
    pauseOnArrears: fc.boolean(),
    retireesExempt: fc.boolean(),
    arrearsGraceDays: fc.constantFrom(0, 0, 15),
  });
  const step = fc.record({
    days: fc.integer({ min: 0, max: 12 }),
    event: fc.constantFrom<object>(
      ...months.map((period, n) => ({ kind: 'CONTRIBUTION_MISSED', period, dueDate: date(`2025-0${n + 2}-05`) })),
      ...months.map((period) => ({ kind: 'CONTRIBUTION_PAID', period, amount: null, reference: '' })),
      ...['330106', '440106', '530106'].map((insuredArea) => ({ kind: 'ACCOUNT_CHANGED', changes: { insuredArea } })),
      ...['RETIRED', 'NONE'].map((employment) => ({ kind: 'ACCOUNT_CHANGED', changes: { employment } })),
      ...[true, false].map((insured) => ({ kind: 'ACCOUNT_CHANGED', changes: { insured } })),
    ),
  });
  fc.assert(
    fc.property(fc.tuple(pack, pack, pack), fc.array(step, { maxLength: 12 }), ([one, other, third], steps) => {
      // Areas differ in grace, versions do not: a check leaves what it paused before a version made the grace longer.
      const packs = [
        ['33', { ...one, arrearsGraceDays: 0 }, { ...other, arrearsGraceDays: 0 }],
        ['44', other, other],
        ['53', third, third],
      ] as const;
      const policyOf: PolicyLookup = (area, on) => {
        const [, before, after] = packs.find(([province]) => area.startsWith(province)) ?? packs[0];
        return { ...BASE_POLICY, ...(from <= on && on < to ? after : before) };
      };
      const payer = new Payer(policyOf);
      let on = date('2025-02-01');
      for (const { days, event } of steps) {
        on = addDays(on, days);
        payer.takes(on, event);
        payer.isChecked(on);
        const who = payer.person();
        const policy = policyOf(who.insuredArea, on);
        const [now, spell] = [blockStart(who, policy), blockStart(who, policy, who.spellSince)];
        const held = payer.state().holds.map((binding) => binding.includes('ARREARS'));
        if (now !== null && now <= on) expect(held).toEqual([true, true]);
        // A spell that has blocked goes on until nothing is unpaid, also where what is left is within its grace.
        else if (spell === null || spell > on) expect(held).toEqual([false, false]);
      }
    }),
    { numRuns: 500 },
  );
});

/** Grace of 30 days until the end of February, none from then on. */
const shortened: PolicyLookup = (
  (before, after) => (_: string, on: CalendarDate) =>
    on < '2025-03-01' ? before : after
)({ ...BASE_POLICY, arrearsGraceDays: 30 }, BASE_POLICY);
const JANUARY = { kind: 'CONTRIBUTION_MISSED', period: months[0], dueDate: date('2025-02-19') };

test('a version that shortens the grace blocks from its own first day, told of by the next check', () => {
  const payer = new Payer(shortened, { employment: 'NONE' });
  expect(payer.takes('2025-02-20', JANUARY)).toEqual([]);
  expect(payer.isChecked('2025-02-28')).toEqual([]);
  expect(payer.isChecked('2025-03-02')).toEqual(['B1 PAUSED ARREARS 2025-03-01', 'B2 PAUSED ARREARS 2025-03-01']);
  expect(payer.isChecked('2025-03-03')).toEqual([]);
  expect(payer.reaches('2025-03-31')).toEqual([]);
});

test('without a check the day that the longer grace had left tells of it, and so does an approval', () => {
  const payer = new Payer(shortened, { employment: 'NONE' });
  payer.takes('2025-02-20', JANUARY);
  const requested = { ...binding({ bindingId: 'B3' }), state: 'PENDING' };
  payer.takes('2025-02-21', { kind: 'BINDING_OPENED', binding: requested });
  expect(payer.takes('2025-03-05', { kind: 'BINDING_APPROVED', payer: 'P2', bindingId: 'B3' })).toEqual([
    'B3 ACTIVATED',
    'B3 PAUSED ARREARS 2025-03-01',
  ]);
  expect(payer.reaches('2025-03-22')).toEqual(['B1 PAUSED ARREARS 2025-03-01', 'B2 PAUSED ARREARS 2025-03-01']);
});

test('a pause begins with the first day of the block that lasts, each day by its own rules, and changes no claim (I18)', () => {
  const day = fc.integer({ min: 0, max: 60 }).map((days) => addDays(date('2025-02-01'), days));
  const version = fc.record({ pauseOnArrears: fc.boolean(), arrearsGraceDays: fc.constantFrom(0, 5, 20, 40) });
  fc.assert(
    fc.property(
      fc.tuple(version, version, version, version),
      fc.array(day, { minLength: 3, maxLength: 3 }),
      day,
      day,
      (versions, begun, since, on) => {
        const policies = versions.map((each) => ({ ...BASE_POLICY, ...each }));
        const from = begun.sort();
        const policyOf: PolicyLookup = (_, when) =>
          policies[from.filter((first) => first <= when).length] ?? BASE_POLICY;
        const payer = new Payer(policyOf, { employment: 'NONE', arrearsSince: since, spellSince: since });
        const days = Array.from({ length: 70 }, (_, n) => addDays(date('2025-01-25'), n)).filter((when) => when <= on);
        const refused = () => days.map((when) => payer.isRefused(when));
        const before = refused();
        const blocked = days[before.lastIndexOf(false) + 1];
        const policy = policyOf('330106', on);
        expect(payer.isChecked(on)).toEqual(
          blocked === undefined ? [] : ['B1', 'B2'].map((one) => `${one} PAUSED ARREARS ${blocked}`),
        );
        expect(blocked === undefined).toBe((blockStart(payer.person(), policy) ?? '9999') > on);
        expect(refused()).toEqual(before);
      },
    ),
    { numRuns: 500 },
  );
});

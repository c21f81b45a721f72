import { expect, test } from 'vitest';
import {
  applyMemberEvent,
  type Binding,
  date,
  decideClaim,
  type FactChange,
  type MemberEvent,
  type Person,
  type Policy,
  type PolicyLookup,
  parsePeriod,
  reachOf,
  reconsider,
} from '../src/index.ts';
import { binding, booksOf, claim, lookup, person, World } from './builders.ts';

const at = (text: string) => Date.parse(`${text}+08:00`);
const CLAIM = { kind: 'CLAIM', bindingId: 'B1', at: at('2025-03-10T10:00:00') } as const;
const noted = (change: FactChange, policy: Partial<Policy> = {}, draw: Parameters<typeof reconsider>[0] = CLAIM) =>
  Object.fromEntries(reconsider(draw, change, lookup(policy)).noted);

test.each<[string, Partial<Person>, Partial<Binding>, Partial<Policy>]>([
  ['BINDING_REVOKED', {}, { state: 'REVOKED' }, {}],
  ['BINDING_EXPIRED', {}, { effectiveTo: date('2025-03-09') }, {}],
  ['PAYER_NOT_EMPLOYEE_INSURED', { insuranceKind: '390' }, {}, {}],
  ['PAYER_ACCOUNT_FROZEN', { status: 'FROZEN' }, {}, {}],
  ['PAYER_ACCOUNT_CLOSED', { status: 'CLOSED' }, {}, {}],
  ['PAYER_CARD_INACTIVE', { cardActive: false }, {}, {}],
  ['EMPLOYER_NOT_ENABLED', { employerEnabled: false }, {}, { requireEmployerEnabled: true }],
  ['PAYER_IN_ARREARS', { uninsuredSince: date('2025-03-10'), spellSince: date('2025-03-10') }, {}, {}],
  ['PAUSED_BY_USER', {}, { holds: new Map([['USER', date('2025-03-10')]]) }, {}],
])(
  '%s speaks against an earlier draw exactly where the cascade passes a payer over for it',
  (code, facts, terms, policy) => {
    const payer = person({ personNo: 'P2' });
    const before = { payer, bindings: [binding()] };
    const after = { payer: { ...payer, ...facts }, bindings: [binding(terms)] };
    const change = { before, after, at: CLAIM.at };
    expect(noted(change, policy)).toEqual({ [code]: '2025-03-10' });
    expect(reachOf(change)).toBe(code === 'BINDING_EXPIRED' ? '2025-03-09' : '2025-03-10');
    const patient = person({ personNo: 'P1', purse: null });
    const skipsWith = (family: typeof after) =>
      decideClaim(
        claim(),
        booksOf({ persons: [patient, family.payer], bindings: family.bindings }),
        lookup(policy),
      ).skipped.map((skip) => skip.code);
    expect(skipsWith(after)).toContain(code);
    expect(skipsWith(before)).not.toContain(code);
    // The way back takes it off again.
    expect(reconsider(CLAIM, { before: after, after: before, at: CLAIM.at }, lookup(policy)).lifted).toEqual([code]);
  },
);

test('a premium is not judged by card and employer', () => {
  const payer = person({ personNo: 'P2' });
  const change = {
    before: { payer, bindings: [binding()] },
    after: { payer: { ...payer, cardActive: false, employerEnabled: false }, bindings: [binding()] },
    at: CLAIM.at,
  };
  expect(noted(change, { requireEmployerEnabled: true }, { ...CLAIM, kind: 'PREMIUM' })).toEqual({});
});

test('what cannot keep a payer from paying reaches back to nothing', () => {
  const payer = person({ personNo: 'P2' });
  const after = { payer: { ...payer, walletOpen: true }, bindings: [binding({ priority: 3 })] };
  expect(reachOf({ before: { payer, bindings: [binding()] }, after, at: CLAIM.at })).toBeNull();
});

/** A payer in whose region there are five days of grace and ten of waiting, and what each event changes. */
class Payer {
  readonly #policy: Partial<Policy>;
  readonly #world: World;
  #last: FactChange | undefined;

  constructor(policy: Partial<Policy> = { arrearsGraceDays: 5, resumeWaitDays: 10 }) {
    this.#policy = policy;
    this.#world = new World({ persons: [person({ personNo: 'P2' })], bindings: [binding()] }, lookup(policy));
  }

  now(when: string, event: Record<string, unknown>): void {
    const moment = at(when);
    const before = this.#standing();
    const cause = { type: 'test', id: when };
    const verdict = applyMemberEvent({ personNo: 'P2', ...event, at: moment, cause } as MemberEvent, this.#world);
    expect(verdict.kind).toBe('DONE');
    this.#last = { before, after: this.#standing(), at: moment };
  }

  /** Which of these days' draws are noted, and which are lifted, by the last event. */
  of(...days: readonly string[]): { noted: string[]; lifted: string[] } {
    const change = this.#last;
    if (change === undefined) throw new Error('nothing has happened yet');
    const found = days.map((day) => ({
      day,
      ...reconsider({ ...CLAIM, at: at(`${day}T12:00:00`) }, change, lookup(this.#policy)),
    }));
    return {
      noted: found.flatMap(({ day, noted }) => (noted.size > 0 ? [day] : [])),
      lifted: found.flatMap(({ day, lifted }) => (lifted.length > 0 ? [day] : [])),
    };
  }

  #standing = () => {
    const payer = this.#world.books.person('P2');
    if (payer === undefined) throw new Error('P2 is there');
    return { payer, bindings: this.#world.books.bindingsBy('P2') };
  };
}

const period = parsePeriod('2025-02');
const MISSED = { kind: 'CONTRIBUTION_MISSED', period, dueDate: date('2025-02-28') };
const PAID = { kind: 'CONTRIBUTION_PAID', period, amount: null, reference: 'K1' };
const [GRACE, BLOCKED, WAITING, LATER] = ['2025-03-03', '2025-03-06', '2025-03-19', '2025-03-21'] as const;

test('grace is no time in which a payer should not have paid; waiting after recovery is', () => {
  const payer = new Payer();
  payer.now('2025-04-01T09:00:00', MISSED);
  expect(payer.of(GRACE, BLOCKED, WAITING, LATER)).toEqual({ noted: [BLOCKED, WAITING, LATER], lifted: [] });
  payer.now('2025-03-11T09:00:00', PAID);
  expect(payer.of(GRACE, BLOCKED, WAITING, LATER)).toEqual({ noted: [], lifted: [LATER] });
});

test('a recovery within the grace leaves nothing', () => {
  const payer = new Payer();
  payer.now('2025-04-01T09:00:00', MISSED);
  payer.now('2025-03-04T09:00:00', PAID);
  expect(payer.of(GRACE, BLOCKED, WAITING)).toEqual({ noted: [], lifted: [BLOCKED, WAITING] });
});

test('retiring frees from the day of the event on, told with being insured again or after it', () => {
  const changed = (changes: object) => ({ kind: 'ACCOUNT_CHANGED', changes });
  const [again, retired] = [{ insured: true }, { employment: 'RETIRED' }];
  for (const events of [[again, retired], [{ ...again, ...retired }]]) {
    const payer = new Payer({ retireesExempt: true });
    payer.now('2025-02-01T09:00:00', changed({ insured: false }));
    expect(payer.of('2025-02-10')).toEqual({ noted: ['2025-02-10'], lifted: [] });
    const lifted = events.flatMap((event) => {
      payer.now('2025-03-01T09:00:00', changed(event));
      return payer.of('2025-02-10', '2025-03-10').lifted;
    });
    expect(lifted).toEqual(['2025-03-10']);
  }
});

test('the first day listed is the first blocked one, where a version of the pack has shortened the grace since', () => {
  const payer = person({ personNo: 'P2' });
  const since = date('2025-02-20');
  const before = { payer, bindings: [binding()] };
  const after = { payer: { ...payer, arrearsSince: since, spellSince: since }, bindings: [binding()] };
  const [long, none] = [lookup({ arrearsGraceDays: 30 }), lookup()];
  const policyOf: PolicyLookup = (area, on) => (on < '2025-03-01' ? long : none)(area, on);
  const found = reconsider(CLAIM, { before, after, at: at('2025-03-20T09:00:00') }, policyOf);
  expect([...found.noted]).toEqual([['PAYER_IN_ARREARS', '2025-03-01']]);
});

test('retiring frees from its day on and does not change what was before', () => {
  const payer = new Payer();
  payer.now('2025-04-01T09:00:00', MISSED);
  payer.now('2025-03-20T00:00:00', { kind: 'ACCOUNT_CHANGED', changes: { employment: 'RETIRED' } });
  expect(payer.of(GRACE, BLOCKED, WAITING, LATER)).toEqual({ noted: [], lifted: [LATER] });
});

test('where a person resumes by hand, paying alone lifts nothing and the resumption what comes after it', () => {
  const payer = new Payer({ resumeMode: 'MANUAL' });
  payer.now('2025-04-01T09:00:00', MISSED);
  payer.now('2025-03-10T09:00:00', PAID);
  expect(payer.of(GRACE, BLOCKED, WAITING, LATER)).toEqual({ noted: [], lifted: [] });
  payer.now('2025-03-20T09:00:00', { kind: 'BINDING_RESUMED', payer: 'P2', bindingId: 'B1', reason: 'ARREARS' });
  expect(payer.of(GRACE, BLOCKED, WAITING, LATER)).toEqual({ noted: [], lifted: [LATER] });
});

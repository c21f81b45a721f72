import { arrearsChanged, blockLasting, type DueWork, laterBlock, pauseAll, resumeAll, toldFrom } from './arrears.ts';
import { bindObstacle, clearsRequiredLimit } from './bind-request.ts';
import { type BindingEvent, hold, lift, nextState } from './binding-state.ts';
import type { Books } from './books.ts';
import { addDays, date, dateOf, dayOfPeriod, type Instant, later, periodOf, yearOf } from './calendar.ts';
import type { DeadLetterCode } from './codes.ts';
import { type Contribution, firstDayUnpaid } from './contribution.ts';
import type { Cause, MemberEvent, SharingEvent } from './member-event.ts';
import { add, compareMoney, equalMoney, isPositive, MONEY_MAX, type Money, negate, ZERO } from './money.ts';
import { arrearsStart, type Binding, EMPLOYEE_INSURANCE, type Person, resumeDate } from './person.ts';
import type { Policy, PolicyLookup } from './policy.ts';
import { balanceOf } from './purse.ts';
import { applyCrossing } from './zero-balance.ts';

/** The contribution months that a batch works on, loaded and written back together with the books. */
export interface ContributionBook {
  monthsOf(personNo: string): Iterable<Contribution>;
  put(month: Contribution): void;
}

/** Money held to be paid out by hand, by refund and person; yuan. */
export interface HeldBook {
  heldFor(refundId: string, personNo: string): Money;
  pay(refundId: string, personNo: string, amount: Money): void;
}

export interface MemberBooks {
  readonly books: Books;
  readonly contributions: ContributionBook;
  readonly held: HeldBook;
  readonly policyOf: PolicyLookup;
}

/** The explanations told with the code of a members' dead letter. */
export const DEAD_DETAILS = [
  'no account.opened was received for this person',
  'this payer has no binding of this binding_id',
  'this person is already open',
  'a closed account takes no money',
  'only insutype 310 has a personal account',
  'a binding of this binding_id exists',
  'the state of the binding does not allow this',
  'no account.opened was received for the payer',
  'ARREARS is resumed by hand only with nothing unpaid, where it does not go by itself',
  'amount: expected exactly what is held for this person from this refund',
  'amount: the balance would exceed 99999999999999.99',
  'daily_limit: the region asks for one',
] as const;
type DeadDetail = (typeof DEAD_DETAILS)[number];

/** The result of a member event: events to publish and work for later days, or the reason why it is a dead letter. */
export type Verdict =
  | { readonly kind: 'DONE'; readonly events: readonly SharingEvent[]; readonly due: readonly DueWork[] }
  | { readonly kind: 'DEAD'; readonly code: DeadLetterCode; readonly detail: DeadDetail };

const NOTHING = { priorYear: ZERO, currentYear: ZERO };
const BALANCE_TOO_LARGE = 'amount: the balance would exceed 99999999999999.99';
const LIMIT_REQUIRED = 'daily_limit: the region asks for one';

const done = (events: readonly SharingEvent[] = [], due: readonly DueWork[] = []): Verdict => ({
  kind: 'DONE',
  events,
  due,
});
const dead = (code: DeadLetterCode, detail: DeadDetail): Verdict => ({ kind: 'DEAD', code, detail });
const notAllowed = (detail: DeadDetail): Verdict => dead('TRANSITION_NOT_ALLOWED', detail);

/** Applies one member event to the books (rules 6 and 11), in the order in which events came. A dead letter has changed nothing. */
export function applyMemberEvent(event: MemberEvent, world: MemberBooks): Verdict {
  const verdict = dispatch(event, world);
  if (verdict.kind === 'DEAD') return verdict;
  const crossed = world.books.takeCrossings().flatMap(({ payer, empty }) => applyCrossing(world, payer, empty, event));
  return { ...verdict, events: [...verdict.events, ...crossed] };
}

function dispatch(event: MemberEvent, world: MemberBooks): Verdict {
  switch (event.kind) {
    case 'ACCOUNT_OPENED':
      return openAccount(event, world);
    case 'ACCOUNT_CHANGED':
      return changeAccount(event, world);
    case 'ACCOUNT_CREDITED':
      return withPerson(world, event.personNo, (person) => creditAccount(event, person, event.amount, world));
    case 'CONTRIBUTION_PAID':
      return withPerson(world, event.personNo, (person) => payContribution(event, person, world));
    case 'CONTRIBUTION_MISSED':
      return withPerson(world, event.personNo, (person) => missContribution(event, person, world));
    case 'BINDING_OPENED':
    case 'BINDING_REQUESTED':
      return withPerson(world, event.binding.payer, (payer) => enterBinding(event, payer, world));
    case 'BINDING_APPROVED':
    case 'BINDING_REJECTED':
    case 'BINDING_REVOKED':
    case 'BINDING_PAUSED':
    case 'BINDING_RESUMED':
    case 'BINDING_CHANGED':
      return withBinding(world, event, (binding) => changeBinding(event, binding, world));
    case 'REFUND_PAID':
      return withPerson(world, event.personNo, () => payOut(event, world));
    default:
      return event satisfies never;
  }
}

function withPerson(world: MemberBooks, personNo: string, then: (person: Person) => Verdict): Verdict {
  const person = world.books.person(personNo);
  return person === undefined ? dead('PERSON_UNKNOWN', 'no account.opened was received for this person') : then(person);
}

function withBinding(
  world: MemberBooks,
  event: { payer: string; bindingId: string },
  then: (binding: Binding) => Verdict,
): Verdict {
  const binding = world.books.binding(event.bindingId);
  if (binding === undefined || binding.payer !== event.payer) {
    return dead('BINDING_UNKNOWN', 'this payer has no binding of this binding_id');
  }
  return then(binding);
}

function openAccount(event: Extract<MemberEvent, { kind: 'ACCOUNT_OPENED' }>, world: MemberBooks): Verdict {
  const { books, contributions, policyOf } = world;
  const { person, unpaidPeriods } = event;
  if (books.person(person.personNo) !== undefined) return notAllowed('this person is already open');
  const { purse } = person;
  if (purse !== null && compareMoney(balanceOf(purse), MONEY_MAX) > 0)
    return dead('EVENT_MALFORMED', BALANCE_TOO_LARGE);
  const policy = policyOf(person.insuredArea, dateOf(event.at));
  for (const period of unpaidPeriods) {
    // An unpaid month was due on the day before the imported first day in arrears; where the source system did not say, on its own due
    // date.
    const { contributionDueDay } = policyOf(person.insuredArea, date(`${period}-01`));
    const dueDate =
      event.arrearsSince === null ? dayOfPeriod(period, contributionDueDay) : addDays(event.arrearsSince, -1);
    contributions.put({ personNo: person.personNo, period, dueDate, paid: false });
  }
  const inArrears = { ...person, arrearsSince: firstDayUnpaid(contributions.monthsOf(person.personNo)) };
  const opened = { ...inArrears, spellSince: arrearsStart(inArrears) };
  if (purse === null) books.putPerson(opened);
  else {
    books.putPerson({ ...opened, purse: { year: purse.year, priorYear: ZERO, currentYear: ZERO } });
    if (isPositive(balanceOf(purse))) {
      const { asOf: at, cause } = event;
      books.post(person.personNo, purse, {
        kind: 'OPENING',
        counterpart: 'opening',
        reference: person.personNo,
        at,
        cause,
      });
    }
  }
  return done([], laterBlock(opened, policy, event));
}

function changeAccount(event: Extract<MemberEvent, { kind: 'ACCOUNT_CHANGED' }>, world: MemberBooks): Verdict {
  const { books, policyOf } = world;
  const on = dateOf(event.at);
  return withPerson(world, event.personNo, (before) => {
    const { insured, ...facts } = event.changes;
    const uninsuredSince =
      insured === undefined ? before.uninsuredSince : insured ? null : (before.uninsuredSince ?? on);
    const after: Person = { ...before, ...facts, uninsuredSince };
    books.putPerson(after);
    const changed = MATTERS_TO_ARREARS.some((fact) => event.changes[fact] !== undefined)
      ? arrearsChanged(world, before, after, event)
      : { events: [], due: [] };
    const events = followEmployer(event, after, policyOf(after.insuredArea, on), books);
    return done([...changed.events, ...events], changed.due);
  });
}

const MATTERS_TO_ARREARS = ['insured', 'employment', 'personCategory', 'insuredArea'] as const;

/** EMPLOYER_OFF follows the employer's switch for payers in employment, where the region asks for it (rule 6.3). */
function followEmployer(
  event: Extract<MemberEvent, { kind: 'ACCOUNT_CHANGED' }>,
  person: Person,
  policy: Policy,
  books: Books,
): SharingEvent[] {
  const { employerEnabled } = event.changes;
  const step = { reason: 'EMPLOYER_OFF', from: dateOf(event.at), at: event.at, cause: event.cause } as const;
  if (employerEnabled === true) return resumeAll(books, person.personNo, step);
  const concerned = person.employment === 'ACTIVE' && policy.requireEmployerEnabled;
  return employerEnabled === false && concerned ? pauseAll(books, person.personNo, step) : [];
}

function creditAccount(
  event: { at: Instant; cause: Cause; reference: string },
  person: Person,
  amount: Money,
  { books }: MemberBooks,
): Verdict {
  if (person.status === 'CLOSED') return notAllowed('a closed account takes no money');
  if (compareMoney(add(balanceOf(person.purse ?? NOTHING), amount), MONEY_MAX) > 0) {
    return dead('EVENT_MALFORMED', BALANCE_TOO_LARGE);
  }
  if (person.purse === null) {
    if (person.insuranceKind !== EMPLOYEE_INSURANCE) return notAllowed('only insutype 310 has a personal account');
    const on = dateOf(event.at);
    const purse = { year: yearOf(on), priorYear: ZERO, currentYear: ZERO };
    books.putPerson({ ...person, purse, asOfPeriod: periodOf(on) });
  }
  const { at, cause, reference } = event;
  books.credit(person.personNo, amount, { kind: 'CREDIT', counterpart: 'contribution', reference, at, cause });
  return done();
}

function payContribution(
  event: Extract<MemberEvent, { kind: 'CONTRIBUTION_PAID' }>,
  person: Person,
  world: MemberBooks,
): Verdict {
  if (event.amount !== null) {
    const credited = creditAccount(event, person, event.amount, world);
    if (credited.kind === 'DEAD') return credited;
  }
  const { personNo, period } = event;
  const wasUnpaid = Array.from(world.contributions.monthsOf(personNo)).some(
    (month) => month.period === period && !month.paid,
  );
  world.contributions.put({ personNo, period, dueDate: null, paid: true });
  // A month that was not unpaid does not change arrears; it is stored as paid so that a later `missed` of it has no effect.
  if (!wasUnpaid) return done();
  const before = world.books.person(personNo) ?? person;
  const after = { ...before, arrearsSince: firstDayUnpaid(world.contributions.monthsOf(personNo)) };
  const { events, due } = arrearsChanged(world, before, after, event);
  return done(events, due);
}

function missContribution(
  event: Extract<MemberEvent, { kind: 'CONTRIBUTION_MISSED' }>,
  person: Person,
  world: MemberBooks,
): Verdict {
  const { contributions } = world;
  const { personNo, period, dueDate } = event;
  const known = Array.from(contributions.monthsOf(personNo)).find((month) => month.period === period);
  if (known?.paid) return done();
  // A stated due date replaces one that a check computed, so that their order does not matter.
  contributions.put({ personNo, period, dueDate, paid: false });
  const after = { ...person, arrearsSince: firstDayUnpaid(contributions.monthsOf(personNo)) };
  const was = known?.dueDate ?? dueDate;
  const isRestated = was !== dueDate && addDays(was, 1) === person.spellSince;
  const { events, due } = arrearsChanged(world, person, after, { ...event, isRestated });
  return done(events, due);
}

function enterBinding(
  event: Extract<MemberEvent, { kind: 'BINDING_OPENED' | 'BINDING_REQUESTED' }>,
  payer: Person,
  { books, policyOf }: MemberBooks,
): Verdict {
  const { binding, at, cause } = event;
  if (books.binding(binding.bindingId) !== undefined) return notAllowed('a binding of this binding_id exists');
  if (event.kind === 'BINDING_REQUESTED') {
    const people = [binding.payer, binding.beneficiary];
    const related = new Set(people.flatMap((person) => [...books.bindingsBy(person), ...books.bindingsFor(person)]));
    const code = bindObstacle(binding, payer, related, policyOf(payer.insuredArea, dateOf(binding.boundAt)));
    if (code !== null) return done([{ kind: 'REFUSED', binding, code, at, cause }]);
  }
  books.putBinding(binding);
  return done();
}

const TRANSITION = {
  BINDING_APPROVED: 'APPROVE',
  BINDING_REJECTED: 'REJECT',
  BINDING_REVOKED: 'REVOKE',
  BINDING_PAUSED: 'HOLD',
  BINDING_RESUMED: 'LIFT',
  BINDING_CHANGED: 'CHANGE',
} as const satisfies Record<string, BindingEvent>;

function changeBinding(
  event: Extract<MemberEvent, { kind: keyof typeof TRANSITION }>,
  before: Binding,
  { books, policyOf }: MemberBooks,
): Verdict {
  const { at, cause } = event;
  const on = dateOf(at);
  const state = nextState(before, TRANSITION[event.kind], on);
  if (state === null) return notAllowed('the state of the binding does not allow this');
  const payer = books.person(before.payer);
  if (payer === undefined) return dead('PERSON_UNKNOWN', 'no account.opened was received for the payer');
  const policy = policyOf(payer.insuredArea, on);
  const moved = (binding: Binding, kind: 'ACTIVATED' | 'REJECTED' | 'REVOKED'): SharingEvent => {
    books.putBinding(binding);
    return { kind, binding, state, at, cause };
  };
  switch (event.kind) {
    case 'BINDING_APPROVED': {
      const binding = { ...before, state };
      const activated = moved(binding, 'ACTIVATED');
      const from = blockLasting(payer, on, policyOf);
      if (from === null) return done([activated]);
      return done([
        activated,
        ...changed(books, binding, hold(binding, 'ARREARS', from, on), {
          kind: 'PAUSED',
          reason: 'ARREARS',
          effectiveOn: toldFrom(from, at),
          at,
          cause,
        }),
      ]);
    }
    case 'BINDING_REJECTED':
      return done([moved({ ...before, state }, 'REJECTED')]);
    case 'BINDING_REVOKED':
      return done([moved({ ...before, state, holds: new Map() }, 'REVOKED')]);
    case 'BINDING_CHANGED':
      if (clearsRequiredLimit(before, event.changes, policy)) return dead('DAILY_LIMIT_MISSING', LIMIT_REQUIRED);
      books.putBinding({ ...before, ...event.changes });
      return done();
    case 'BINDING_PAUSED':
      return done(
        changed(books, before, hold(before, 'USER', on, on), {
          kind: 'PAUSED',
          reason: 'USER',
          effectiveOn: on,
          at,
          cause,
        }),
      );
    case 'BINDING_RESUMED': {
      const { reason } = event;
      if (reason === 'ARREARS' && !isLeftToPayer(before, payer, policy)) {
        return notAllowed('ARREARS is resumed by hand only with nothing unpaid, where it does not go by itself');
      }
      const effectiveOn = reason === 'ARREARS' ? later(on, resumeDate(payer, policy) ?? on) : on;
      return done(
        changed(books, before, lift(before, reason, on), { kind: 'RESUMED', reason, effectiveOn, at, cause }),
      );
    }
    default:
      return event satisfies never;
  }
}

/**
 * Whether ARREARS waits for the payer's word (rule 6.2): nothing is unpaid, and either the region resumes by hand, or an earlier area,
 * version or import left the reason where the region does not; nothing else would ever lift it then.
 */
const isLeftToPayer = (binding: Binding, payer: Person, policy: Policy): boolean =>
  arrearsStart(payer) === null && (policy.resumeMode === 'MANUAL' || binding.holds.has('ARREARS'));

function changed(
  books: Books,
  before: Binding,
  binding: Binding,
  told: Omit<Extract<SharingEvent, { kind: 'PAUSED' | 'RESUMED' }>, 'binding'>,
): SharingEvent[] {
  if (binding === before) return [];
  books.putBinding(binding);
  return [{ ...told, binding }];
}

function payOut(event: Extract<MemberEvent, { kind: 'REFUND_PAID' }>, { books, held }: MemberBooks): Verdict {
  const { personNo, refundId, amount, at } = event;
  // A payout is identified by its refund and person, so it must pay all that is held: there can be no second one.
  if (!equalMoney(held.heldFor(refundId, personNo), amount)) {
    return notAllowed('amount: expected exactly what is held for this person from this refund');
  }
  held.pay(refundId, personNo, amount);
  const note = { kind: 'PAYOUT', counterpart: 'payout', reference: refundId, at, cause: event.cause } as const;
  books.hold(personNo, negate(amount), note);
  return done();
}

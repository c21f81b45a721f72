import { hold, lift, redate } from './binding-state.ts';
import type { Books } from './books.ts';
import { addDays, type CalendarDate, dateOf, daysBetween, type Instant } from './calendar.ts';
import type { Cause, SharingEvent } from './member-event.ts';
import {
  arrearsStart,
  BEGINNING,
  type Binding,
  blockStart,
  isPausable,
  type PauseReason,
  type Person,
} from './person.ts';
import type { Policy, PolicyLookup } from './policy.ts';

/** What arrears are judged by: the books, and the policy of each area and date. */
interface Rules {
  readonly books: Books;
  readonly policyOf: PolicyLookup;
}

/** A day on which a payer's sharing must be reviewed. */
export interface DueWork {
  readonly payer: string;
  readonly dueOn: CalendarDate;
  readonly cause: Cause;
}

/** Adds a pause reason to every live binding of a payer. Answers an event for each that did not have it. */
export function pauseAll(
  books: Books,
  payer: string,
  step: { reason: PauseReason; from: CalendarDate; at: Instant; cause: Cause },
): SharingEvent[] {
  return changeAll(books, payer, 'PAUSED', step, (binding) => hold(binding, step.reason, step.from, dateOf(step.at)));
}

/** Removes a pause reason from every live binding of a payer. Answers an event for each that had it. */
export function resumeAll(
  books: Books,
  payer: string,
  step: { reason: PauseReason; from: CalendarDate; at: Instant; cause: Cause },
): SharingEvent[] {
  return changeAll(books, payer, 'RESUMED', step, (binding) => lift(binding, step.reason, dateOf(step.at)));
}

function changeAll(
  books: Books,
  payer: string,
  kind: 'PAUSED' | 'RESUMED',
  step: { reason: PauseReason; from: CalendarDate; at: Instant; cause: Cause },
  change: (binding: Binding) => Binding,
): SharingEvent[] {
  const events: SharingEvent[] = [];
  const bindings = [...books.bindingsBy(payer)].sort((a, b) => (a.bindingId < b.bindingId ? -1 : 1));
  for (const before of bindings) {
    const binding = change(before);
    if (binding === before) continue;
    books.putBinding(binding);
    const { reason, from, at, cause } = step;
    events.push({ kind, binding, reason, effectiveOn: toldFrom(from, at), at, cause });
  }
  return events;
}

/** The day that an event names: where an imported state has no beginning, the day on which it became known. */
export const toldFrom = (from: CalendarDate, at: Instant): CalendarDate => (from === BEGINNING ? dateOf(at) : from);

/**
 * Adds ARREARS to the payer's bindings where arrears block sharing by `at`; where they will block later (grace), answers work for that day.
 * Called when a fact about arrears has changed, and on the day left by an earlier call. `newlyOn`: the first blocked day, where facts and
 * rules alone would give another.
 */
export function enforceArrears(
  { books, policyOf }: Rules,
  person: Person,
  step: { at: Instant; cause: Cause },
  newlyOn: CalendarDate | null = null,
): { events: SharingEvent[]; due: DueWork[] } {
  const on = dateOf(step.at);
  const from = blockLasting(person, on, policyOf);
  if (from === null) return { events: [], due: laterBlock(person, policyOf(person.insuredArea, on), step) };
  return { events: pauseAll(books, person.personNo, { ...step, reason: 'ARREARS', from: newlyOn ?? from }), due: [] };
}

/**
 * The first day of the block by arrears (by default the present ones) that covers a date; null where none does. Each day is judged by the
 * rules in force on it, as a claim of that day is (rule 5.2), so a version with a shorter grace blocks from its own first day at the
 * earliest.
 */
export function blockLasting(
  person: Person,
  on: CalendarDate,
  policyOf: PolicyLookup,
  since = arrearsStart(person),
): CalendarDate | null {
  const rulesOf = (day: CalendarDate) => policyOf(person.insuredArea, day);
  let day = on;
  let first: CalendarDate | null = null;
  for (;;) {
    const start = blockStart(person, rulesOf(day), since);
    if (start === null || start > day) return first;
    if (start === BEGINNING) return start;
    first = firstWithSameRules(start, day, rulesOf);
    day = addDays(first, -1);
  }
}

/** The first day from which the rules are those of day `to`, back to `from` at most. Found by bisection, since packs seldom change. */
function firstWithSameRules(
  from: CalendarDate,
  to: CalendarDate,
  rulesOf: (day: CalendarDate) => Policy,
): CalendarDate {
  const rules = rulesOf(to);
  let [changed, same] = [-1, daysBetween(from, to)];
  while (same - changed > 1) {
    const middle = changed + Math.ceil((same - changed) / 2);
    if (rulesOf(addDays(from, middle)) === rules) same = middle;
    else changed = middle;
  }
  return addDays(from, same);
}

/** Work for the day on which present arrears begin to block, where that day is still to come. */
export function laterBlock(person: Person, policy: Policy, { at, cause }: { at: Instant; cause: Cause }): DueWork[] {
  const dueOn = blockStart(person, policy);
  return dueOn === null || dueOn <= dateOf(at) ? [] : [{ payer: person.personNo, dueOn, cause }];
}

/**
 * To be called after any fact about a person's arrears has changed (a month missed or paid, insurance, retirement, the area whose rules
 * apply). Stores `after` with its arrears spell, and pauses or resumes accordingly. `isRestated`: the month that began the spell has got
 * another due date, so the spell never began on the old one.
 */
export function arrearsChanged(
  rules: Rules,
  before: Person,
  after: Person,
  step: { at: Instant; cause: Cause; isRestated?: boolean },
): { events: SharingEvent[]; due: DueWork[] } {
  const { books, policyOf } = rules;
  const on = dateOf(step.at);
  const was = { person: before, policy: policyOf(before.insuredArea, on) };
  const policy = policyOf(after.insuredArea, on);
  const since = arrearsStart(after);
  const hadBegun = !step.isRestated && isSpellBlocking(was, on);
  const person = { ...after, spellSince: since === null ? null : spellStart(before, since, hadBegun) };
  books.putPerson(person);
  // Retiring, or moving to an area where arrears pause nobody, frees the payer at once, whatever is unpaid.
  if (!isPausable(person, policy)) return { events: freeAll(books, person, step), due: [] };
  if (since === null) {
    const { spellSince } = before;
    return { events: spellSince === null ? [] : recover(books, person, spellSince, policy, step), due: [] };
  }
  const lifted = followSpell(rules, was, { person, policy }, step);
  // The same arrears under other rules block from the day of the event, or since the earlier rules blocked; not from when the new rules
  // would have.
  const newlyOn = arrearsStart(before) === since ? (blockLasting(before, on, policyOf) ?? on) : null;
  const { events, due } = enforceArrears(rules, person, step, newlyOn);
  return { events: [...lifted, ...events], due };
}

/**
 * Judges present arrears by the rules of a date where no fact has changed: a version of the pack that has begun may block them, or free the
 * payer (rule 6.1).
 */
export function reviewArrears(rules: Rules, person: Person, step: { at: Instant; cause: Cause }): SharingEvent[] {
  if (arrearsStart(person) === null) return [];
  const policy = rules.policyOf(person.insuredArea, dateOf(step.at));
  return isPausable(person, policy) ? enforceArrears(rules, person, step).events : freeAll(rules.books, person, step);
}

const freeAll = (books: Books, person: Person, step: { at: Instant; cause: Cause }): SharingEvent[] =>
  resumeAll(books, person.personNo, { ...step, reason: 'ARREARS', from: dateOf(step.at) });

/** A person with the policy that applies to them. */
interface Ruled {
  readonly person: Person;
  readonly policy: Policy;
}

/** The first day on which the present spell blocks: by the rules of each day up to a date, and by the rules of that date afterwards. */
const spellBlock = ({ person, policy }: Ruled, on: CalendarDate, policyOf: PolicyLookup): CalendarDate | null =>
  blockLasting(person, on, policyOf, person.spellSince) ?? blockStart(person, policy, person.spellSince);

/** Whether the present spell has begun to block sharing by a date. */
function isSpellBlocking({ person, policy }: Ruled, on: CalendarDate): boolean {
  const start = blockStart(person, policy, person.spellSince);
  return start !== null && start <= on;
}

/**
 * The first day of the spell. Paying its oldest month moves it only if the spell had not begun to block: what never blocked is no spell
 * that a recovery is remembered of (rule 6.2).
 */
function spellStart({ spellSince }: Person, since: CalendarDate, hadBegun: boolean): CalendarDate {
  if (spellSince === null || since <= spellSince) return since;
  return hadBegun ? spellSince : since;
}

/**
 * Where the first blocked day of the spell has moved, moves its holds as if it had been that day at first, so that the order of events does
 * not matter (rule 6.1). A hold of a block that has begun is dated anew, without an event, since the reason stays; a hold of a block still
 * to come is lifted. A hold from before the spell waits for the payer's word and stays.
 */
function followSpell(
  { books, policyOf }: Rules,
  was: Ruled,
  { person, policy }: Ruled,
  step: { at: Instant; cause: Cause },
): SharingEvent[] {
  const on = dateOf(step.at);
  // Where the earlier rules paused nobody, a remaining hold waits for nobody's word: any may move.
  const before = isPausable(was.person, was.policy)
    ? spellBlock(was, on, policyOf)
    : was.person.spellSince && BEGINNING;
  const start = spellBlock({ person, policy }, on, policyOf);
  if (before === null || start === null || before === start) return [];
  // An imported hold has no day: it is lifted only where the block before had begun and the new one has not.
  const isOfSpell = (held: CalendarDate): boolean => (held === BEGINNING ? before <= on : held >= before);
  const change = { ...step, reason: 'ARREARS', from: on } as const;
  const events = changeAll(books, person.personNo, 'RESUMED', change, (binding) => {
    const held = binding.holds.get('ARREARS');
    if (held === undefined || !isOfSpell(held) || held >= start) return binding;
    return start > on ? lift(binding, 'ARREARS', on) : binding;
  });
  for (const each of [...books.bindingsBy(person.personNo)]) {
    const held = each.holds.get('ARREARS');
    if (held === undefined || held === BEGINNING || !isOfSpell(held)) continue;
    // A hold dated after the block began with a move to other rules; only a spell that turns out to have begun earlier changes it.
    const binding = held < start || start < before ? redate(each, 'ARREARS', start, on) : each;
    if (binding !== each) books.putBinding(binding);
  }
  return events;
}

/**
 * Called when nothing is unpaid any more and a person whom arrears may pause is insured: remembers the spell if it had begun to block, and
 * lifts ARREARS unless the region waits for the payer's word (rule 6.2).
 */
function recover(
  books: Books,
  person: Person,
  spell: CalendarDate,
  policy: Policy,
  step: { at: Instant; cause: Cause },
): SharingEvent[] {
  const on = dateOf(step.at);
  const counted = on >= addDays(spell, policy.arrearsGraceDays);
  if (counted) books.putPerson({ ...person, recoveredOn: on, lastSpellStart: spell });
  if (policy.resumeMode === 'MANUAL') return [];
  const from = counted ? addDays(on, policy.resumeWaitDays) : on;
  return resumeAll(books, person.personNo, { ...step, reason: 'ARREARS', from });
}

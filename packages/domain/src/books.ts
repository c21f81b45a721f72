import { assert } from './assert.ts';
import { type CalendarDate, dateOf, type Instant, yearOf } from './calendar.ts';
import type { RelativeAllocation } from './cascade.ts';
import type { FamilyView } from './family.ts';
import type { Cause } from './member-event.ts';
import {
  add,
  atLeastZero,
  isNegative,
  isPositive,
  isZero,
  least,
  MONEY_MAX,
  type Money,
  negate,
  subtract,
  ZERO,
} from './money.ts';
import type { Binding, Person } from './person.ts';
import type { PolicyLookup } from './policy.ts';
import { enter, foldTo, moveInto, type Portions, type Purse, sharableOf } from './purse.ts';

export const ENTRY_KINDS = ['OPENING', 'CREDIT', 'CLAIM', 'PREMIUM', 'REFUND', 'ROLLOVER', 'PAYOUT'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * One posting between a person's account and a counterpart, seen from the person: what entered (positive) or left
 * (negative) each portion, and what is held for payout by hand; yuan. The counterpart's side is its exact opposite, so
 * every posting sums to zero.
 */
export interface Entry extends Portions {
  readonly personNo: string;
  readonly kind: EntryKind;
  /** `institution:CODE`, `contribution`, `opening`, `premium`, `payout`, `rollover`. */
  readonly counterpart: string;
  readonly held: Money;
  /** The claim, premium, refund or credit that it belongs to. */
  readonly reference: string;
  readonly bindingId: string | null;
  readonly on: CalendarDate;
  /** The claim's day: the entry counts against the binding's limit of that day, or gives back to it. Null: no daily limit. */
  readonly countedOn: CalendarDate | null;
  readonly after: Purse;
}

/** A posting brought a payer's sharable balance to 0.00, or away from it: sharing may have to be paused or resumed. */
export interface Crossing {
  readonly payer: string;
  readonly empty: boolean;
  readonly at: Instant;
  readonly cause: Cause;
}

/** A posting without its account and amounts. */
export interface PostingNote {
  readonly kind: EntryKind;
  readonly counterpart: string;
  readonly reference: string;
  readonly at: Instant;
  readonly cause: Cause;
  readonly bindingId?: string;
  readonly countedOn?: CalendarDate | null;
}

/**
 * The families of one batch, as they stand after each event: loaded once, changed in memory in input order, written back set by set.
 * Everything to be written is in `entries`, `takeCrossings` and the `changed*` sets.
 */
export class Books implements FamilyView {
  readonly entries: Entry[] = [];
  readonly changedPersons = new Set<string>();
  readonly changedBindings = new Set<string>();
  readonly #persons = new Map<string, Person>();
  readonly #bindings = new Map<string, Binding>();
  readonly #byBeneficiary = new Map<string, Binding[]>();
  readonly #byPayer = new Map<string, Binding[]>();
  readonly #usage = new Map<string, Money>();
  readonly #emptied = new Set<string>();
  readonly #crossings = new Map<string, Crossing>();
  readonly #policyOf: PolicyLookup;

  constructor(policyOf: PolicyLookup) {
    this.#policyOf = policyOf;
  }

  load(rows: {
    readonly persons?: Iterable<Person>;
    readonly bindings?: Iterable<Binding>;
    readonly usage?: Iterable<{ bindingId: string; on: CalendarDate; amount: Money }>;
    /** Payers with bindings paused for ZERO_BALANCE that may not all be loaded here. */
    readonly emptied?: Iterable<string>;
  }): void {
    for (const person of rows.persons ?? []) this.#persons.set(person.personNo, person);
    for (const binding of rows.bindings ?? []) this.#index(binding);
    for (const personNo of rows.emptied ?? []) this.#emptied.add(personNo);
    for (const { bindingId, on, amount } of rows.usage ?? []) this.#usage.set(usageKey(bindingId, on), amount);
  }

  person(personNo: string): Person | undefined {
    return this.#persons.get(personNo);
  }

  binding(bindingId: string): Binding | undefined {
    return this.#bindings.get(bindingId);
  }

  bindingsFor(beneficiary: string): readonly Binding[] {
    return this.#byBeneficiary.get(beneficiary) ?? [];
  }

  bindingsBy(payer: string): readonly Binding[] {
    return this.#byPayer.get(payer) ?? [];
  }

  usage(bindingId: string, on: CalendarDate): Money {
    return this.#usage.get(usageKey(bindingId, on)) ?? ZERO;
  }

  putPerson(person: Person): void {
    this.#persons.set(person.personNo, person);
    this.changedPersons.add(person.personNo);
  }

  putBinding(binding: Binding): void {
    this.#index(binding);
    this.changedBindings.add(binding.bindingId);
  }

  /** Posts a movement to a known account, after folding it to the event's year. Throws where a portion would go below 0.00. */
  post(personNo: string, movement: Portions, note: PostingNote): void {
    const { person, purse } = this.#account(personNo);
    const folded = this.rollOver(personNo, note);
    const after = moveInto(folded, movement);
    assert(!isNegative(after.priorYear) && !isNegative(after.currentYear), 'no portion of an account goes below 0.00');
    this.#record(personNo, movement, ZERO, note, after);
    this.putPerson({ ...person, purse: after });
    this.#noteCrossing(person, purse, after, note);
  }

  /** Folds an account to the year of an event, as the first posting of a new year does; answers the folded purse. */
  rollOver(personNo: string, note: PostingNote): Purse {
    const { person, purse } = this.#account(personNo);
    const folded = foldTo(purse, yearOf(dateOf(note.at)));
    if (folded === purse) return purse;
    if (!isZero(purse.currentYear)) {
      const moved = { priorYear: purse.currentYear, currentYear: negate(purse.currentYear) };
      this.#record(
        personNo,
        moved,
        ZERO,
        { ...note, kind: 'ROLLOVER', counterpart: 'rollover', countedOn: null },
        folded,
      );
    }
    this.putPerson({ ...person, purse: folded });
    return folded;
  }

  /** Money that enters an account: into the current-year portion, or the prior-year one where the account is already in a later year. */
  credit(personNo: string, amount: Money, note: PostingNote): void {
    const { purse } = this.#account(personNo);
    const year = yearOf(dateOf(note.at));
    this.post(personNo, enter(foldTo(purse, year), amount, year), note);
  }

  /** Records money owed to the owner of a closed account, to be paid out by hand; negative: its payout. */
  hold(personNo: string, amount: Money, note: PostingNote): void {
    const { purse } = this.#account(personNo);
    this.#record(personNo, { priorYear: ZERO, currentYear: ZERO }, amount, note, purse);
    this.changedPersons.add(personNo);
  }

  /** Counts a payment (negative: its return) against a binding: the day's usage where `countedOn` is given, and the authorised amount. */
  use(draw: Pick<RelativeAllocation, 'bindingId' | 'authorised'>, amount: Money, countedOn: CalendarDate | null): void {
    const { bindingId } = draw;
    if (countedOn !== null) {
      const key = usageKey(bindingId, countedOn);
      this.#usage.set(key, add(this.#usage.get(key) ?? ZERO, amount));
    }
    const binding = this.#bindings.get(bindingId);
    if (!draw.authorised || binding === undefined) return;
    const left = subtract(binding.authorisedAmount ?? ZERO, amount);
    // A payer may have stated the largest amount there is before an earlier payment came back.
    this.putBinding({ ...binding, authorisedAmount: least(atLeastZero(left), MONEY_MAX) });
  }

  #account(personNo: string): { person: Person; purse: Purse } {
    const person = this.#persons.get(personNo);
    assert(person !== undefined && person.purse !== null, 'money moves only between known accounts');
    return { person, purse: person.purse };
  }

  #record(personNo: string, movement: Portions, held: Money, note: PostingNote, after: Purse): void {
    const { kind, counterpart, reference, bindingId = null, countedOn = null } = note;
    const { priorYear, currentYear } = movement;
    const on = dateOf(note.at);
    this.entries.push({
      personNo,
      kind,
      counterpart,
      reference,
      bindingId,
      priorYear,
      currentYear,
      held,
      on,
      countedOn,
      after,
    });
  }

  #noteCrossing(person: Person, before: Purse, after: Purse, note: PostingNote): void {
    const policy = this.#policyOf(person.insuredArea, dateOf(note.at));
    const had = isPositive(sharableOf(before, policy));
    const has = isPositive(sharableOf(after, policy));
    // ZERO_BALANCE imported with money in the account is lifted by the first posting that shows the money.
    const stale = had && has && this.#isEmptied(person.personNo);
    if (had && has && !stale) return;
    // One event may post to an account more than once; only its final state counts.
    const { type, id } = note.cause;
    // A line feed cannot occur in an id.
    const key = `${type}\n${id}\n${person.personNo}`;
    this.#crossings.delete(key);
    this.#crossings.set(key, { payer: person.personNo, empty: !has, at: note.at, cause: note.cause });
  }

  #isEmptied(payer: string): boolean {
    return this.#emptied.has(payer) || this.bindingsBy(payer).some(({ holds }) => holds.has('ZERO_BALANCE'));
  }

  /** Answers the crossings so far, in order, and forgets them: the caller deals with them. */
  takeCrossings(): Crossing[] {
    const taken = [...this.#crossings.values()];
    this.#crossings.clear();
    return taken;
  }

  #index(binding: Binding): void {
    const isKnown = this.#bindings.has(binding.bindingId);
    this.#bindings.set(binding.bindingId, binding);
    enlist(this.#byBeneficiary, binding.beneficiary, binding, isKnown);
    enlist(this.#byPayer, binding.payer, binding, isKnown);
  }
}

const usageKey = (bindingId: string, on: CalendarDate): string => `${on} ${bindingId}`;

/** A changed binding gets a new list, so that a loop over the old list that changes bindings still sees them unchanged. */
function enlist(lists: Map<string, Binding[]>, key: string, binding: Binding, isKnown: boolean): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [binding]);
  else if (!isKnown) list.push(binding);
  else
    lists.set(
      key,
      list.map((each) => (each.bindingId === binding.bindingId ? binding : each)),
    );
}

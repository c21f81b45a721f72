import type { CalendarDate } from './calendar.ts';
import type { Money } from './money.ts';
import type { Binding, Person } from './person.ts';

/** What a decision reads: persons, bindings and daily usage as they are at that moment. */
export interface FamilyView {
  person(personNo: string): Person | undefined;
  /** Every binding, in any state, that names this person as beneficiary. */
  bindingsFor(beneficiary: string): readonly Binding[];
  /** Net debits of a binding for claims dated `on`, yuan. */
  usage(bindingId: string, on: CalendarDate): Money;
}

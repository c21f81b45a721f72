import {
  type Books,
  type Contribution,
  type ContributionBook,
  type HeldBook,
  type MemberBooks,
  type MemberEvent,
  type Money,
  type PolicyLookup,
  subtract,
  ZERO,
} from '@repo/domain';
import { booksOf, type LedgerTransaction } from './transaction.ts';

/** The persons, bindings, contribution months and held refunds that a batch of member events works on, read under their locks. */
export class MemberWorld implements MemberBooks {
  readonly books: Books;
  readonly contributions: Months;
  readonly held: Held;
  readonly policyOf: PolicyLookup;

  private constructor(books: Books, contributions: Months, held: Held, policyOf: PolicyLookup) {
    this.books = books;
    this.contributions = contributions;
    this.held = held;
    this.policyOf = policyOf;
  }

  /**
   * Locks and reads what these events need, and in addition the accounts `payers`. `checked`: persons whose contribution months an arrears
   * check reads.
   */
  static async load(
    tx: LedgerTransaction,
    events: readonly MemberEvent[],
    policyOf: PolicyLookup,
    payers: readonly string[] = [],
    checked: readonly string[] = [],
  ): Promise<MemberWorld> {
    const people = new Set(payers);
    const requested = new Set<string>();
    const bindingIds: string[] = [];
    const refundIds: string[] = [];
    const withMonths: string[] = [...checked];
    for (const event of events) {
      if (event.kind === 'ACCOUNT_OPENED') people.add(event.person.personNo);
      else if ('binding' in event) {
        people.add(event.binding.payer);
        bindingIds.push(event.binding.bindingId);
        // The limits on the number of bindings count those of both persons, so both are locked.
        if (event.kind === 'BINDING_REQUESTED') requested.add(event.binding.payer).add(event.binding.beneficiary);
      } else people.add('payer' in event ? event.payer : event.personNo);
      if (event.kind === 'REFUND_PAID') refundIds.push(event.refundId);
      if (event.kind === 'CONTRIBUTION_PAID' || event.kind === 'CONTRIBUTION_MISSED') withMonths.push(event.personNo);
    }
    // A person may be bound before an account is opened, so there may be no row to lock.
    await tx.lockNames(requested);
    const persons = await tx.lockPersons([...people, ...requested]);
    const bindings = await tx.bindingsOf({
      payers: [...people, ...requested],
      beneficiaries: [...requested],
      bindingIds,
    });
    const books = booksOf(policyOf, { persons, bindings });
    const months = new Months(await tx.contributionsOf([...new Set(withMonths)]));
    return new MemberWorld(books, months, new Held(await tx.heldFor(refundIds)), policyOf);
  }
}

class Months implements ContributionBook {
  readonly #months = new Map<string, Map<string, Contribution>>();
  readonly #changed = new Set<Contribution>();

  constructor(months: readonly Contribution[]) {
    for (const month of months) this.#of(month.personNo).set(month.period, month);
  }

  monthsOf(personNo: string): Iterable<Contribution> {
    return this.#of(personNo).values();
  }

  put(month: Contribution): void {
    const months = this.#of(month.personNo);
    const before = months.get(month.period);
    if (before !== undefined) this.#changed.delete(before);
    months.set(month.period, month);
    this.#changed.add(month);
  }

  changed(): Contribution[] {
    return [...this.#changed];
  }

  #of(personNo: string): Map<string, Contribution> {
    const months = this.#months.get(personNo) ?? new Map<string, Contribution>();
    this.#months.set(personNo, months);
    return months;
  }
}

/** A line feed cannot occur in either id. */
const heldKey = (refundId: string, personNo: string): string => `${refundId}\n${personNo}`;

class Held implements HeldBook {
  readonly #left = new Map<string, Money>();
  readonly #paid: { personNo: string; refundId: string; amount: Money }[] = [];

  constructor(rows: readonly { personNo: string; refundId: string; left: Money }[]) {
    for (const { personNo, refundId, left } of rows) this.#left.set(heldKey(refundId, personNo), left);
  }

  heldFor(refundId: string, personNo: string): Money {
    return this.#left.get(heldKey(refundId, personNo)) ?? ZERO;
  }

  pay(refundId: string, personNo: string, amount: Money): void {
    this.#left.set(heldKey(refundId, personNo), subtract(this.heldFor(refundId, personNo), amount));
    this.#paid.push({ personNo, refundId, amount });
  }

  changed() {
    return this.#paid;
  }
}

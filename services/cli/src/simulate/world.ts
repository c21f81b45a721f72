import type { DecodedClaims, DecodedMembers } from '@repo/contracts';
import {
  add,
  afterRefund,
  applyArrearsCheck,
  applyMemberEvent,
  applyPremium,
  applyRefund,
  applySettlement,
  Books,
  type CalendarDate,
  type Contribution,
  type DueWork,
  dateOf,
  decideClaim,
  decidePremium,
  decideRefund,
  enforceArrears,
  type Money,
  type Paid,
  type PolicyLookup,
  paidByClaim,
  paidByPremium,
  type Settlement,
  startOf,
  subtract,
  ZERO,
} from '@repo/domain';

type WithoutContent<T> = T extends unknown ? Omit<T, 'content'> : never;

/** A readable input without its text, which only tells a repeat from a conflict: a month's inputs, millions, are all kept in memory. */
export type Input = WithoutContent<Exclude<DecodedClaims | DecodedMembers, { kind: 'BAD' }>>;

/**
 * The books under one set of rules, in memory: does to each input what its worker does, with the same functions of `@repo/domain`. Pauses
 * for want of money are left out, because a claim is decided by the live balance, not by the stored reason.
 */
export class World {
  readonly books: Books;
  readonly #policyOf: PolicyLookup;
  readonly #months = new Map<string, Map<string, Contribution>>();
  readonly #paid = new Map<string, Paid>();
  readonly #due = new Map<string, DueWork[]>();
  readonly #held = new Map<string, Money>();
  #isDead = false;

  constructor(policyOf: PolicyLookup) {
    this.#policyOf = policyOf;
    this.books = new Books(policyOf);
  }

  readonly contributions = {
    monthsOf: (personNo: string): Iterable<Contribution> => this.#months.get(personNo)?.values() ?? [],
    put: (month: Contribution): void => {
      const months = this.#months.get(month.personNo) ?? new Map<string, Contribution>();
      this.#months.set(month.personNo, months);
      if (months.get(month.period)?.paid !== true) months.set(month.period, month);
    },
  };

  /**
   * Takes an input as its worker would. Answers the settlement of a claim, else null, and whether the input was a dead letter: that does
   * not use up its id, so a later input may have the same one.
   */
  take(input: Input): { readonly settlement: Settlement | null; readonly isDead: boolean } {
    this.#isDead = false;
    const settlement = this.#take(input);
    // The balances already contain these entries, and no ledger is written.
    this.books.entries.length = 0;
    this.books.takeCrossings();
    return { settlement, isDead: this.#isDead };
  }

  #take(input: Input): Settlement | null {
    switch (input.kind) {
      case 'CLAIM': {
        const settlement = decideClaim(input.claim, this.books, this.#policyOf);
        applySettlement(input.claim, settlement, this.books);
        if (settlement.status === 'SETTLED') this.#paid.set(input.claim.claimId, paidByClaim(input.claim, settlement));
        return settlement;
      }
      case 'PREMIUM': {
        const { premium } = input;
        const decision = decidePremium(premium, this.books, this.#policyOf);
        applyPremium(premium, decision, this.books);
        const { allocation } = decision;
        if (allocation !== null) this.#paid.set(premium.premiumId, paidByPremium(premium, allocation, decision.on));
        return null;
      }
      case 'REFUND': {
        const { refund } = input;
        const paid = this.#paid.get(refund.claimId);
        const decision = decideRefund(refund, paid, this.books);
        if (paid === undefined || decision.status !== 'REFUNDED') return null;
        applyRefund(refund, paid, decision, this.books);
        this.#paid.set(refund.claimId, afterRefund(paid, decision));
        for (const step of decision.returned)
          if (step.source !== 'CASH' && step.manual) this.#hold(step.allocation.account, refund.refundId, step.amount);
        return null;
      }
      case 'MEMBER': {
        this.#catchUp(input.personNo, dateOf(input.event.at));
        const verdict = applyMemberEvent(input.event, this.#memberBooks);
        if (verdict.kind === 'DONE') this.#leave(verdict.due);
        else this.#isDead = true;
        return null;
      }
      case 'ARREARS_CHECK':
        return null;
      default:
        return input satisfies never;
    }
  }

  /** The arrears check of a date for one person. */
  check(personNo: string, on: CalendarDate, checkId: string): void {
    this.#catchUp(personNo, on);
    this.#leave(applyArrearsCheck(this.#memberBooks, personNo, on, { type: 'arrears.check', id: checkId }).due);
  }

  get #memberBooks() {
    const held = {
      heldFor: (refundId: string, personNo: string) => this.#held.get(`${refundId}\n${personNo}`) ?? ZERO,
      pay: (refundId: string, personNo: string, amount: Money) =>
        this.#hold(personNo, refundId, subtract(ZERO, amount)),
    };
    return { books: this.books, contributions: this.contributions, held, policyOf: this.#policyOf };
  }

  #hold(personNo: string, refundId: string, amount: Money): void {
    const key = `${refundId}\n${personNo}`;
    this.#held.set(key, add(this.#held.get(key) ?? ZERO, amount));
  }

  #leave(due: readonly DueWork[]): void {
    for (const work of due) this.#due.set(work.payer, [...(this.#due.get(work.payer) ?? []), work]);
  }

  /** Enforces for this payer the arrears whose grace has ended by this day. */
  #catchUp(payer: string, on: CalendarDate): void {
    const work = this.#due.get(payer) ?? [];
    const ended = work.filter(({ dueOn }) => dueOn <= on).sort((a, b) => (a.dueOn < b.dueOn ? -1 : 1));
    if (ended.length === 0) return;
    this.#due.set(
      payer,
      work.filter(({ dueOn }) => dueOn > on),
    );
    for (const { dueOn, cause } of ended) {
      const person = this.books.person(payer);
      if (person === undefined) continue;
      this.#leave(enforceArrears(this.#memberBooks, person, { at: startOf(dueOn), cause }).due);
    }
  }
}

import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  add,
  afterRefund,
  applyRefund,
  applySettlement,
  type Books,
  balanceOf,
  type CalendarDate,
  type Claim,
  compareMoney,
  dateOf,
  decideClaim,
  decideRefund,
  effectiveDailyLimit,
  foldTo,
  formatMoney,
  isNegative,
  isPositive,
  type Money,
  type Paid,
  paidByClaim,
  refundable,
  type Settlement,
  sharableOf,
  subtract,
  sum,
  yearOf,
  ZERO,
} from '../src/index.ts';
import { amount, claimOf, day, type Family, family } from './arbitraries.ts';
import { booksOf } from './builders.ts';

/** A busy machine may take its time over so many cases. */
vi.setConfig({ testTimeout: 60_000 });
const RUNS = { numRuns: 250 };
const equal = (left: Money, right: Money) => expect(formatMoney(left)).toBe(formatMoney(right));
const atLeast = (left: Money, right: Money) => expect(compareMoney(left, right)).toBeGreaterThanOrEqual(0);

const claims = fc.tuple(claimOf('C1'), claimOf('C2'), claimOf('C3'));
const refunds = fc.array(
  fc.record({ of: fc.constantFrom(0, 1, 2), amount: fc.option(amount, { nil: null }), on: day }),
  { maxLength: 6 },
);

function settle(claim: Claim, books: Books, { policyOf }: Family): Settlement {
  const settlement = decideClaim(claim, books, policyOf);
  applySettlement(claim, settlement, books);
  return settlement;
}

const total = (books: Books, { persons }: Family) =>
  sum(
    persons.flatMap(({ personNo }) => {
      const purse = books.person(personNo)?.purse;
      return purse == null ? [] : [balanceOf(purse)];
    }),
  );

test('what is paid adds up to the personal share, by source and by portion (I2, I4)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), (given, claim) => {
      const paid = decideClaim(claim, booksOf(given, given.policyOf), given.policyOf);
      equal(add(add(paid.accountPaid, paid.mutualAidPaid), paid.cashPaid), claim.personalShare);
      expect([paid.accountPaid, paid.mutualAidPaid, paid.cashPaid].some(isNegative)).toBe(false);
      const of = (source: string) =>
        sum(paid.allocation.filter((part) => part.source === source).map((part) => part.amount));
      equal(of('OWN'), paid.accountPaid);
      equal(of('RELATIVE'), paid.mutualAidPaid);
      for (const part of paid.allocation) {
        equal(balanceOf(part), part.amount);
        expect(isPositive(part.amount)).toBe(true);
      }
      if (paid.status === 'REFUSED') expect([paid.allocation, paid.skipped]).toEqual([[], []]);
    }),
    RUNS,
  );
});

test('accounts lose exactly what was allocated and never fall below 0.00 in any portion (I5, C1)', () => {
  fc.assert(
    fc.property(family, claims, (given, three) => {
      const books = booksOf(given, given.policyOf);
      const before = total(books, given);
      const paid = three.map((claim) => settle(claim, books, given));
      const taken = sum(paid.flatMap(({ allocation }) => allocation.map((part) => part.amount)));
      equal(subtract(before, taken), total(books, given));
      for (const { personNo } of given.persons) {
        const purse = books.person(personNo)?.purse;
        if (purse != null) expect([purse.priorYear, purse.currentYear].some(isNegative)).toBe(false);
        const last = books.entries.filter((entry) => entry.personNo === personNo).at(-1);
        if (last !== undefined && purse != null) equal(balanceOf(last.after), balanceOf(purse));
      }
    }),
    RUNS,
  );
});

test('after a relative has paid, what must remain remains, and no cap per claim is exceeded (C2)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), (given, claim) => {
      const books = booksOf(given, given.policyOf);
      const on = dateOf(claim.settledAt);
      const { allocation } = settle(claim, books, given);
      for (const part of allocation) {
        if (part.source === 'OWN') continue;
        const payer = books.person(part.account);
        if (payer?.purse == null) throw new Error('a payer who paid has an account');
        const policy = given.policyOf(payer.insuredArea, on);
        atLeast(sharableOf(payer.purse, policy), policy.minRemaining);
        if (policy.sharablePortion !== 'TOTAL') equal(part.currentYear, ZERO);
        const together = sum(allocation.filter(({ account }) => account === part.account).map((other) => other.amount));
        if (policy.perClaimPayerCap !== null) atLeast(policy.perClaimPayerCap, together);
      }
    }),
    RUNS,
  );
});

test('the debits of a binding on a day, refunds taken off, stay within its daily limit (I7)', () => {
  fc.assert(
    fc.property(family, claims, refunds, (given, three, back) => {
      const books = booksOf(given, given.policyOf);
      run(given, three, back, books, () => {
        for (const { bindingId, countedOn: on } of books.entries) {
          if (bindingId === null || on === null) continue;
          const binding = books.binding(bindingId);
          const payer = binding && books.person(binding.payer);
          if (!binding || !payer) throw new Error('a binding that was used is known');
          const limit = effectiveDailyLimit(binding, given.policyOf(payer.insuredArea, on));
          if (limit !== null) atLeast(limit, books.usage(bindingId, on));
          expect(isNegative(books.usage(bindingId, on))).toBe(false);
        }
      });
    }),
    RUNS,
  );
});

test('what a binding has used of a day is the sum of the entries that count against it', () => {
  fc.assert(
    fc.property(family, claims, refunds, (given, three, back) => {
      const books = booksOf(given, given.policyOf);
      run(given, three, back, books, () => undefined);
      for (const { bindingId, countedOn: on } of books.entries) {
        if (bindingId !== null && on !== null) {
          equal(countedIn(books).get(`${bindingId} ${on}`) ?? ZERO, books.usage(bindingId, on));
        }
      }
    }),
    RUNS,
  );
});

test('no more is refunded than was paid, by claim and by source (I6)', () => {
  fc.assert(
    fc.property(family, claims, refunds, (given, three, back) => {
      const books = booksOf(given, given.policyOf);
      run(given, three, back, books, (all) => {
        for (const paid of all) {
          expect(isNegative(refundable(paid))).toBe(false);
          atLeast(paid.cash, paid.returnedCash);
          for (const [i, part] of paid.allocation.entries()) atLeast(part.amount, paid.returned[i] ?? ZERO);
        }
      });
    }),
    RUNS,
  );
});

test('refunding everything, in any parts, puts every account, limit and authorised amount back (I8)', () => {
  fc.assert(
    fc.property(family, claims, refunds, (given, three, back) => {
      const books = booksOf(given, given.policyOf);
      const rest = three.map((_, of) => ({ of, amount: null, on: dateOf(three[of]?.settledAt ?? 0) }));
      run(given, three, [...back, ...rest], books, () => undefined);
      for (const { personNo, purse, status } of given.persons) {
        const after = books.person(personNo)?.purse;
        const held = sum(books.entries.filter((entry) => entry.personNo === personNo).map((entry) => entry.held));
        if (purse != null && after != null) equal(add(balanceOf(after), held), balanceOf(purse));
        if (status !== 'CLOSED') equal(held, ZERO);
      }
      for (const used of countedIn(books).values()) equal(used, ZERO);
      for (const { bindingId, authorisedAmount } of given.bindings) {
        equal(books.binding(bindingId)?.authorisedAmount ?? ZERO, authorisedAmount ?? ZERO);
      }
    }),
    RUNS,
  );
});

test('a full refund on the same day puts every portion back as it was (I8)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), (given, claim) => {
      const books = booksOf(given, given.policyOf);
      run(given, [claim], [{ of: 0, amount: null, on: dateOf(claim.settledAt) }], books, () => undefined);
      for (const { personNo, purse } of given.persons) {
        const after = books.person(personNo)?.purse;
        const year = yearOf(dateOf(claim.settledAt));
        // An account that has come to a later year takes money of an earlier one as prior-year money.
        if (purse == null || after == null || purse.year > year) continue;
        const touched = books.entries.some((entry) => entry.personNo === personNo);
        const expected = touched ? foldTo(purse, year) : purse;
        equal(after.priorYear, expected.priorYear);
        equal(after.currentYear, expected.currentYear);
      }
    }),
    RUNS,
  );
});

test('the order in which bindings are given changes nothing (I9)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), fc.infiniteStream(fc.nat()), (given, claim, dice) => {
      const shuffled = [...given.bindings]
        .map((one) => ({ one, rank: dice.next().value }))
        .sort((a, b) => a.rank - b.rank);
      const decide = (bindings: Family['bindings']) =>
        plain(decideClaim(claim, booksOf({ ...given, bindings }, given.policyOf), given.policyOf));
      expect(decide(shuffled.map(({ one }) => one))).toEqual(decide(given.bindings));
    }),
    RUNS,
  );
});

test('deciding changes nothing, so deciding twice gives the same (I9)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), (given, claim) => {
      const books = booksOf(given, given.policyOf);
      const first = plain(decideClaim(claim, books, given.policyOf));
      expect(plain(decideClaim(claim, books, given.policyOf))).toEqual(first);
      expect([books.entries, books.changedPersons.size, books.changedBindings.size]).toEqual([[], 0, 0]);
    }),
    RUNS,
  );
});

test('each source is asked at most once, and asked last before the money ran out (C3)', () => {
  fc.assert(
    fc.property(family, claimOf('C1'), (given, claim) => {
      const { allocation, skipped, cashPaid, status } = decideClaim(
        claim,
        booksOf(given, given.policyOf),
        given.policyOf,
      );
      const asked = [...allocation, ...skipped].map((source) => ('bindingId' in source ? source.bindingId : 'OWN'));
      expect(new Set(asked).size).toBe(asked.length);
      const outOfScope =
        given.policyOf(given.persons[0]?.insuredArea ?? '', dateOf(claim.settledAt)).accountScope === 'IN_SCOPE_ONLY';
      if (status === 'SETTLED' && isPositive(cashPaid) && !outOfScope)
        expect(asked).toHaveLength(given.bindings.length + 1);
    }),
    RUNS,
  );
});

/** Settles the claims, then does the refunds, looking at everything paid after each step. */
function run(
  given: Family,
  three: readonly Claim[],
  back: readonly { of: number; amount: Money | null; on: CalendarDate }[],
  books: Books,
  look: (paid: readonly Paid[]) => void,
): void {
  const paid: Paid[] = [];
  for (const claim of three) {
    paid.push(paidByClaim(claim, settle(claim, books, given)));
    look(paid);
  }
  back.forEach(({ of, amount: wanted, on }, i) => {
    const original = paid[of];
    const claim = three[of];
    if (original === undefined || claim === undefined) return;
    const at = Math.max(claim.settledAt, Date.parse(`${on}T12:00:00+08:00`));
    const refund = { refundId: `R${i}`, claimId: claim.claimId, personNo: claim.personNo, at, amount: wanted };
    if (wanted !== null && !isPositive(wanted)) return;
    const decision = decideRefund(refund, original, books);
    if (decision.status === 'REFUSED') return;
    equal(sum([decision.accountPaid, decision.mutualAidPaid, decision.cashPaid]), subtract(ZERO, decision.amount));
    applyRefund(refund, original, decision, books);
    paid[of] = afterRefund(original, decision);
    look(paid);
  });
}

const plain = (settlement: Settlement): string =>
  JSON.stringify(settlement, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

/** Use by binding and day, as the entries tell it. */
function countedIn({ entries }: Books): Map<string, Money> {
  const used = new Map<string, Money>();
  for (const { bindingId, countedOn, held, ...moved } of entries) {
    if (countedOn === null) continue;
    const key = `${bindingId} ${countedOn}`;
    used.set(key, subtract(used.get(key) ?? ZERO, add(balanceOf(moved), held)));
  }
  return used;
}

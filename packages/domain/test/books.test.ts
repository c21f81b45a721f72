import { expect, test } from 'vitest';
import { MONEY_MAX, money, negate } from '../src/index.ts';
import { binding, booksOf, person } from './builders.ts';

test('what two postings leave empty is told of both, however their ids and persons read one after the other', () => {
  const books = booksOf({ persons: ['P', '1 P'].map((personNo) => person({ personNo })) });
  const at = Date.parse('2025-03-10T10:00:00+08:00');
  for (const [id, personNo] of [
    ['C 1', 'P'],
    ['C', '1 P'],
  ] as const) {
    const cause = { type: 'claim.submitted', id } as const;
    const note = { kind: 'CLAIM', counterpart: 'institution:H1', reference: id, at, cause } as const;
    books.post(personNo, { priorYear: money('0.00'), currentYear: money('-1000.00') }, note);
  }
  expect(books.takeCrossings().map(({ payer, cause }) => [cause.id, payer])).toEqual([
    ['C 1', 'P'],
    ['C', '1 P'],
  ]);
});

test('a payment that comes back after the largest amount was authorised leaves the largest amount', () => {
  const books = booksOf({ bindings: [binding({ authorisedAmount: MONEY_MAX })] });
  books.use({ bindingId: 'B1', authorised: true }, negate(money('50.00')), null);
  expect(books.binding('B1')?.authorisedAmount).toBe(MONEY_MAX);
});

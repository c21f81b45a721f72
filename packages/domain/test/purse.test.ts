import fc from 'fast-check';
import { expect, test } from 'vitest';
import { balanceOf, foldTo, formatMoney, InvariantBroken, money, sharableOf } from '../src/index.ts';
import { enter, moveInto, outOf, splitDraw, splitReturn } from '../src/purse.ts';
import { amount, purse } from './arbitraries.ts';

const order = fc.constantFrom('CURRENT_YEAR_FIRST' as const, 'PRIOR_YEAR_FIRST' as const);
const year = fc.integer({ min: 2020, max: 2030 });

test('folding keeps the balance, never goes back, and folding twice is folding once (I5)', () => {
  fc.assert(
    fc.property(purse, year, (one, to) => {
      const folded = foldTo(one, to);
      expect(balanceOf(folded)).toBe(balanceOf(one));
      expect(folded.year).toBe(Math.max(one.year, to));
      expect(foldTo(folded, to)).toBe(folded);
      if (to <= one.year) expect(folded).toBe(one);
      else expect(formatMoney(folded.currentYear)).toBe('0.00');
    }),
  );
});

test('folding year by year ends where folding at once does', () => {
  fc.assert(
    fc.property(purse, (one) => {
      expect(foldTo(foldTo(one, one.year + 1), one.year + 3)).toEqual(foldTo(one, one.year + 3));
    }),
  );
});

test('a draw takes the first portion first and never more than there is', () => {
  fc.assert(
    fc.property(purse, amount, order, (one, wanted, first) => {
      if (wanted > balanceOf(one)) {
        expect(() => splitDraw(one, wanted, first)).toThrow(InvariantBroken);
        return;
      }
      const drawn = splitDraw(one, wanted, first);
      expect(balanceOf(drawn)).toBe(wanted);
      const [lead, rest] =
        first === 'CURRENT_YEAR_FIRST'
          ? (['currentYear', 'priorYear'] as const)
          : (['priorYear', 'currentYear'] as const);
      if (formatMoney(drawn[rest]) !== '0.00') expect(drawn[lead]).toBe(one[lead]);
      // What was drawn, returned, is in the same portions again.
      expect(moveInto(moveInto(one, outOf(drawn)), splitReturn(drawn, wanted, first))).toEqual(one);
    }),
  );
});

test('money entering on an event of an earlier year is prior-year money', () => {
  const one = { year: 2026, priorYear: money('1.00'), currentYear: money('2.00') };
  expect(enter(one, money('5.00'), 2025)).toEqual({ priorYear: money('5.00'), currentYear: money('0.00') });
  expect(enter(one, money('5.00'), 2026)).toEqual({ priorYear: money('0.00'), currentYear: money('5.00') });
  expect(() => enter(one, money('0.00'), 2026)).toThrow(InvariantBroken);
});

test('what can be shared is the whole account or its prior-year portion', () => {
  const one = { year: 2025, priorYear: money('1.00'), currentYear: money('2.00') };
  expect(sharableOf(one, { sharablePortion: 'TOTAL' })).toBe(money('3.00'));
  expect(sharableOf(one, { sharablePortion: 'PRIOR_YEAR' })).toBe(money('1.00'));
  expect(sharableOf(one, { sharablePortion: 'PRIOR_YEAR_AUTHORISED' })).toBe(money('1.00'));
});

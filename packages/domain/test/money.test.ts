import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  atLeastZero,
  compareMoney,
  equalMoney,
  formatMoney,
  InvariantBroken,
  isNegative,
  isPositive,
  isZero,
  least,
  MONEY_MAX,
  type Money,
  money,
  negate,
  subtract,
  sum,
  toDecimal,
  ZERO,
} from '../src/index.ts';

describe('reading and writing', () => {
  test.each([
    ['0', '0.00'],
    ['1', '1.00'],
    ['1.5', '1.50'],
    ['36.00', '36.00'],
    ['0.01', '0.01'],
    ['007.10', '7.10'],
    ['-0.05', '-0.05'],
    ['-0.00', '0.00'],
    ['99999999999999.99', '99999999999999.99'],
    ['-99999999999999.99', '-99999999999999.99'],
    ['9999999999999.99', '9999999999999.99'],
    ['12345678901234567890.12', '12345678901234567890.12'],
  ])('%s is written %s', (text, written) => expect(formatMoney(money(text))).toBe(written));

  test.each([
    '',
    ' 1',
    '1 ',
    '1.',
    '.5',
    '1.005',
    '1e2',
    '+1',
    '0x10',
    '1,000.00',
    '١',
    'NaN',
    'Infinity',
    '--1',
    '1.0.0',
  ])('%j is no amount (C6)', (text) => expect(() => money(text)).toThrow(InvariantBroken));

  test('every amount of the national interface survives reading and writing', () => {
    const fen = fc.bigInt({ min: -9_999_999_999_999_999n, max: 9_999_999_999_999_999n });
    fc.assert(
      fc.property(fen, (value) => {
        const digits = `${value < 0n ? -value : value}`.padStart(3, '0');
        const text = `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
        expect(formatMoney(money(text))).toBe(text);
      }),
    );
  });

  test('a hundred times 0.10 is exactly 10.00, and the maximum plus one fen is exact', () => {
    expect(formatMoney(sum(Array.from({ length: 100 }, () => money('0.10'))))).toBe('10.00');
    expect(formatMoney(add(MONEY_MAX, money('0.01')))).toBe('100000000000000.00');
  });
});

test('comparing, choosing and signs', () => {
  const [one, two] = [money('1.00'), money('2.00')];
  expect([compareMoney(one, two), compareMoney(two, one), compareMoney(one, money('1'))]).toEqual([-1, 1, 0]);
  expect(least(two, one, two)).toBe(one);
  expect([isZero(ZERO), isPositive(ZERO), isNegative(ZERO), isPositive(one), isNegative(negate(one))]).toEqual([
    true,
    false,
    false,
    true,
    true,
  ]);
  expect([equalMoney(one, money('1.0')), equalMoney(one, two)]).toEqual([true, false]);
  expect([atLeastZero(subtract(one, two)), atLeastZero(one)]).toEqual([ZERO, one]);
  expect(formatMoney(negate(ZERO))).toBe('0.00');
  expect(toDecimal(MONEY_MAX).toFixed(2)).toBe('99999999999999.99');
});

test('adding and taking away undo each other', () => {
  const any: fc.Arbitrary<Money> = fc.integer().map((fen) => money((fen / 100).toFixed(2)));
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(subtract(add(a, b), b)).toBe(a);
    }),
  );
});

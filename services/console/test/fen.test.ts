import { expect, test } from 'vitest';
import { fenOf, grouped, sumOf, yuanOf } from '../src/parts/fen.ts';

test('amounts are added to the fen, beyond what a binary fraction holds', () => {
  expect(sumOf(['0.10', '0.20'])).toBe('0.30');
  expect(sumOf(['99999999999999.99', '0.01', '-0.02'])).toBe('99999999999999.98');
  expect(sumOf([])).toBe('0.00');
  expect(yuanOf(fenOf('-0.05'))).toBe('-0.05');
});

test('thousands stand apart, and only before the point', () => {
  expect(['0.00', '999.90', '1234.56', '-1234567.00'].map(grouped)).toEqual([
    '0.00',
    '999.90',
    '1,234.56',
    '-1,234,567.00',
  ]);
});

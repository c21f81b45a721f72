import { expect, test } from 'vitest';
import { sentences, Tally } from '../src/audit/tally.ts';

function tallied(): Tally {
  const tally = new Tally();
  tally.declare('accounts', { 'account-balance': 'equals its entries', 'account-sums': 'has its sums' });
  tally.declare('days', { 'day-balanced': 'sums to zero' });
  return tally;
}

test('what was found wrong is counted, and ten places are kept to look at', () => {
  const tally = tallied();
  tally.checked('account-balance', 300);
  const rows = Array.from({ length: 25 }, (_, n) => `row ${n}`);
  tally.wrong('account-balance', rows.slice(0, 8), 20);
  tally.wrong('account-balance', rows.slice(8));
  expect(tally.checks()[0]).toMatchObject({ checked: 300, wrong: 37, examples: rows.slice(0, 10) });
});

test('a subject is told in one sentence while all of its checks hold, else each broken check in its own', () => {
  const tally = tallied();
  tally.checked('account-balance', 1_200);
  tally.checked('account-sums', 1_200);
  expect(sentences(tally.checks(), ['a note'])).toEqual([
    '1,200 accounts: each equals its entries, none was ever below 0.00',
    'note: a note',
  ]);
  tally.wrong('account-sums', ['row 1']);
  expect(sentences(tally.checks(), [])).toEqual(['WRONG account-sums: 1 of 1,200 accounts not "has its sums" (row 1)']);
});

test('an excused difference is a note and no longer wrong', () => {
  const tally = tallied();
  tally.expect('day-balanced', false, 'day 1');
  tally.excuse('day-balanced', (count) => `${count} days`);
  tally.excuse('account-sums', (count) => `${count} accounts`);
  expect(tally.checks().every(({ wrong }) => wrong === 0)).toBe(true);
  expect(tally.notes).toEqual(['1 days']);
});

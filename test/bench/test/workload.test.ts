import { expect, test } from 'vitest';
import { splitClaim } from '../src/bare/split.ts';
import { bindingsOf, FAMILIES, FAMILY_SIZE, makeClaims, makeFamilies, memberEvents } from '../src/workload.ts';

const families = makeFamilies(1);
const claims = makeClaims({ seed: 2, count: 60_000, families, idPrefix: 'C' });

test('the same seed makes the same town, another seed another', () => {
  expect(makeFamilies(1)).toEqual(families);
  expect(makeClaims({ seed: 2, count: 100, families, idPrefix: 'C' })).toEqual(claims.slice(0, 100));
  expect(makeFamilies(2)).not.toEqual(families);
  expect(makeClaims({ seed: 3, count: 100, families, idPrefix: 'C' })).not.toEqual(claims.slice(0, 100));
});

test('every person is in one family and four relatives pay for each patient', () => {
  expect(families).toHaveLength(FAMILIES);
  expect(new Set(families.flat().map(({ personNo }) => personNo)).size).toBe(FAMILIES * FAMILY_SIZE);
  const [first] = families;
  if (first === undefined) throw new Error('there is no family');
  expect(bindingsOf(first).map(({ payer, priority }) => [payer, priority])).toEqual(
    first.slice(1).map(({ personNo }, index) => [personNo, index + 1]),
  );
  expect(memberEvents(first).map(({ type }) => type)).toEqual([
    ...Array(5).fill('account.opened'),
    ...Array(4).fill('binding.opened'),
  ]);
});

test('a claim names its amounts in yuan, and they add up', () => {
  for (const { event, personalShare } of claims.slice(0, 1_000)) {
    const fen = (field: string) => Math.round(Number(event[field]) * 100);
    expect(event.psn_part_amt).toMatch(/^\d+\.\d\d$/);
    expect(fen('psn_part_amt')).toBe(personalShare);
    expect(fen('fund_pay_sumamt') + fen('psn_part_amt')).toBe(fen('medfee_sumamt'));
  }
});

test('the cascade has work: own accounts, relatives and cash all pay, 1.6 accounts a claim', () => {
  const balances = new Map(
    families.flat().map(({ personNo, priorYear, currentYear }) => [personNo, priorYear + currentYear]),
  );
  const accounts = new Map(families.map((family) => [family[0].personNo, family.map(({ personNo }) => personNo)]));
  const splits = claims.map(({ patient, personalShare }) =>
    splitClaim(personalShare, accounts.get(patient) ?? [], balances),
  );
  const share = (count: number) => count / claims.length;
  expect(share(splits.reduce((sum, { entries }) => sum + entries.length, 0))).toBeCloseTo(1.55, 1);
  expect(share(splits.filter(({ own }) => own > 0).length)).toBeGreaterThan(0.25);
  expect(share(splits.filter(({ relatives }) => relatives > 0).length)).toBeGreaterThan(0.7);
  expect(share(splits.filter(({ cash }) => cash > 0).length)).toBeGreaterThan(0.05);
});

test('a split takes accounts in order, leaves none below zero and the rest to cash', () => {
  const balances = new Map([
    ['own', 300],
    ['empty', 0],
    ['spouse', 500],
  ]);
  expect(splitClaim(1_000, ['own', 'empty', 'spouse'], balances)).toEqual({
    own: 300,
    relatives: 500,
    cash: 200,
    entries: [
      { account: 'own', amount: 300, balanceAfter: 0 },
      { account: 'spouse', amount: 500, balanceAfter: 0 },
    ],
  });
  expect([...balances.values()]).toEqual([0, 0, 0]);
});

import { add, isNegative, money } from '@repo/domain';
import { expect, test } from 'vitest';
import { City } from '../src/demo/city.ts';
import { claims } from '../src/demo/day.ts';
import type { ClaimSubmitted } from '../src/demo/visit.ts';
import { createSettler } from './demo-settle.fixture.ts';

const city = new City({ seed: 1, people: 20_000 });
const day = [...claims(city, 30_000)];
const good = day.filter(({ outcomes, deadLetters }) => outcomes === 1 && deadLetters === 0);
const visits = good.map(({ value }) => JSON.parse(value) as ClaimSubmitted);
const hourOf = ({ setl_time }: ClaimSubmitted): number => Number(setl_time.slice(11, 13));
const median = (type: string): number => {
  const fees = visits.filter(({ med_type }) => med_type === type).map(({ medfee_sumamt }) => Number(medfee_sumamt));
  return fees.sort((left, right) => left - right)[fees.length >> 1] ?? Number.NaN;
};

test('the same seed makes the same day', () => {
  expect([...claims(new City({ seed: 1, people: 20_000 }), 30_000)]).toEqual(day);
});

test('messages come in order of time, on one day, and well-formed ones have ids of their own', () => {
  for (const [index, { at }] of day.entries()) expect(at).toBeGreaterThanOrEqual(day[index - 1]?.at ?? 0);
  expect(visits.every(({ setl_time }) => setl_time.startsWith('2026-03-10T') && setl_time.endsWith('+08:00'))).toBe(
    true,
  );
  expect(good.every(({ at }, index) => Date.parse(visits[index]?.setl_time ?? '') === at)).toBe(true);
  expect(new Set(good.map(({ claimId }) => claimId)).size).toBe(good.length);
  expect(visits.every(({ psn_no }, index) => good[index]?.key === psn_no)).toBe(true);
});

test('every bill adds up: total = fund + hospital + person, and = the four scope amounts where given', () => {
  for (const visit of visits) {
    const { medfee_sumamt, fund_pay_sumamt, hosp_part_amt, psn_part_amt } = visit;
    const parts = [fund_pay_sumamt, hosp_part_amt, psn_part_amt].map(money);
    expect(parts.some(isNegative)).toBe(false);
    expect(parts.reduce(add)).toBe(money(medfee_sumamt));
    const { fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt } = visit;
    const scope = [fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt];
    if (scope.includes(undefined)) expect(scope.every((amount) => amount === undefined)).toBe(true);
    else expect(scope.map((amount) => money(amount ?? '')).reduce(add)).toBe(money(medfee_sumamt));
  }
});

test('prices are those of clinics, hospitals and pharmacies', () => {
  expect(median('11')).toBeGreaterThan(200);
  expect(median('11')).toBeLessThan(260);
  expect(median('41')).toBeGreaterThan(65);
  expect(median('41')).toBeLessThan(90);
  expect(median('21')).toBeGreaterThan(5_000);
  expect(median('21')).toBeLessThan(10_000);
  const stays = visits.filter(({ med_type }) => med_type === '21').length;
  expect(stays).toBeGreaterThan(100);
  expect(stays).toBeLessThan(600);
});

test('clinics are busy at 8-11 and 14-16, pharmacies in the evening', () => {
  const count = (pharmacy: boolean, from: number, to: number): number =>
    visits.filter((visit) => (visit.med_type === '41') === pharmacy && hourOf(visit) >= from && hourOf(visit) < to)
      .length /
    (to - from);
  expect(count(false, 8, 11)).toBeGreaterThan(3 * count(false, 12, 14));
  expect(count(false, 14, 16)).toBeGreaterThan(2.5 * count(false, 12, 14));
  expect(count(true, 18, 21)).toBeGreaterThan(1.5 * count(true, 8, 11));
  expect(count(true, 18, 21)).toBeGreaterThan(count(false, 18, 21));
});

test('people see a doctor as often as people of their age do', () => {
  const seen = (test: (age: number) => boolean): number =>
    visits.filter(({ psn_no }) => test(city.person(psn_no)?.age ?? -1)).length;
  const living = [...Array(city.families).keys()].flatMap((index) => city.family(index).people);
  const perPerson = (test: (age: number) => boolean) => seen(test) / living.filter(({ age }) => test(age)).length;
  expect(perPerson((age) => age >= 60) / perPerson((age) => age >= 18 && age < 45)).toBeCloseTo(11.6 / 4.5, 0);
}, 30_000);

test('a few messages are repeats or wrong, of every kind', () => {
  const odd = day.length - good.length;
  expect(odd).toBeGreaterThan(100);
  expect(odd / day.length).toBeLessThan(0.01);
  expect(new Set(day.map(({ outcomes, deadLetters }) => `${outcomes}${deadLetters}`))).toEqual(
    new Set(['10', '00', '01', '11']),
  );
  const repeats = day.filter(({ outcomes, deadLetters }) => outcomes === 0 && deadLetters === 0);
  for (const repeat of repeats) expect(good.filter(({ value }) => value === repeat.value)).toHaveLength(1);
});

test('every member and message is understood as the contract says, and owes just the outcomes and dead letters foretold', {
  timeout: 30_000,
}, async () => {
  const settler = await createSettler();
  const town = new City({ seed: 1, people: 5_000 });
  settler.load(town.members());
  const codes = new Set<string>();
  const surprises = [...claims(town, 15_000)].filter((message) => {
    const { outcome, dead } = settler.answer(message);
    if (outcome?.code) codes.add(outcome.code);
    return Number(outcome !== null) !== message.outcomes || Number(dead) !== message.deadLetters;
  });
  expect(surprises).toEqual([]);
  expect([...codes].sort()).toEqual([
    'BENEFICIARY_UNKNOWN',
    'CLAIM_AMOUNT_INVALID',
    'CLAIM_DUPLICATE_CONFLICT',
    'CLAIM_IDENTITY_VIOLATION',
    'CLAIM_MALFORMED',
    'INSTITUTION_NOT_DESIGNATED',
    'PURPOSE_EXCLUDED',
  ]);
});

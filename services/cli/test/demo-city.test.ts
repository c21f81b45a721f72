import { expect, test } from 'vitest';
import type { AccountOpened } from '../src/demo/account.ts';
import type { BindingOpened, Person } from '../src/demo/binding.ts';
import { City } from '../src/demo/city.ts';

const city = new City({ seed: 1, people: 20_000 });
const rows = [...city.members()];
const accounts = rows.flatMap((row) => (row.type === 'account.opened' ? [row.value] : []));
const bindings = rows.flatMap((row) => (row.type === 'binding.opened' ? [row.value] : []));
const people = accounts.map(({ psn_no }) => city.person(psn_no)).filter((person) => person !== undefined);

const share = <T>(list: readonly T[], test: (item: T) => boolean): number => list.filter(test).length / list.length;
const quantile = (list: readonly number[], at: number): number =>
  list.toSorted((left, right) => left - right)[Math.floor(at * list.length)] ?? Number.NaN;
const balance = ({ prior_year, current_year }: AccountOpened): number => Number(prior_year) + Number(current_year);

test('the same seed makes the same city, another seed another', () => {
  expect([...new City({ seed: 1, people: 20_000 }).members()]).toEqual(rows);
  const other = new City({ seed: 2, people: 20_000 }).family(7);
  expect(other).not.toEqual(city.family(7));
});

test('a larger city begins with the families of a smaller one', () => {
  expect(new City({ seed: 1, people: 90_000 }).family(100)).toEqual(city.family(100));
});

test('a city has exactly the people asked for, each with a number of their own', () => {
  for (const count of [1, 2, 3, 10, 1_001]) {
    const members = [...new City({ seed: 5, people: count }).members()];
    const numbers = members.flatMap(({ type, value }) => (type === 'account.opened' ? [value.psn_no] : []));
    expect(new Set(numbers).size).toBe(count);
    expect(numbers).toHaveLength(count);
  }
});

test('people and bindings are found again by number and id, and nobody else is', () => {
  expect(people).toHaveLength(20_000);
  expect(people.map(({ account }) => account)).toEqual(accounts);
  expect(bindings.map(({ binding_id }) => city.binding(binding_id))).toEqual(bindings);
  expect(city.person('000000000000')).toBeUndefined();
  expect(city.person('3301999999999')).toBeUndefined();
  expect(city.binding('B9999999-00')).toBeUndefined();
});

test('ages are those of a Chinese city', () => {
  expect(share(people, ({ age }) => age < 15)).toBeCloseTo(0.15, 1);
  expect(share(people, ({ age }) => age >= 60)).toBeGreaterThan(0.16);
  expect(share(people, ({ age }) => age >= 60)).toBeLessThan(0.25);
  expect(Math.min(...people.map(({ age }) => age))).toBe(0);
  expect(Math.max(...people.map(({ age }) => age))).toBeLessThan(100);
  expect(share(people, ({ sex }) => sex === 'F')).toBeCloseTo(0.5, 1);
});

test('children and residents have no account; employees and retirees have one that fits their age and work', () => {
  const held = accounts.filter(({ prior_year }) => prior_year !== undefined);
  expect(held.every(({ insutype, as_of, current_year }) => insutype === '310' && as_of && current_year)).toBe(true);
  expect(accounts.filter(({ insutype }) => insutype === '310')).toHaveLength(held.length);
  expect(people.filter(({ age, account }) => age < 22 && account.insutype === '310')).toEqual([]);
  expect(share(accounts, ({ insutype }) => insutype === '310')).toBeCloseTo(0.62, 1);

  const working = held.filter(({ employment }) => employment === 'ACTIVE').map(balance);
  const retired = held.filter(({ employment }) => employment === 'RETIRED').map(balance);
  expect(quantile(working, 0.5)).toBeGreaterThan(2_500);
  expect(quantile(working, 0.5)).toBeLessThan(5_000);
  expect(quantile(working, 0.95)).toBeGreaterThan(15_000);
  expect(quantile(working, 0.99)).toBeLessThan(80_000);
  expect(quantile(retired, 0.5)).toBeGreaterThan(1_000);
  expect(quantile(retired, 0.5)).toBeLessThan(2_000);
  expect(share(retired, (yuan) => yuan < 300)).toBeGreaterThan(0.05);
});

test('only those who still contribute are in arrears, and their bindings enter paused', () => {
  const behind = accounts.filter(({ unpaid_periods }) => unpaid_periods !== undefined);
  expect(share(accounts, ({ unpaid_periods }) => unpaid_periods !== undefined)).toBeGreaterThan(0.005);
  expect(behind.every(({ employment }) => employment === 'ACTIVE' || employment === 'FLEXIBLE')).toBe(true);
  const numbers = new Set(behind.map(({ psn_no }) => psn_no));
  const theirs = bindings.filter(({ payer, state }) => numbers.has(payer) && (state ?? 'ACTIVE') === 'ACTIVE');
  expect(theirs).toEqual([]);
  for (const { state, pause_reasons } of bindings) expect(state === 'PAUSED').toBe((pause_reasons ?? []).length > 0);
});

test('a binding joins two of one family and says truly what the beneficiary is to the payer', () => {
  const truth: Record<BindingOpened['relation'], (payer: Person, other: Person) => boolean> = {
    SPOUSE: (payer, other) => payer.generation === other.generation && payer.sex !== other.sex,
    PARENT: (payer, other) => other.age >= payer.age + 18 && payer.side === other.side,
    CHILD: (payer, other) => payer.age >= other.age + 18,
    SIBLING: (payer, other) => payer.generation === 'CHILD' && other.generation === 'CHILD',
    GRANDPARENT: (payer, other) => payer.generation === 'CHILD' && other.generation === 'ELDER',
    GRANDCHILD: (payer, other) => payer.generation === 'ELDER' && other.generation === 'CHILD',
  };
  for (const { payer, beneficiary, relation } of bindings) {
    const [from, to] = [city.person(payer), city.person(beneficiary)];
    expect(payer.slice(0, -1)).toBe(beneficiary.slice(0, -1));
    if (!from || !to || from === to) throw new Error(`${payer} or ${beneficiary} is nobody`);
    expect(truth[relation](from, to), `${relation} ${payer} ${beneficiary}`).toBe(true);
  }
  expect(new Set(bindings.map(({ binding_id }) => binding_id)).size).toBe(bindings.length);
});

test('a payer is opened before their bindings, and names carry their family', () => {
  const seen = new Set<string>();
  for (const { type, value } of rows) {
    if (type === 'account.opened') seen.add(value.psn_no);
    else expect(seen.has(value.payer)).toBe(true);
  }
  expect(accounts.every(({ psn_name }) => /^\p{Script=Han}{2,3}$/u.test(psn_name))).toBe(true);
});

import { compareMoney, date, money } from '@repo/domain';
import { expect, test } from 'vitest';
import { createPolicies, type Policies, parsePacks } from '../src/index.ts';

const ON = date('2025-03-10');

/** Policies of packs written as `region from to`, then their parameters. */
function policiesOf(...packs: readonly (readonly [string, ...string[]])[]): Policies {
  const files = packs.map(([head, ...lines], index) => {
    const [region, from, to] = head.split(' ');
    const header = `regionCode: ${region}\neffectiveFrom: ${from}\neffectiveTo: ${to}\n`;
    return { name: `${index}.yaml`, text: header + lines.join('\n') };
  });
  const parsed = parsePacks(files);
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return createPolicies(parsed.packs);
}

test('a county takes each parameter from itself, else its city, its province, the country, the default', () => {
  const { policyAt, explainPolicy } = policiesOf(
    ['000000 null null', 'arrearsGraceDays: 1', 'resumeWaitDays: 1', 'maxPayersPerBeneficiary: 1', 'dailyLimitMax: 1'],
    ['330000 null null', 'arrearsGraceDays: 2', 'resumeWaitDays: 2', 'maxPayersPerBeneficiary: 2'],
    ['330100 null null', 'arrearsGraceDays: 3', 'resumeWaitDays: 3'],
    ['330106 null null', 'arrearsGraceDays: 4'],
  );
  const policy = policyAt('330106', ON);
  expect(policy).toMatchObject({
    region: '330106',
    arrearsGraceDays: 4,
    resumeWaitDays: 3,
    maxPayersPerBeneficiary: 2,
  });
  expect(policy.dailyLimitMax).toBe(money('1.00'));
  expect(policy.dailyLimitDefault).toBeNull();
  const sources = new Map(explainPolicy('330106', ON).map(({ parameter, source }) => [parameter, source]));
  expect(sources.get('resumeWaitDays')).toEqual({ file: '2.yaml', region: '330100', version: 'always' });
  expect(sources.get('dailyLimitMax')).toEqual({ file: '0.yaml', region: '000000', version: 'always' });
  expect(sources.get('dailyLimitDefault')).toBe('default');
});

test('a region whose first pack begins later inherits until then, and after its last version again', () => {
  const { policyAt } = policiesOf(['000000 null null'], ['330000 2025-01-01 2025-06-30', 'arrearsGraceDays: 9']);
  const at = (on: string) => policyAt('330106', date(on));
  expect(at('2024-12-31')).toMatchObject({ region: '000000', arrearsGraceDays: 0 });
  expect(at('2025-01-01')).toMatchObject({ region: '330000', arrearsGraceDays: 9 });
  expect(at('2025-06-30')).toMatchObject({ region: '330000', arrearsGraceDays: 9 });
  expect(at('2025-07-01')).toMatchObject({ region: '000000', arrearsGraceDays: 0 });
});

test('the version of a province that is inherited is the one of the same date', () => {
  const { policyAt } = policiesOf(
    ['330000 null 2024-12-31', 'arrearsGraceDays: 1'],
    ['330000 2025-01-01 null', 'arrearsGraceDays: 2'],
    ['330100 null null', 'resumeWaitDays: 5'],
  );
  expect(policyAt('330106', date('2024-12-31'))).toMatchObject({ region: '330100', arrearsGraceDays: 1 });
  expect(policyAt('330106', date('2025-01-01'))).toMatchObject({ region: '330100', arrearsGraceDays: 2 });
});

test('a template ranks below its adopter and above what the adopter inherits', () => {
  const { policyAt, explainPolicy } = policiesOf(
    ['T1 null null', 'arrearsGraceDays: 1', 'resumeWaitDays: 1', 'extends: T2'],
    ['T2 null null', 'arrearsGraceDays: 2', 'resumeWaitDays: 2', 'maxFamiliesPerPerson: 2'],
    ['330000 null null', 'maxFamiliesPerPerson: 3', 'resumeWaitDays: 3', 'maxPayersPerBeneficiary: 3'],
    ['330100 null null', 'extends: T1', 'arrearsGraceDays: 4'],
  );
  const policy = policyAt('330106', ON);
  expect(policy).toMatchObject({
    region: '330100',
    arrearsGraceDays: 4,
    resumeWaitDays: 1,
    maxFamiliesPerPerson: 2,
    maxPayersPerBeneficiary: 3,
  });
  const explained = explainPolicy('330106', ON).find(({ parameter }) => parameter === 'maxFamiliesPerPerson');
  expect(explained?.source).toEqual({ file: '1.yaml', region: 'T2', version: 'always' });
});

test('null takes back a limit that the province sets', () => {
  const { policyAt } = policiesOf(
    ['330000 null null', 'shareThreshold: 6000'],
    ['330100 null null', 'shareThreshold: null'],
  );
  expect(policyAt('330200', ON).shareThreshold).toBe(money('6000.00'));
  expect(policyAt('330100', ON).shareThreshold).toBeNull();
});

test('premiumRelations are the allowedRelations in force, unless a pack in force sets them', () => {
  const { policyAt } = policiesOf(
    ['000000 null null', 'allowedRelations: [CHILD]'],
    ['330000 null null', 'allowedRelations: [SPOUSE, PARENT]'],
    ['500000 null null', 'premiumRelations: [SIBLING]'],
  );
  expect(policyAt('330106', ON).premiumRelations).toEqual(new Set(['SPOUSE', 'PARENT']));
  expect(policyAt('500103', ON).premiumRelations).toEqual(new Set(['SIBLING']));
  expect(policyAt('500103', ON).allowedRelations).toEqual(new Set(['CHILD']));
});

test('a pooling area is a city, but a municipality is one as a whole, unless a pack says otherwise', () => {
  const { policyAt } = policiesOf(['310000 null null', 'poolAreaDigits: 4']);
  const digits = (area: string): number => policyAt(area, ON).poolAreaDigits;
  expect(['110105', '120101', '500103', '330106', '310115'].map(digits)).toEqual([2, 2, 2, 4, 4]);
});

test('the version names the exact rules: equal rules have equal versions, one changed value another', () => {
  const version = (line: string, area = '330106'): string =>
    policiesOf(['330000 2025-01-01 null', line]).policyAt(area, ON).version;
  expect(version('allowedRelations: [CHILD, SPOUSE]')).toBe(version('allowedRelations: [SPOUSE, CHILD]'));
  expect(version('minRemaining: 3000')).toBe(version('minRemaining: "3000.00"'));
  expect(version('minRemaining: 3000')).not.toBe(version('minRemaining: 3000.01'));
  expect(version('minRemaining: 3000')).toBe(version('minRemaining: 3000', '330200'));
  expect(version('minRemaining: 3000')).toMatch(/^2025-01-01\.[0-9a-f]{8}$/);
});

test('without any pack the defaults hold', () => {
  const policy = policiesOf().policyAt('330106', ON);
  expect(policy).toMatchObject({ region: '000000', sharingEnabled: true, contributionDueDay: 'LAST' });
  expect(compareMoney(policy.minRemaining, money('0'))).toBe(0);
});

test('the same rules are the same object, also after more areas than are remembered', () => {
  const { policyAt } = policiesOf(['330000 2025-01-01 null', 'arrearsGraceDays: 9']);
  const before = policyAt('330106', date('2024-12-31'));
  expect(policyAt('330106', date('1999-01-01'))).toBe(before);
  expect(policyAt('330106', date('2025-01-01'))).not.toBe(before);
  for (let area = 0; area <= 10_000; area += 1) policyAt(String(area).padStart(6, '0'), ON);
  expect(policyAt('330106', date('2024-12-31'))).toEqual(before);
});

test('a policy cannot be changed by who reads it', () => {
  expect(Object.isFrozen(policiesOf().policyAt('330106', ON))).toBe(true);
});

test.each(['', '33', '33010', '3301061', 'T6000', '３３０１０６'])(
  'an area code that is not 6 digits is refused: %j',
  (area) => {
    const { policyAt, explainPolicy } = policiesOf();
    expect(() => policyAt(area, ON)).toThrow(RangeError);
    expect(() => explainPolicy(area, ON)).toThrow(RangeError);
  },
);

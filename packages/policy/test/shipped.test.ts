import { date } from '@repo/domain';
import { describe, expect, test } from 'vitest';
import { loadPolicies, type ParameterName, type PlainValue } from '../src/index.ts';

const THREE = ['SPOUSE', 'PARENT', 'CHILD'];
const SIX = [...THREE, 'SIBLING', 'GRANDPARENT', 'GRANDCHILD'];
const CLASSES_WITHOUT_INPATIENT = ['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'PHARMACY', 'MATERNITY'];
const CLASSES_WITH_INPATIENT = ['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'INPATIENT', 'PHARMACY', 'MATERNITY'];

type Values = { readonly [P in ParameterName]?: PlainValue };

/** Every shipped pack by the values it is there for, on the last day before and the first day after each border. */
const CASES: readonly { area: string; on: string; region: string; from: string; values: Values }[] = [
  {
    area: '340100',
    on: '2024-11-30',
    region: '000000',
    from: 'always',
    values: {
      allowedRelations: THREE,
      allowedServiceClasses: CLASSES_WITHOUT_INPATIENT,
      residentPremium: { 2024: ['380.00'] },
    },
  },
  {
    area: '340100',
    on: '2024-12-01',
    region: '000000',
    from: '2024-12-01',
    values: {
      allowedRelations: SIX,
      allowedServiceClasses: CLASSES_WITH_INPATIENT,
      residentPremium: { 2024: ['380.00'], 2025: ['400.00'] },
    },
  },
  {
    area: '330106',
    on: '2024-11-30',
    region: '000000',
    from: 'always',
    values: { sharablePortion: 'TOTAL', allowedRelations: THREE, allowedServiceClasses: CLASSES_WITHOUT_INPATIENT },
  },
  {
    area: '330106',
    on: '2024-12-01',
    region: '330000',
    from: '2024-12-01',
    values: {
      sharablePortion: 'PRIOR_YEAR_AUTHORISED',
      allowedRelations: THREE,
      allowedServiceClasses: ['OUTPATIENT', 'PHARMACY'],
      premiumRelations: THREE,
      residentPremium: { 2024: ['380.00'], 2025: ['400.00'] },
    },
  },
  {
    area: '500103',
    on: '2024-11-30',
    region: '500000',
    from: 'always',
    values: { premiumRelations: THREE, allowedRelations: THREE, poolAreaDigits: 2 },
  },
  {
    area: '500103',
    on: '2025-09-19',
    region: '500000',
    from: 'always',
    values: { premiumRelations: THREE, allowedRelations: SIX },
  },
  {
    area: '500103',
    on: '2025-09-20',
    region: '500000',
    from: '2025-09-20',
    values: { premiumRelations: SIX, allowedRelations: SIX },
  },
  {
    area: '110105',
    on: '2024-07-31',
    region: '000000',
    from: 'always',
    values: { allowedRelations: THREE, premiumRequiresRegistration: false, poolAreaDigits: 2 },
  },
  {
    area: '110105',
    on: '2024-08-01',
    region: '110000',
    from: '2024-08-01',
    values: {
      allowedRelations: THREE,
      premiumRequiresRegistration: true,
      allowedServiceClasses: CLASSES_WITHOUT_INPATIENT,
    },
  },
  {
    area: '110105',
    on: '2024-12-01',
    region: '110000',
    from: '2024-08-01',
    values: { allowedRelations: THREE, premiumRelations: THREE, allowedServiceClasses: CLASSES_WITH_INPATIENT },
  },
  { area: '210102', on: '2024-11-30', region: '000000', from: 'always', values: { allowedRelations: THREE } },
  { area: '210102', on: '2024-12-01', region: '210100', from: '2024-12-01', values: { allowedRelations: SIX } },
  {
    area: '310118',
    on: '2024-11-30',
    region: '000000',
    from: 'always',
    values: { memberScope: 'SAME_POOLING_AREA', residentPremium: { 2024: ['380.00'] } },
  },
  {
    area: '310118',
    on: '2024-12-01',
    region: '310118',
    from: '2024-12-01',
    values: { memberScope: 'NATIONWIDE', residentPremium: { 2024: ['860.00', '555.00'] }, poolAreaDigits: 2 },
  },
  {
    area: '310115',
    on: '2024-12-01',
    region: '310000',
    from: '2024-12-01',
    values: { memberScope: 'SAME_POOLING_AREA', residentPremium: { 2024: ['860.00', '555.00'] } },
  },
  { area: '420100', on: '2024-11-30', region: '000000', from: 'always', values: { memberScope: 'SAME_POOLING_AREA' } },
  { area: '420100', on: '2024-12-01', region: '420000', from: '2024-12-01', values: { memberScope: 'SAME_PROVINCE' } },
  {
    area: '440106',
    on: '2023-12-31',
    region: '000000',
    from: 'always',
    values: { nhsaFundIncludesAcct: false, residentPremium: { 2024: ['380.00'] } },
  },
  {
    area: '440106',
    on: '2024-01-01',
    region: '440100',
    from: '2024-01-01',
    values: {
      nhsaFundIncludesAcct: true,
      nhsaAcctPayIncludesMulaid: false,
      residentPremium: { 2024: ['398.00', '558.00'] },
    },
  },
  { area: '370800', on: '2024-11-30', region: '000000', from: 'always', values: { dailyLimitRequired: false } },
  { area: '370800', on: '2024-12-01', region: '370800', from: '2024-12-01', values: { dailyLimitRequired: true } },
  { area: '210900', on: '2024-11-30', region: '000000', from: 'always', values: { dailyLimitRequired: false } },
  { area: '210900', on: '2024-12-01', region: '210900', from: '2024-12-01', values: { dailyLimitRequired: true } },
  { area: '320500', on: '2025-06-29', region: '000000', from: '2024-12-01', values: { allowedRelations: SIX } },
  {
    area: '320500',
    on: '2025-06-30',
    region: '320000',
    from: '2025-06-30',
    values: { allowedRelations: SIX, premiumEnabled: true },
  },
  {
    area: '350203',
    on: '2000-01-01',
    region: '350200',
    from: 'always',
    values: { maxFamiliesPerPerson: 1, bindRequiresNormalContribution: true, allowedRelations: THREE },
  },
];

const loaded = await loadPolicies();
if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
const { policies } = loaded;

test.each(CASES)('$area on $on is ruled by $region from $from', ({ area, on, region, from, values }) => {
  const { region: found, version } = policies.policyAt(area, date(on));
  expect(found).toBe(region);
  expect(version).toMatch(new RegExp(`^${from}\\.[0-9a-f]{8}$`));
  const explained = policies.explainPolicy(area, date(on));
  const effective = Object.fromEntries(explained.map(({ parameter, value }) => [parameter, value]));
  expect(effective).toMatchObject(values);
});

test('no pack is shipped that the table does not state', () => {
  const stated = new Set(CASES.map(({ region, from }) => `${region} ${from}`));
  const shipped = policies.packs.map((pack) => `${pack.region} ${pack.from ?? 'always'}`);
  expect(new Set(shipped)).toEqual(stated.add('T6000 always'));
});

describe('a pack sets only what its source says', () => {
  const SET: Record<string, readonly ParameterName[]> = {
    '000000': ['allowedRelations', 'allowedServiceClasses', 'residentPremium'],
    '110000': ['allowedRelations', 'premiumRequiresRegistration'],
    '210100': ['allowedRelations'],
    '210900': ['dailyLimitRequired'],
    '310000': ['residentPremium'],
    '310118': ['memberScope'],
    '320000': ['allowedRelations', 'premiumEnabled'],
    '330000': ['sharablePortion', 'allowedRelations', 'allowedServiceClasses'],
    '350200': ['maxFamiliesPerPerson', 'bindRequiresNormalContribution'],
    '370800': ['dailyLimitRequired'],
    '420000': ['memberScope'],
    '440100': ['residentPremium', 'nhsaFundIncludesAcct'],
    '500000': ['premiumRelations'],
    T6000: ['sharablePortion', 'shareThreshold', 'minRemaining'],
  };
  test.each(policies.packs.map((pack) => ({ file: pack.file, pack })))('$file', ({ pack }) => {
    expect([...pack.values.keys()].sort()).toEqual([...(SET[pack.region] ?? [])].sort());
  });
});

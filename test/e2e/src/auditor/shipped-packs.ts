import type { Pack } from './policy.ts';

const THREE = ['SPOUSE', 'PARENT', 'CHILD'];
const SIX = [...THREE, 'SIBLING', 'GRANDPARENT', 'GRANDCHILD'];
const WITHOUT_INPATIENT = ['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'PHARMACY', 'MATERNITY'];

/** The regional packs the system ships, written down a second time from their sources. */
export const SHIPPED_PACKS: readonly Pack[] = [
  {
    regionCode: '000000',
    effectiveFrom: null,
    effectiveTo: '2024-11-30',
    allowedRelations: THREE,
    allowedServiceClasses: WITHOUT_INPATIENT,
    residentPremium: { 2024: ['380.00'] },
  },
  {
    regionCode: '000000',
    effectiveFrom: '2024-12-01',
    effectiveTo: null,
    allowedRelations: SIX,
    allowedServiceClasses: [...WITHOUT_INPATIENT, 'INPATIENT'],
    residentPremium: { 2024: ['380.00'], 2025: ['400.00'] },
  },
  {
    regionCode: '330000',
    effectiveFrom: '2024-12-01',
    sharablePortion: 'PRIOR_YEAR_AUTHORISED',
    allowedRelations: THREE,
    allowedServiceClasses: ['OUTPATIENT', 'PHARMACY'],
  },
  { regionCode: '500000', effectiveFrom: null, effectiveTo: '2025-09-19', premiumRelations: THREE },
  { regionCode: '500000', effectiveFrom: '2025-09-20', premiumRelations: SIX },
  { regionCode: '110000', effectiveFrom: '2024-08-01', allowedRelations: THREE, premiumRequiresRegistration: true },
  { regionCode: '210100', effectiveFrom: '2024-12-01', allowedRelations: SIX },
  { regionCode: '310000', effectiveFrom: '2024-12-01', residentPremium: { 2024: ['860.00', '555.00'] } },
  { regionCode: '310118', effectiveFrom: '2024-12-01', memberScope: 'NATIONWIDE' },
  { regionCode: '420000', effectiveFrom: '2024-12-01', memberScope: 'SAME_PROVINCE' },
  { regionCode: '440100', effectiveFrom: '2024-01-01', residentPremium: { 2024: ['398.00', '558.00'] } },
  { regionCode: '370800', effectiveFrom: '2024-12-01', dailyLimitRequired: true },
  { regionCode: '210900', effectiveFrom: '2024-12-01', dailyLimitRequired: true },
  { regionCode: '320000', effectiveFrom: '2025-06-30', allowedRelations: SIX },
  { regionCode: '350200', effectiveFrom: null, maxFamiliesPerPerson: 1, bindRequiresNormalContribution: true },
];

/** Templates a region may adopt with `extends`. */
export const SHIPPED_TEMPLATES = {
  T6000: { sharablePortion: 'PRIOR_YEAR', shareThreshold: '6000.00', minRemaining: '3000.00' },
};

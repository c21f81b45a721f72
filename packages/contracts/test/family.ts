import { type Binding, Books, date, money, type Person, type Policy, periodOf, RELATIONS } from '@repo/domain';

/** The default rules, under the name of a province, some of them stated otherwise. */
export const aPolicy = (overrides: Partial<Policy> = {}): Policy => ({
  region: '330000',
  version: 'test',
  sharingEnabled: true,
  allowedRelations: new Set(RELATIONS),
  allowedServiceClasses: new Set(['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'INPATIENT', 'PHARMACY', 'MATERNITY']),
  excludedPurposes: new Set(['PUBLIC_HEALTH', 'FITNESS', 'WELLNESS']),
  accountScope: 'PERSONAL_BURDEN',
  poolAreaDigits: 4,
  institutionScope: 'SAME_POOLING_AREA',
  memberScope: 'SAME_POOLING_AREA',
  requireWalletCrossProvince: true,
  ownRequiresCrossRegionFiling: true,
  requireCardActive: true,
  inactiveOwnCardBlocksSharing: false,
  requireBeneficiaryInsured: true,
  requireEmployerEnabled: false,
  sharablePortion: 'TOTAL',
  shareThreshold: null,
  minRemaining: money('0.00'),
  dailyLimitDefault: null,
  dailyLimitMax: null,
  dailyLimitRequired: false,
  perClaimPayerCap: null,
  payerOrder: 'CONFIGURED_PRIORITY',
  portionOrder: 'CURRENT_YEAR_FIRST',
  ownAccountUsableInArrears: true,
  pauseOnArrears: true,
  retireesExempt: true,
  pauseOnZeroBalance: true,
  contributionDueDay: 'LAST',
  arrearsGraceDays: 0,
  resumeWaitDays: 0,
  resumeMode: 'AUTO',
  maxPayersPerBeneficiary: null,
  maxBeneficiariesPerPayer: null,
  maxFamiliesPerPerson: null,
  bindRequiresNormalContribution: true,
  premiumEnabled: true,
  premiumRelations: new Set(RELATIONS),
  premiumRequiresRegistration: false,
  residentPremium: new Map(),
  nhsaAcctPayIncludesMulaid: false,
  nhsaFundIncludesAcct: false,
  ...overrides,
});

/** A working, insured person of Hangzhou with this much in the account, yuan. */
export const aPerson = (
  personNo: string,
  { priorYear = '0.00', currentYear = '0.00' }: { priorYear?: string; currentYear?: string },
): Person => ({
  personNo,
  insuranceKind: '310',
  personCategory: '1101',
  employment: 'ACTIVE',
  insuredArea: '330106',
  purse: { year: 2025, priorYear: money(priorYear), currentYear: money(currentYear) },
  status: 'ACTIVE',
  cardActive: true,
  employerEnabled: true,
  walletOpen: false,
  uninsuredSince: null,
  arrearsSince: null,
  spellSince: null,
  lastSpellStart: date('0001-01-01'),
  recoveredOn: null,
  asOfPeriod: periodOf(date('2024-12-01')),
});

/** A binding in force for P1, the payer's spouse. */
export const aBinding = (bindingId: string, overrides: Partial<Binding> = {}): Binding => ({
  bindingId,
  payer: 'P2',
  beneficiary: 'P1',
  relation: 'SPOUSE',
  type: 'FAMILY_SHARING',
  state: 'ACTIVE',
  holds: new Map(),
  priority: null,
  boundAt: Date.UTC(2024, 0, 1),
  effectiveFrom: date('2024-01-01'),
  effectiveTo: null,
  dailyLimit: null,
  authorisedAmount: null,
  premiumRegistered: false,
  ...overrides,
});

export function aFamily(persons: readonly Person[], bindings: readonly Binding[], policy: Partial<Policy> = {}): Books {
  const books = new Books(() => aPolicy(policy));
  books.load({ persons, bindings });
  return books;
}

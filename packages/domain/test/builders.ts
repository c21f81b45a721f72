import {
  BEGINNING,
  type Binding,
  Books,
  type CalendarDate,
  type Claim,
  type Contribution,
  type ContributionBook,
  date,
  type HeldBook,
  type MemberBooks,
  type Money,
  money,
  type Person,
  type Policy,
  type PolicyLookup,
  parsePeriod,
  RELATIONS,
  subtract,
  ZERO,
} from '../src/index.ts';

/** The rules of a region that sets nothing: every parameter at its default. */
export const BASE_POLICY: Policy = {
  region: '000000',
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
  minRemaining: ZERO,
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
};

export const lookup = (policy: Partial<Policy> = {}): PolicyLookup => {
  const whole = { ...BASE_POLICY, ...policy };
  return () => whole;
};

const asOf = parsePeriod('2024-12');
if (asOf === null) throw new Error('2024-12 is a month');

/** A working person of Hangzhou (330106), insured, with an account of 1000.00 of this year and nothing of earlier ones. */
export const person = (overrides: Partial<Person> & Pick<Person, 'personNo'>): Person => ({
  insuranceKind: '310',
  personCategory: '1101',
  employment: 'ACTIVE',
  insuredArea: '330106',
  purse: { year: 2025, priorYear: ZERO, currentYear: money('1000.00') },
  status: 'ACTIVE',
  cardActive: true,
  employerEnabled: true,
  walletOpen: false,
  uninsuredSince: null,
  arrearsSince: null,
  spellSince: null,
  lastSpellStart: BEGINNING,
  recoveredOn: null,
  asOfPeriod: asOf,
  ...overrides,
});

/** A binding in force since 2024, P2 paying for P1, the spouse. */
export const binding = (overrides: Partial<Binding> = {}): Binding => ({
  bindingId: 'B1',
  payer: 'P2',
  beneficiary: 'P1',
  relation: 'SPOUSE',
  type: 'FAMILY_SHARING',
  state: overrides.holds !== undefined && overrides.holds.size > 0 ? 'PAUSED' : 'ACTIVE',
  holds: new Map(),
  priority: null,
  boundAt: Date.parse('2024-01-01T00:00:00Z'),
  effectiveFrom: date('2024-01-01'),
  effectiveTo: null,
  dailyLimit: null,
  authorisedAmount: null,
  premiumRegistered: false,
  ...overrides,
});

/** P1 at a clinic of Hangzhou on 2025-03-10, 150.00 left to the patient. */
export const claim = (overrides: Partial<Claim> = {}): Claim => {
  const personalShare = overrides.personalShare ?? money('150.00');
  return {
    claimId: 'C1',
    encounterId: 'M1',
    personNo: 'P1',
    providerCode: 'H33010600001',
    designated: true,
    providerArea: '330106',
    visitType: '11',
    purpose: 'MEDICAL',
    crossRegionFiled: false,
    accountsUsed: true,
    settledAt: Date.parse('2025-03-10T10:00:00+08:00'),
    settledAtText: '2025-03-10T10:00:00+08:00',
    senderSettlementId: null,
    totalFee: personalShare,
    fundPaid: ZERO,
    hospitalBorne: ZERO,
    personalShare,
    scope: { fullyOwnPaid: null, overLimit: null, preSelfPaid: null, inScope: null },
    ...overrides,
  };
};

interface Rows {
  readonly persons?: Iterable<Person>;
  readonly bindings?: Iterable<Binding>;
  readonly usage?: Iterable<{ bindingId: string; on: CalendarDate; amount: Money }>;
}

export function booksOf(rows: Rows, policyOf: PolicyLookup = lookup()): Books {
  const books = new Books(policyOf);
  books.load(rows);
  return books;
}

/** The ports of the member events, in memory: months and held money as a database would keep them. */
export class World implements MemberBooks {
  readonly books: Books;
  readonly policyOf: PolicyLookup;
  readonly months = new Map<string, Contribution>();
  readonly heldLeft = new Map<string, Money>();

  constructor(rows: Rows, policyOf: PolicyLookup = lookup()) {
    this.books = booksOf(rows, policyOf);
    this.policyOf = policyOf;
  }

  readonly contributions: ContributionBook = {
    monthsOf: (personNo) => [...this.months.values()].filter((month) => month.personNo === personNo),
    put: (month) => {
      this.months.set(`${month.personNo} ${month.period}`, month);
    },
  };

  readonly held: HeldBook = {
    heldFor: (refundId, personNo) => this.heldLeft.get(`${refundId} ${personNo}`) ?? ZERO,
    pay: (refundId, personNo, amount) => {
      this.heldLeft.set(`${refundId} ${personNo}`, subtract(this.held.heldFor(refundId, personNo), amount));
    },
  };
}

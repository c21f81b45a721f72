import type { CalendarDate } from './calendar.ts';
import type { Money } from './money.ts';

/** Kinds of relative; the relation is stated as "the beneficiary is the payer's X". */
export const RELATIONS = ['SPOUSE', 'PARENT', 'CHILD', 'SIBLING', 'GRANDPARENT', 'GRANDCHILD'] as const;
export type Relation = (typeof RELATIONS)[number];

/** Classes of service that a policy can allow or not. */
export const SERVICE_CLASSES = [
  'OUTPATIENT',
  'OUTPATIENT_SPECIAL',
  'INPATIENT',
  'PHARMACY',
  'MATERNITY',
  'PHYSICAL_EXAM',
  'OTHER',
] as const;
export type ServiceClass = (typeof SERVICE_CLASSES)[number];

/** What a claim is for. */
export const PURPOSES = ['MEDICAL', 'PUBLIC_HEALTH', 'FITNESS', 'WELLNESS', 'PHYSICAL_EXAM', 'COSMETIC'] as const;
export type Purpose = (typeof PURPOSES)[number];

export const SCOPES = ['SAME_POOLING_AREA', 'SAME_PROVINCE', 'NATIONWIDE'] as const;
export type Scope = (typeof SCOPES)[number];

export const SHARABLE_PORTIONS = ['TOTAL', 'PRIOR_YEAR', 'PRIOR_YEAR_AUTHORISED'] as const;
export type SharablePortion = (typeof SHARABLE_PORTIONS)[number];

/**
 * The rules of one region on one date: every policy parameter, none missing. Amounts in yuan; null means "no such limit". Made by
 * `packages/policy` from the regional packs.
 */
export interface Policy {
  /** The most specific region whose pack contributed, and a version that names the exact rules; both are part of every outcome. */
  readonly region: string;
  readonly version: string;

  readonly sharingEnabled: boolean;
  readonly allowedRelations: ReadonlySet<Relation>;
  readonly allowedServiceClasses: ReadonlySet<ServiceClass>;
  readonly excludedPurposes: ReadonlySet<Purpose>;
  readonly accountScope: 'PERSONAL_BURDEN' | 'IN_SCOPE_ONLY';
  /** Digits of an area code that make one pooling area (统筹区). */
  readonly poolAreaDigits: 2 | 4;
  readonly institutionScope: Scope;
  readonly memberScope: Scope;
  readonly requireWalletCrossProvince: boolean;
  readonly ownRequiresCrossRegionFiling: boolean;
  readonly requireCardActive: boolean;
  readonly inactiveOwnCardBlocksSharing: boolean;
  readonly requireBeneficiaryInsured: boolean;
  readonly requireEmployerEnabled: boolean;
  readonly sharablePortion: SharablePortion;
  readonly shareThreshold: Money | null;
  readonly minRemaining: Money;
  readonly dailyLimitDefault: Money | null;
  readonly dailyLimitMax: Money | null;
  readonly dailyLimitRequired: boolean;
  readonly perClaimPayerCap: Money | null;
  readonly payerOrder: 'CONFIGURED_PRIORITY' | 'BALANCE_DESC';
  readonly portionOrder: 'CURRENT_YEAR_FIRST' | 'PRIOR_YEAR_FIRST';
  readonly ownAccountUsableInArrears: boolean;
  readonly pauseOnArrears: boolean;
  readonly retireesExempt: boolean;
  readonly pauseOnZeroBalance: boolean;
  readonly contributionDueDay: number | 'LAST';
  readonly arrearsGraceDays: number;
  readonly resumeWaitDays: number;
  readonly resumeMode: 'AUTO' | 'MANUAL';
  readonly maxPayersPerBeneficiary: number | null;
  readonly maxBeneficiariesPerPayer: number | null;
  readonly maxFamiliesPerPerson: number | null;
  readonly bindRequiresNormalContribution: boolean;
  readonly premiumEnabled: boolean;
  readonly premiumRelations: ReadonlySet<Relation>;
  readonly premiumRequiresRegistration: boolean;
  /** For each insurance year the amounts that a resident may be charged; a year without an entry accepts any amount. */
  readonly residentPremium: ReadonlyMap<number, readonly Money[]>;
  readonly nhsaAcctPayIncludesMulaid: boolean;
  readonly nhsaFundIncludesAcct: boolean;
}

/**
 * Answers the rules of an area (6-digit 医保区划) on a Shanghai date. Two dates that get the same object have had the same rules all the time
 * in between.
 */
export type PolicyLookup = (area: string, on: CalendarDate) => Policy;

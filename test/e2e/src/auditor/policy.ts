import { fenOf } from './fen.ts';

/** A policy file's content: any subset of the parameters for one region and span of dates (both inclusive, null = open). */
export interface Pack {
  readonly regionCode: string;
  readonly effectiveFrom: string | null;
  readonly effectiveTo?: string | null;
  readonly extends?: string;
  readonly [parameter: string]: unknown;
}

type Scope = 'SAME_POOLING_AREA' | 'SAME_PROVINCE' | 'NATIONWIDE';

/** Every parameter, resolved for one area and date. Amounts in fen. */
export interface Policy {
  readonly sharingEnabled: boolean;
  readonly allowedRelations: readonly string[];
  readonly allowedServiceClasses: readonly string[];
  readonly excludedPurposes: readonly string[];
  readonly accountScope: 'PERSONAL_BURDEN' | 'IN_SCOPE_ONLY';
  readonly poolAreaDigits: number;
  readonly institutionScope: Scope;
  readonly memberScope: Scope;
  readonly requireWalletCrossProvince: boolean;
  readonly ownRequiresCrossRegionFiling: boolean;
  readonly requireCardActive: boolean;
  readonly inactiveOwnCardBlocksSharing: boolean;
  readonly requireBeneficiaryInsured: boolean;
  readonly requireEmployerEnabled: boolean;
  readonly sharablePortion: 'TOTAL' | 'PRIOR_YEAR' | 'PRIOR_YEAR_AUTHORISED';
  readonly shareThreshold: bigint | null;
  readonly minRemaining: bigint;
  readonly dailyLimitDefault: bigint | null;
  readonly dailyLimitMax: bigint | null;
  readonly dailyLimitRequired: boolean;
  readonly perClaimPayerCap: bigint | null;
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
  readonly premiumRelations: readonly string[];
  readonly premiumRequiresRegistration: boolean;
  readonly residentPremium: Readonly<Record<string, readonly unknown[]>>;
}

export const RELATIONS = ['SPOUSE', 'PARENT', 'CHILD', 'SIBLING', 'GRANDPARENT', 'GRANDCHILD'] as const;

const DEFAULTS = {
  sharingEnabled: true,
  allowedRelations: RELATIONS,
  allowedServiceClasses: ['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'INPATIENT', 'PHARMACY', 'MATERNITY'],
  excludedPurposes: ['PUBLIC_HEALTH', 'FITNESS', 'WELLNESS'],
  accountScope: 'PERSONAL_BURDEN',
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
  minRemaining: '0.00',
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
  premiumRequiresRegistration: false,
  residentPremium: {},
} as const;

const AMOUNTS = ['shareThreshold', 'minRemaining', 'dailyLimitDefault', 'dailyLimitMax', 'perClaimPayerCap'];
const MUNICIPALITIES = ['11', '12', '31', '50'];

/** Answers which rules hold for an insured area on a date: 330106 over 330100 over 330000 over 000000 over the defaults. */
export class Policies {
  readonly #packs: readonly Pack[];
  readonly #templates: Readonly<Record<string, object>>;

  constructor(packs: readonly Pack[], templates: Readonly<Record<string, object>> = {}) {
    this.#packs = packs;
    this.#templates = templates;
  }

  at(area: string, date: string): Policy {
    const merged: Record<string, unknown> = {
      ...DEFAULTS,
      poolAreaDigits: MUNICIPALITIES.includes(area.slice(0, 2)) ? 2 : 4,
    };
    for (const region of new Set(['000000', `${area.slice(0, 2)}0000`, `${area.slice(0, 4)}00`, area])) {
      const pack = this.#packs.find((each) => each.regionCode === region && inForce(each, date));
      if (pack?.extends !== undefined) Object.assign(merged, this.#templates[pack.extends]);
      if (pack !== undefined) Object.assign(merged, pack);
    }
    merged.premiumRelations ??= merged.allowedRelations;
    for (const name of AMOUNTS) merged[name] = merged[name] === null ? null : fenOf(merged[name]);
    return merged as unknown as Policy;
  }
}

function inForce(pack: Pack, date: string): boolean {
  return (pack.effectiveFrom ?? date) <= date && date <= (pack.effectiveTo ?? date);
}

/** Whether two areas belong together under a scope; the digits are those of the pack that states the scope. */
export function withinScope(scope: Scope, digits: number, one: string, other: string): boolean {
  if (scope === 'NATIONWIDE') return true;
  const length = scope === 'SAME_PROVINCE' ? 2 : digits;
  return one.slice(0, length) === other.slice(0, length);
}

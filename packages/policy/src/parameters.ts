import {
  formatMoney,
  type Money,
  money,
  type Policy,
  PURPOSES,
  RELATIONS,
  SCOPES,
  SERVICE_CLASSES,
  SHARABLE_PORTIONS,
} from '@repo/domain';
import {
  DATE,
  DUE_DAY,
  eitherNumber,
  type Kind,
  oneOf,
  orNull,
  REGION,
  setOf,
  TEMPLATE,
  TRUE_OR_FALSE,
  wholeNumber,
  YEARLY_TIERS,
  YUAN,
} from './kinds.ts';

/** The rules of a policy, without the name it goes by. */
export type Rules = Omit<Policy, 'region' | 'version'>;
export type ParameterName = keyof Rules;
export type ParameterValue = Rules[ParameterName];

/** One field of a policy file: how it is read and what it means. */
export interface Field<T> {
  readonly kind: Kind<T>;
  readonly en: string;
  readonly zh: string;
}

/** A field with a default. `derived` replaces the fixed default by one that depends on the area and on the rules above it in the table. */
export interface Parameter<T> extends Field<T> {
  readonly fallback: T;
  readonly derived?: { readonly text: string; readonly of: (area: string, above: Partial<Rules>) => T | undefined };
}

/** Says which region and dates a file is about. All but `extends` must be written. */
export const HEADER = {
  regionCode: {
    kind: REGION,
    en: 'the area the pack is for (000000 = the whole country), or the name of a template',
    zh: '医保区划',
  },
  effectiveFrom: {
    kind: orNull(DATE),
    en: 'first day in force; null = always, for a region’s first version only',
    zh: '生效日期',
  },
  effectiveTo: { kind: orNull(DATE), en: 'last day in force; null = until further notice', zh: '失效日期(含当日)' },
  extends: { kind: TEMPLATE, en: 'the template whose values it adopts; its own go before them', zh: '采用的模板' },
} as const satisfies Record<string, Field<unknown>>;

const COUNT = orNull(wholeNumber(0, 9999));
const DAYS = wholeNumber(0, 3660);
const YUAN_OR_NULL = orNull(YUAN);

/** Municipalities under the central government (京, 津, 沪, 渝) are one pooling area each. */
const isMunicipality = (area: string): boolean => /^(11|12|31|50)/.test(area);

/** Every parameter there is, once: this table drives reading, defaults, explanations and the README. */
export const PARAMETERS: { readonly [P in ParameterName]: Parameter<Rules[P]> } = {
  sharingEnabled: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'whether sharing is in force in the area at all',
    zh: '是否已实施家庭共济',
  },
  allowedRelations: {
    kind: setOf(RELATIONS),
    fallback: new Set(RELATIONS),
    en: 'the relatives a payer may pay for',
    zh: '可共济的亲属',
  },
  allowedServiceClasses: {
    kind: setOf(SERVICE_CLASSES),
    fallback: new Set(['OUTPATIENT', 'OUTPATIENT_SPECIAL', 'INPATIENT', 'PHARMACY', 'MATERNITY']),
    en: 'the classes of service relatives may pay for',
    zh: '可共济支付的就医类别',
  },
  excludedPurposes: {
    kind: setOf(PURPOSES),
    fallback: new Set(['PUBLIC_HEALTH', 'FITNESS', 'WELLNESS']),
    en: 'purposes no personal account pays for; a claim for one is refused',
    zh: '个人账户不予支付的用途',
  },
  accountScope: {
    kind: oneOf('PERSONAL_BURDEN', 'IN_SCOPE_ONLY'),
    fallback: 'PERSONAL_BURDEN',
    en: 'whether accounts pay all of the personal burden, or not its own-paid and over-limit parts',
    zh: '个人账户支付范围',
  },
  poolAreaDigits: {
    kind: eitherNumber(2, 4),
    fallback: 4,
    derived: { text: '4; 2 for areas starting 11, 12, 31, 50', of: (area) => (isMunicipality(area) ? 2 : undefined) },
    en: 'leading digits of an area code that make one pooling area',
    zh: '统筹区的区划位数',
  },
  institutionScope: {
    kind: oneOf(...SCOPES),
    fallback: 'SAME_POOLING_AREA',
    en: 'how far from the payer’s insured area the institution may be',
    zh: '定点机构地域范围',
  },
  memberScope: {
    kind: oneOf(...SCOPES),
    fallback: 'SAME_POOLING_AREA',
    en: 'how far from the payer’s insured area the patient’s may be',
    zh: '被共济人参保地范围',
  },
  requireWalletCrossProvince: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'across provinces both sides need an open medical-insurance wallet',
    zh: '跨省共济须双方开通医保钱包',
  },
  ownRequiresCrossRegionFiling: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'the patient’s own account pays outside their pooling area only after filing',
    zh: '异地就医使用本人账户须备案',
  },
  requireCardActive: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'an account pays only once its card is activated',
    zh: '须激活医保卡',
  },
  inactiveOwnCardBlocksSharing: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'relatives do not pay for a patient whose own card is not activated',
    zh: '本人未激活医保卡不得共济',
  },
  requireBeneficiaryInsured: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'the patient must be in basic insurance',
    zh: '被共济人须参加基本医保',
  },
  requireEmployerEnabled: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'a working payer’s employer must have enabled sharing',
    zh: '在职人员须单位开通共济',
  },
  sharablePortion: {
    kind: oneOf(...SHARABLE_PORTIONS),
    fallback: 'TOTAL',
    en: 'the part of a payer’s account that may be shared',
    zh: '可共济的账户部分',
  },
  shareThreshold: {
    kind: YUAN_OR_NULL,
    fallback: null,
    en: 'the sharable balance must be more than this',
    zh: '共济起用余额(须超过)',
  },
  minRemaining: {
    kind: YUAN,
    fallback: money('0.00'),
    en: 'the sharable balance that must be left after paying',
    zh: '支付后最低结余',
  },
  dailyLimitDefault: {
    kind: YUAN_OR_NULL,
    fallback: null,
    en: 'daily limit of a binding that states none',
    zh: '默认日限额',
  },
  dailyLimitMax: { kind: YUAN_OR_NULL, fallback: null, en: 'the highest daily limit of a binding', zh: '最高日限额' },
  dailyLimitRequired: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'a binding must state a daily limit',
    zh: '绑定须设日限额',
  },
  perClaimPayerCap: {
    kind: YUAN_OR_NULL,
    fallback: null,
    en: 'the most one payer pays towards one claim',
    zh: '单笔每位共济人支付上限',
  },
  payerOrder: {
    kind: oneOf('CONFIGURED_PRIORITY', 'BALANCE_DESC'),
    fallback: 'CONFIGURED_PRIORITY',
    en: 'the order in which relatives pay',
    zh: '共济人扣款顺序',
  },
  portionOrder: {
    kind: oneOf('CURRENT_YEAR_FIRST', 'PRIOR_YEAR_FIRST'),
    fallback: 'CURRENT_YEAR_FIRST',
    en: 'the order in which the portions of one account pay',
    zh: '当年、历年账户扣款顺序',
  },
  ownAccountUsableInArrears: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'the patient’s own account pays while they are in arrears',
    zh: '欠费期间本人账户可用',
  },
  pauseOnArrears: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'sharing pauses while the payer is in arrears',
    zh: '中断缴费暂停共济',
  },
  retireesExempt: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'arrears do not pause a retired payer',
    zh: '退休人员不因欠费暂停',
  },
  pauseOnZeroBalance: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'sharing pauses while the sharable balance is 0.00',
    zh: '余额为零暂停共济',
  },
  contributionDueDay: {
    kind: DUE_DAY,
    fallback: 'LAST',
    en: 'the day on which a month’s contribution is due',
    zh: '每月缴费截止日',
  },
  arrearsGraceDays: { kind: DAYS, fallback: 0, en: 'days in arrears before sharing pauses', zh: '欠费宽限天数' },
  resumeWaitDays: { kind: DAYS, fallback: 0, en: 'days after recovery before sharing works again', zh: '恢复等待天数' },
  resumeMode: {
    kind: oneOf('AUTO', 'MANUAL'),
    fallback: 'AUTO',
    en: 'whether sharing resumes by itself or waits for the payer',
    zh: '恢复方式',
  },
  maxPayersPerBeneficiary: {
    kind: COUNT,
    fallback: null,
    en: 'the most payers one person may have',
    zh: '每位被共济人的共济人上限',
  },
  maxBeneficiariesPerPayer: {
    kind: COUNT,
    fallback: null,
    en: 'the most people one payer may pay for',
    zh: '每位共济人的被共济人上限',
  },
  maxFamiliesPerPerson: {
    kind: COUNT,
    fallback: null,
    en: 'the most families (a payer and those bound to them) one person may be in',
    zh: '每人可加入的家庭数上限',
  },
  bindRequiresNormalContribution: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'a payer in arrears cannot bind anyone',
    zh: '绑定时须正常缴费',
  },
  premiumEnabled: {
    kind: TRUE_OR_FALSE,
    fallback: true,
    en: 'a payer may pay relatives’ resident premium',
    zh: '可代缴城乡居民医保',
  },
  premiumRelations: {
    kind: setOf(RELATIONS),
    fallback: new Set(RELATIONS),
    derived: { text: 'the effective `allowedRelations`', of: (_area, above) => above.allowedRelations },
    en: 'the relatives whose resident premium a payer may pay',
    zh: '可代缴的亲属',
  },
  premiumRequiresRegistration: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'the binding must be registered for premiums',
    zh: '代缴须备案',
  },
  residentPremium: {
    kind: YEARLY_TIERS,
    fallback: new Map(),
    en: 'the amounts a resident may be charged per year; a year not listed takes any amount',
    zh: '城乡居民医保个人缴费标准',
  },
  nhsaAcctPayIncludesMulaid: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'rendering only: the account total printed includes what relatives paid',
    zh: '个人账户支出含共济支付',
  },
  nhsaFundIncludesAcct: {
    kind: TRUE_OR_FALSE,
    fallback: false,
    en: 'rendering only: the fund total printed includes the personal account',
    zh: '基金支付总额含个人账户',
  },
};

/** In the order of the table. */
export const PARAMETER_NAMES = Object.keys(PARAMETERS) as readonly ParameterName[];

export const isParameterName = (name: string): name is ParameterName => Object.hasOwn(PARAMETERS, name);

/** The value of a parameter that no pack sets. */
export function fallbackOf(name: ParameterName, area: string, above: Partial<Rules>): ParameterValue {
  const { fallback, derived } = PARAMETERS[name];
  return derived?.of(area, above) ?? fallback;
}

/** A value as JSON has it: amounts are texts with 2 decimals, sets are lists. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly string[]
  | { readonly [year: string]: readonly string[] };

export function toPlain(value: ParameterValue): PlainValue {
  if (typeof value === 'bigint') return formatMoney(value as Money);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([year, tiers]) => [year, tiers.map((tier: Money) => formatMoney(tier))]));
  }
  return [...(value as ReadonlySet<string>)];
}

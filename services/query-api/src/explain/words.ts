import type { CalendarDate, Relation } from '@repo/domain';
import type { PlainValue, Source } from '@repo/policy';

export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];
type Words = Readonly<Record<Language, string>>;

/** What the payer is to the patient, by the binding's relation, which says what the patient is to the payer. */
const PAYER: Readonly<Record<Relation, Words>> = {
  SPOUSE: { zh: '配偶', en: 'spouse' },
  PARENT: { zh: '子女', en: 'child' },
  CHILD: { zh: '父母', en: 'parent' },
  SIBLING: { zh: '兄弟姐妹', en: 'brother or sister' },
  GRANDPARENT: { zh: '孙子女或外孙子女', en: 'grandchild' },
  GRANDCHILD: { zh: '祖父母或外祖父母', en: 'grandparent' },
};

export const payerOf = (relation: Relation | null, lang: Language): string =>
  relation === null ? { zh: '亲属', en: 'relative' }[lang] : PAYER[relation][lang];

/** Values of policies that are neither amounts nor numbers. */
const VALUES: Readonly<Record<string, Words>> = {
  SPOUSE: { zh: '配偶', en: 'spouse' },
  PARENT: { zh: '父母', en: 'parents' },
  CHILD: { zh: '子女', en: 'children' },
  SIBLING: { zh: '兄弟姐妹', en: 'brothers and sisters' },
  GRANDPARENT: { zh: '祖父母和外祖父母', en: 'grandparents' },
  GRANDCHILD: { zh: '孙子女和外孙子女', en: 'grandchildren' },
  OUTPATIENT: { zh: '门诊', en: 'outpatient care' },
  OUTPATIENT_SPECIAL: { zh: '门诊慢特病', en: 'outpatient care of special diseases' },
  INPATIENT: { zh: '住院', en: 'inpatient care' },
  PHARMACY: { zh: '药店购药', en: 'pharmacies' },
  MATERNITY: { zh: '生育', en: 'maternity care' },
  PHYSICAL_EXAM: { zh: '体检', en: 'physical examinations' },
  OTHER: { zh: '其他', en: 'other services' },
  MEDICAL: { zh: '医疗', en: 'medical care' },
  PUBLIC_HEALTH: { zh: '公共卫生', en: 'public health' },
  FITNESS: { zh: '体育健身', en: 'fitness' },
  WELLNESS: { zh: '养生保健', en: 'wellness' },
  COSMETIC: { zh: '医疗美容', en: 'cosmetic care' },
  SAME_POOLING_AREA: { zh: '同一统筹区', en: 'the same pooling area' },
  SAME_PROVINCE: { zh: '同一省份', en: 'the same province' },
  NATIONWIDE: { zh: '全国', en: 'the whole country' },
  TOTAL: { zh: '全部余额', en: 'the whole balance' },
  PRIOR_YEAR: { zh: '历年余额', en: 'the balance of earlier years' },
  PRIOR_YEAR_AUTHORISED: { zh: '历年余额中经授权的金额', en: 'the authorised part of the balance of earlier years' },
  PERSONAL_BURDEN: { zh: '全部个人负担', en: 'all of the personal share' },
  IN_SCOPE_ONLY: { zh: '仅政策范围内的个人负担', en: 'only the part of the personal share within scope' },
  true: { zh: '是', en: 'yes' },
  false: { zh: '否', en: 'no' },
};

/** A policy's value in words, to be read aloud; amounts in yuan. */
export function wordsOf(value: PlainValue, lang: Language): string {
  const list = (parts: readonly string[]) => parts.join({ zh: '、', en: ', ' }[lang]);
  if (Array.isArray(value)) return list(value.map((each: string) => wordsOf(each, lang)));
  if (typeof value === 'object' && value !== null) {
    const years = Object.entries(value).map(([year, amounts]: [string, readonly string[]]) => {
      const said = wordsOf(amounts, lang);
      return { zh: `${year}年${said}`, en: `${said} in ${year}` }[lang];
    });
    return list(years);
  }
  const text = String(value);
  return /^\d+\.\d{2}$/.test(text) ? yuan(text, lang) : (VALUES[text]?.[lang] ?? text);
}

export const yuan = (amount: string, lang: Language): string => ({ zh: `${amount}元`, en: `${amount} yuan` })[lang];

/** A date in words: 2025年3月10日, 10 March 2025. */
export function dayOf(date: CalendarDate | string, lang: Language): string {
  const day = new Date(`${date}T00:00:00Z`);
  const locale = { zh: 'zh-CN', en: 'en-GB' }[lang];
  return day.toLocaleDateString(locale, { timeZone: 'UTC', dateStyle: 'long' });
}

/** Whose rule a value comes from: `按420000地区2024年12月1日起执行的规定`. */
export function packOf(source: Source | 'default', lang: Language): string {
  if (source === 'default') return { zh: '按系统默认规则', en: 'By the default rules' }[lang];
  const { region, version } = source;
  const national = region === '000000';
  const since = /^\d{4}-\d{2}-\d{2}$/.test(version) ? dayOf(version, lang) : null;
  return {
    zh: `按${national ? '全国' : `${region}地区`}${since === null ? '' : `${since}起执行`}的规定`,
    en: `By the ${national ? 'national rules' : `rules of region ${region}`}${since === null ? '' : ` in force since ${since}`}`,
  }[lang];
}

import type { ClaimRefusalCode, OwnSkipCode, RelativeSkipCode } from '@repo/domain';

/** A code in words for people: Chinese and English. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

export type SkipCode = OwnSkipCode | RelativeSkipCode;

/** Why an account was passed over. English reads on after "the account is passed over:". */
export const SKIP_WORDS: Readonly<Record<SkipCode, Words>> = {
  OWN_NO_ACCOUNT: { zh: '本人没有个人账户', en: 'has no account of their own' },
  ACCOUNT_USE_DECLINED: { zh: '本人选择不使用个人账户', en: 'chose not to use accounts' },
  OWN_ACCOUNT_FROZEN: { zh: '本人账户已冻结', en: 'own account is frozen' },
  OWN_ACCOUNT_CLOSED: { zh: '本人账户已注销', en: 'own account is closed' },
  OWN_CARD_INACTIVE: { zh: '本人医保卡未激活', en: 'own card is not activated' },
  OWN_IN_ARREARS: { zh: '本人欠费', en: 'contributions are unpaid' },
  OWN_CROSS_REGION_NOT_FILED: { zh: '异地就医未备案', en: 'treated elsewhere, not filed' },
  OWN_ZERO_BALANCE: { zh: '本人账户余额为零', en: 'own account is empty' },
  NOT_A_SHARING_BINDING: { zh: '亲情账户不是共济', en: 'kinship code, shares no money' },
  SELF_BINDING: { zh: '不能与本人共济', en: 'bound to oneself' },
  BINDING_PENDING: { zh: '共济关系待确认', en: 'binding awaits review' },
  BINDING_REJECTED: { zh: '共济申请未通过', en: 'binding was rejected' },
  BINDING_REVOKED: { zh: '共济关系已解除', en: 'binding was revoked' },
  BINDING_NOT_YET_EFFECTIVE: { zh: '共济关系尚未生效', en: 'binding not yet in force' },
  BINDING_EXPIRED: { zh: '共济关系已到期', en: 'binding has expired' },
  SHARING_NOT_ENABLED: { zh: '当地未开通共济', en: 'region has no sharing' },
  RELATION_NOT_ALLOWED: { zh: '亲属关系不在范围内', en: 'such relatives are not covered' },
  SERVICE_CLASS_NOT_COVERED: { zh: '此类就医不可共济', en: 'such visits are not covered' },
  PAYER_NOT_EMPLOYEE_INSURED: { zh: '共济人非职工医保', en: 'payer is not employee-insured' },
  PAYER_ACCOUNT_FROZEN: { zh: '共济人账户已冻结', en: 'payer account is frozen' },
  PAYER_ACCOUNT_CLOSED: { zh: '共济人账户已注销', en: 'payer account is closed' },
  PAYER_CARD_INACTIVE: { zh: '共济人医保卡未激活', en: 'payer card is not activated' },
  BENEFICIARY_CARD_INACTIVE: { zh: '使用人医保卡未激活', en: 'patient card is not activated' },
  BENEFICIARY_NOT_INSURED: { zh: '使用人未参加基本医保', en: 'patient is not insured' },
  MEMBER_OUT_OF_AREA: { zh: '参保地不在同一统筹区', en: 'insured in another area' },
  WALLET_NOT_OPEN: { zh: '医保钱包未开通', en: 'insurance wallet is not open' },
  INSTITUTION_OUT_OF_AREA: { zh: '医疗机构不在参保地', en: 'treated outside payer area' },
  EMPLOYER_NOT_ENABLED: { zh: '单位未开通共济', en: 'employer has not enabled it' },
  PAYER_IN_ARREARS: { zh: '共济人欠费暂停', en: 'payer in arrears, paused' },
  PAYER_RESUME_WAITING: { zh: '补缴后等待期', en: 'waiting days after recovery' },
  PAUSED_BY_USER: { zh: '共济人自行暂停', en: 'paused by the payer' },
  PAYER_ZERO_BALANCE: { zh: '共济人可用余额为零', en: 'nothing left to share' },
  BELOW_SHARE_THRESHOLD: { zh: '共济人余额未达起付线', en: 'below the sharing threshold' },
  MIN_REMAINING_REACHED: { zh: '已到最低留存额', en: 'down to what must remain' },
  AUTHORISED_AMOUNT_EXHAUSTED: { zh: '授权额度已用完', en: 'authorised amount is used up' },
  DAILY_LIMIT_REACHED: { zh: '当日限额已用完', en: 'daily limit is reached' },
};

/** Why no account may pay for a claim at all. */
const REFUSAL_WORDS: Readonly<Record<ClaimRefusalCode, Words>> = {
  BENEFICIARY_UNKNOWN: { zh: '查无此人', en: 'person unknown' },
  INSTITUTION_NOT_DESIGNATED: { zh: '非定点医药机构', en: 'institution not designated' },
  PURPOSE_EXCLUDED: { zh: '用途不在支付范围', en: 'purpose not payable' },
};

/** The words of any code; a code of a later version stands for itself. */
export function wordsOf(code: string): Words {
  const known: Readonly<Record<string, Words | undefined>> = { ...SKIP_WORDS, ...REFUSAL_WORDS };
  return known[code] ?? { zh: code, en: '' };
}

/** Visit types (med_type) of the made-up day. */
export const VISIT_WORDS: Readonly<Record<string, Words | undefined>> = {
  '11': { zh: '普通门诊', en: 'outpatient' },
  '12': { zh: '挂号', en: 'registration' },
  '13': { zh: '急诊', en: 'emergency' },
  '14': { zh: '门诊慢特病', en: 'chronic care' },
  '16': { zh: '中医门诊', en: 'Chinese medicine' },
  '21': { zh: '住院', en: 'inpatient' },
  '41': { zh: '药店购药', en: 'pharmacy' },
  '51': { zh: '生育门诊', en: 'maternity' },
  '81': { zh: '意外伤害门诊', en: 'injury' },
};

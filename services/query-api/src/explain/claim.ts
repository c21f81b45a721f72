import { type AskedSource, type ClaimOutcome, type CodeText, OUTCOME_CODES } from '@repo/contracts';
import type { LimitParameter, OutcomeCode, Relation } from '@repo/domain';
import type { RuleBook, RulesInForce, SaidPolicy } from './rules.ts';
import { type Findings, type Stop, tellStops } from './stops.ts';
import { type Language, payerOf, yuan } from './words.ts';

/** What the beneficiary is to the payer of a binding, which never changes; null where the binding is unknown. */
export type RelationOf = (bindingId: string | null) => Relation | null;

/** One account of an outcome, or cash, told in words. Amounts in yuan; tells of a balance only what the outcome itself published. */
export interface Step {
  readonly source: 'OWN' | 'RELATIVE' | 'CASH';
  readonly account?: string;
  readonly binding_id?: string;
  readonly relation?: Relation;
  readonly amount?: string;
  readonly code?: OutcomeCode;
  readonly sentence: string;
  /** Why it paid no more, where more was asked of it; only for readers who may see that account. */
  readonly stopped_by?: readonly Stop[];
  readonly policy?: SaidPolicy;
}

export interface Told {
  readonly opening: readonly string[];
  readonly steps: readonly Step[];
}

const zero = (amount: string): boolean => amount === '0.00';

/** Tells how a claim was divided: what there was to pay, each account in the order it was asked, then cash. */
export function tellClaim(
  outcome: ClaimOutcome,
  book: RuleBook,
  { relationOf, findings }: { readonly relationOf: RelationOf; readonly findings: Findings },
  lang: Language,
): Told {
  const patientRules = book.find(outcome.rules);
  const opening = [tellFee(outcome, lang)];
  const why = wholeClaimReason(outcome, book, patientRules, lang);
  if (why !== null) opening.push(why);
  const { asked } = outcome;
  const steps = asked.map((source, i) => {
    const more = i < asked.length - 1 || (!zero(outcome.cashPaid) && paysAll(patientRules));
    const step = tellSource(source, { book, relation: relationOf(source.bindingId), lang, more });
    const stops = more && source.amount !== null ? tellStops(source, findings, { book, lang }) : null;
    return stops === null ? step : { ...step, stopped_by: stops };
  });
  if (!zero(outcome.cashPaid)) steps.push(tellCash(outcome.cashPaid, asked.length > 0, lang));
  return { opening, steps };
}

function tellFee({ totalFee, fundPaid, hospitalBorne, personalShare }: ClaimOutcome, lang: Language): string {
  const [total, fund, hospital, share] = [totalFee, fundPaid, hospitalBorne, personalShare].map((each) =>
    yuan(each, lang),
  );
  const borne = zero(hospitalBorne)
    ? ''
    : { zh: `，医院负担${hospital}`, en: `, the hospital bears ${hospital}` }[lang];
  return {
    zh: `本次医疗费总额${total}，其中医保基金支付${fund}${borne}，个人负担${share}。`,
    en: `The total fee is ${total}: the insurance fund pays ${fund}${borne}, and the personal share is ${share}.`,
  }[lang];
}

/** Why no account was asked, where none was. */
function wholeClaimReason(outcome: ClaimOutcome, book: RuleBook, rules: RulesInForce | null, lang: Language) {
  if (outcome.code !== null) return sayCode(outcome.code, null, { book, rules, lang }).sentence;
  if (zero(outcome.personalShare)) {
    return { zh: '本次没有需要个人负担的费用。', en: 'There is nothing for you to pay.' }[lang];
  }
  if (outcome.asked.length > 0) return null;
  const clause = book.clause(rules, 'accountScope', lang);
  const said = {
    zh: '本次个人负担的费用不在个人账户的支付范围之内。',
    en: 'Personal accounts do not pay for any part of this personal share.',
  }[lang];
  return `${said}${clause?.text ?? ''}`;
}

/** Whether accounts could pay all of the personal share, so that a rest in cash shows that they were exhausted. */
const paysAll = (rules: RulesInForce | null): boolean => rules?.policy?.accountScope === 'PERSONAL_BURDEN';

interface Telling {
  readonly book: RuleBook;
  readonly relation: Relation | null;
  readonly lang: Language;
  /** Something was left to pay after this account. */
  readonly more: boolean;
}

function tellSource(asked: AskedSource, { book, relation, lang, more }: Telling): Step {
  const { source, account, bindingId, amount, code } = asked;
  const rules = book.find(asked.rules);
  const whose = accountOf(source === 'OWN' ? null : { relation }, lang);
  const step = {
    source,
    account,
    ...(bindingId === null ? {} : { binding_id: bindingId }),
    ...(relation === null ? {} : { relation }),
  };
  if (amount !== null) {
    const limit = { zh: '，这是该账户本次可以支付的全部金额', en: ', which is all it could pay this time' }[lang];
    const sentence = {
      zh: `${whose}支付了${yuan(amount, lang)}${more ? limit : ''}。`,
      en: `${whose} paid ${yuan(amount, lang)}${more ? limit : ''}.`,
    }[lang];
    return { ...step, amount, sentence, ...(rules === null ? {} : { policy: named(rules) }) };
  }
  if (code === null) throw new Error('a source paid or has a reason');
  const said = sayCode(code, asked.parameter, { book, rules, lang });
  const sentence = { zh: `${whose}没有支付：${said.sentence}`, en: `${whose} paid nothing: ${said.sentence}` }[lang];
  return { ...step, code, sentence, ...(said.policy === undefined ? {} : { policy: said.policy }) };
}

/** `您本人的个人账户`, `您配偶的个人账户`; `Your own account`, `Your spouse's account`. */
export function accountOf(relative: { readonly relation: Relation | null } | null, lang: Language): string {
  if (relative === null) return { zh: '您本人的个人账户', en: 'Your own account' }[lang];
  const who = payerOf(relative.relation, lang);
  return { zh: `您${who}的个人账户`, en: `Your ${who}’s account` }[lang];
}

const tellCash = (amount: string, rest: boolean, lang: Language): Step => ({
  source: 'CASH',
  amount,
  sentence: {
    zh: `${rest ? '其余' : '应付'}${yuan(amount, lang)}由个人以现金支付。`,
    en: `${rest ? 'The remaining' : 'The'} ${yuan(amount, lang)} ${rest ? 'is' : 'are'} paid in cash.`,
  }[lang],
});

/** The sentence of a code, with the rule and value that decided where they are known. `limitedBy`: the parameter that set a limit. */
function sayCode(code: OutcomeCode, limitedBy: LimitParameter | null, judged: Judged): Said {
  const { zh, en, parameter } = OUTCOME_CODES[code];
  return sayText({ zh, en, parameter: code === 'DAILY_LIMIT_REACHED' ? (limitedBy ?? undefined) : parameter }, judged);
}

interface Judged {
  readonly book: RuleBook;
  readonly rules: RulesInForce | null;
  readonly lang: Language;
}

interface Said {
  readonly sentence: string;
  readonly policy?: SaidPolicy;
}

/** A sentence, with the value that its parameter has in the rules where that is known. */
export function sayText(
  { parameter, ...text }: Pick<CodeText, 'zh' | 'en'> & { readonly parameter: CodeText['parameter'] | undefined },
  { book, rules, lang }: Judged,
): Said {
  const clause = book.clause(rules, parameter, lang);
  const sentence = `${text[lang]}${clause?.text ?? ''}`;
  if (rules === null) return { sentence };
  if (parameter === undefined || clause === null) return { sentence, policy: named(rules) };
  return { sentence, policy: { ...named(rules), parameter, value: clause.value } };
}

const named = ({ region, version }: RulesInForce): SaidPolicy => ({ region, version });

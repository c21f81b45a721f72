import { OUTCOME_CODES, PREMIUM_CODES, type PremiumOutcome } from '@repo/contracts';
import { isPositive, type PremiumRefusalCode } from '@repo/domain';
import { type RelationOf, type Step, sayText, type Told } from './claim.ts';
import type { RuleBook, RulesInForce } from './rules.ts';
import { type Language, yuan } from './words.ts';

/** Tells a premium in words: paid in full by the payer, or why not. */
export function tellPremium(outcome: PremiumOutcome, book: RuleBook, relationOf: RelationOf, lang: Language): Told {
  const { amount, bindingId, code, payer, year } = outcome;
  const sum = amount === null ? '' : yuan(amount, lang);
  const opening = {
    zh: `申请用共济人的个人账户代缴${year}年度城乡居民医保${sum}。`,
    en: `The payer’s account was asked to pay the resident premium of ${year}${sum === '' ? '' : `, ${sum}`}.`,
  }[lang];
  const relation = relationOf(bindingId);
  const rules = book.find(outcome.rules);
  const source = {
    source: 'RELATIVE',
    account: payer,
    ...(bindingId === null ? {} : { binding_id: bindingId }),
    ...(relation === null ? {} : { relation }),
  } as const;
  if (code === null && amount !== null) {
    const sentence = {
      zh: `共济人的个人账户已经全额支付${sum}。`,
      en: `The payer’s account has paid ${sum} in full.`,
    }[lang];
    const policy = rules === null ? {} : { policy: { region: rules.region, version: rules.version } };
    return { opening: [opening], steps: [{ ...source, amount, sentence, ...policy }] };
  }
  if (code === null) throw new Error('a premium was paid or has a reason');
  const said = sayText(textOf(code, rules), { book, rules, lang });
  const sentence = { zh: `没有代缴：${said.sentence}`, en: `Nothing was paid: ${said.sentence}` }[lang];
  const step: Step = { ...source, code, sentence, ...(said.policy === undefined ? {} : { policy: said.policy }) };
  return { opening: [opening], steps: [step] };
}

function textOf(code: PremiumRefusalCode, rules: RulesInForce | null) {
  if (code === 'PREMIUM_INSUFFICIENT_BALANCE') return shortfallOf(rules);
  const { zh, en, parameter } = PREMIUM_CODES[code] ?? OUTCOME_CODES[code];
  return { zh, en, parameter };
}

/** What did not suffice, as far as the rules tell: an outcome holds neither the balance nor what was authorised. */
function shortfallOf(rules: RulesInForce | null) {
  const { zh, en, parameter } = OUTCOME_CODES.PREMIUM_INSUFFICIENT_BALANCE;
  const policy = rules?.policy ?? null;
  if (policy === null) return { zh, en, parameter };
  if (policy.sharablePortion === 'PRIOR_YEAR_AUTHORISED') {
    return {
      zh: '共济人账户中可以支付的余额，或者共济人授权的额度，不足以支付这笔保费，代缴只能全额支付。',
      en: 'What may be paid from the payer’s balance, or what is left of the amount the payer authorised, is not enough for this premium, which is paid in full or not at all.',
      parameter,
    };
  }
  if (isPositive(policy.minRemaining)) return { zh, en, parameter: 'minRemaining' } as const;
  return {
    zh: '共济人账户的可共济余额不足以支付这笔保费，代缴只能全额支付。',
    en: 'The sharable balance of the payer’s account is not enough for this premium, which is paid in full or not at all.',
    parameter,
  };
}

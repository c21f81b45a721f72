import type { PremiumOutcome } from '@repo/contracts';
import { type RelationOf, type Step, sayCode, type Told } from './claim.ts';
import type { RuleBook } from './rules.ts';
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
  const said = sayCode(code, null, { book, rules, lang });
  const sentence = { zh: `没有代缴：${said.sentence}`, en: `Nothing was paid: ${said.sentence}` }[lang];
  const step: Step = { ...source, code, sentence, ...(said.policy === undefined ? {} : { policy: said.policy }) };
  return { opening: [opening], steps: [step] };
}

import type { RefundOutcome } from '@repo/contracts';
import { accountOf, type RelationOf, type Step } from './claim.ts';
import { dayOf, type Language, yuan } from './words.ts';

export interface ToldRefund {
  readonly refund_id: string;
  readonly amount: string;
  readonly sentences: readonly string[];
  readonly steps: readonly Step[];
}

/** Tells a refund in words: when, how much, and where each part went, in that order. Amounts in yuan. */
export function tellRefund(refund: RefundOutcome, relationOf: RelationOf, lang: Language): ToldRefund {
  const opening = {
    zh: `${dayOf(refund.on, lang)}退费${yuan(refund.amount, lang)}。`,
    en: `On ${dayOf(refund.on, lang)}, ${yuan(refund.amount, lang)} was refunded.`,
  }[lang];
  const steps = refund.returned.map((part): Step => {
    const { source, account, bindingId, amount, manual } = part;
    if (source === 'CASH') {
      const sentence = { zh: `退回现金${yuan(amount, lang)}。`, en: `${yuan(amount, lang)} was given back in cash.` }[
        lang
      ];
      return { source, amount, sentence };
    }
    const relation = relationOf(bindingId);
    const whose = accountOf(source === 'OWN' ? null : { relation }, lang);
    const held = {
      zh: '，因该账户已经注销，由经办机构人工发放',
      en: '; as that account is closed, the money is held to be paid out by hand',
    }[lang];
    const sentence = {
      zh: `退回${whose}${yuan(amount, lang)}${manual ? held : ''}。`,
      en: `${yuan(amount, lang)} went back to ${lowerFirst(whose)}${manual ? held : ''}.`,
    }[lang];
    return {
      source,
      ...(account === null ? {} : { account }),
      ...(bindingId === null ? {} : { binding_id: bindingId }),
      ...(relation === null ? {} : { relation }),
      amount,
      sentence,
    };
  });
  const sentences = [opening, ...steps.map(({ sentence }) => sentence)];
  return { refund_id: refund.refundId, amount: refund.amount, sentences, steps };
}

const lowerFirst = (text: string): string => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;

import { inOrderAsked } from '@repo/contracts';
import type { Relation } from './binding.ts';
import type { City } from './city.ts';
import type { Sex } from './names.ts';
import type { Outcome } from './outcome.ts';
import { VISIT_WORDS, type Words, wordsOf } from './words.ts';

/** One claim told in words: who was treated, then one line for each account that was asked, in order, then cash. */
export interface Explained {
  readonly claimId: string;
  readonly patient: string;
  readonly visit: string;
  readonly lines: readonly ExplainedLine[];
}

export interface ExplainedLine {
  readonly kind: 'OWN' | 'RELATIVE' | 'CASH';
  readonly who: Words;
  /** Yuan, or null where the account paid nothing. */
  readonly amount: string | null;
  readonly why: Words | null;
}

/** What the payer is to the patient, from what the patient is to the payer. */
const PAYER: Readonly<Record<Relation, Readonly<Record<Sex, Words>>>> = {
  SPOUSE: { F: { zh: '妻子', en: 'wife' }, M: { zh: '丈夫', en: 'husband' } },
  PARENT: { F: { zh: '女儿', en: 'daughter' }, M: { zh: '儿子', en: 'son' } },
  CHILD: { F: { zh: '母亲', en: 'mother' }, M: { zh: '父亲', en: 'father' } },
  SIBLING: { F: { zh: '姐妹', en: 'sister' }, M: { zh: '兄弟', en: 'brother' } },
  GRANDPARENT: { F: { zh: '孙女', en: 'granddaughter' }, M: { zh: '孙子', en: 'grandson' } },
  GRANDCHILD: { F: { zh: '祖母', en: 'grandmother' }, M: { zh: '祖父', en: 'grandfather' } },
};

/** Tells a settled claim; null where the city does not know the patient, or nothing was there to divide. */
export function explain(outcome: Outcome, city: City): Explained | null {
  const patient = city.person(outcome.psn_no);
  const { allocation, skipped, asked, psn_cash_pay: cash } = outcome;
  if (!patient || !allocation || !skipped || cash === undefined || outcome.status !== 'SETTLED') return null;
  const visit = VISIT_WORDS[outcome.med_type ?? ''] ?? { zh: '就医', en: 'visit' };
  return {
    claimId: outcome.claim_id,
    patient: `${patient.account.psn_name}, ${patient.age}`,
    visit: `${(outcome.setl_time ?? '').slice(11, 16)} ${visit.zh} ${visit.en} · fee ${outcome.medfee_sumamt}, fund ${outcome.fund_pay_sumamt}, to pay ${outcome.psn_part_amt}`,
    lines: [
      ...inOrderAsked({ allocation, skipped, asked, psn_cash_pay: cash }).map((part) => ({
        kind: part.source,
        who:
          part.source === 'OWN' ? { zh: '本人账户', en: 'own account' } : relative(city, part.account, part.binding_id),
        amount: 'amount' in part ? part.amount : null,
        why: 'code' in part ? wordsOf(part.code) : null,
      })),
      { kind: 'CASH', who: { zh: '现金', en: 'cash' }, amount: cash, why: null },
    ],
  };
}

function relative(city: City, account: string, bindingId: string | undefined): Words {
  const binding = bindingId === undefined ? undefined : city.binding(bindingId);
  const payer = city.person(account);
  if (!binding || !payer) return { zh: '亲属', en: 'relative' };
  const { zh, en } = PAYER[binding.relation][payer.sex];
  // Side 0 is the mother's: her parents have names of their own in Chinese.
  const maternal = binding.relation === 'GRANDCHILD' && payer.side === 0 ? '外' : '';
  return { zh: `${maternal}${zh}${payer.account.psn_name}`, en };
}

import { readOutcome, readRefund } from '@repo/contracts';
import { findBindingsById, findPersons, type RowSource, type StoredOutcome } from '@repo/ledger';
import type { Policies } from '@repo/policy';
import { type Known, type Step, tellClaim } from './claim.ts';
import { tellPremium } from './premium.ts';
import { type ToldRefund, tellRefund } from './refunds.ts';
import { RuleBook } from './rules.ts';
import type { Language } from './words.ts';

export interface Explanation {
  readonly claim_id: string;
  readonly lang: Language;
  /** To be read aloud, in this order; refunds included. */
  readonly sentences: readonly string[];
  readonly steps: readonly Step[];
  readonly refunds: readonly ToldRefund[];
}

/** Tells a published outcome and its refunds in words, from the outcome itself and from what is known today of those it names. */
export async function explain(
  stored: StoredOutcome,
  asked: { readonly claimId: string; readonly lang: Language },
  source: RowSource,
  policies: Policies,
): Promise<Explanation> {
  const { claimId, lang } = asked;
  const outcome = readOutcome(stored.payload);
  const sources =
    outcome.kind === 'PREMIUM'
      ? [{ account: outcome.payer, bindingId: outcome.bindingId }]
      : [...outcome.paid, ...outcome.skipped];
  const bindingIds = sources.flatMap(({ bindingId }) => bindingId ?? []);
  const bindings = await findBindingsById(source, bindingIds);
  const persons = await findPersons(
    source,
    sources.map(({ account }) => account),
  );
  const byId = new Map(bindings.map((binding) => [binding.bindingId, binding]));
  const areas = new Map(persons.map(({ personNo, insuredArea }) => [personNo, insuredArea]));
  const known: Known = { binding: (id) => byId.get(id), area: (personNo) => areas.get(personNo) };

  const published = outcome.kind === 'CLAIM' ? outcome.rules : [];
  const book = new RuleBook(policies, published, outcome.on);
  const told =
    outcome.kind === 'CLAIM' ? tellClaim(outcome, book, known, lang) : tellPremium(outcome, book, known, lang);
  const refunds = stored.refunds.map((refund) => tellRefund(readRefund(refund), known, lang));
  const sentences = [
    ...told.opening,
    ...told.steps.map(({ sentence }) => sentence),
    ...refunds.flatMap((refund) => refund.sentences),
    ...book.gone(lang),
  ];
  return { claim_id: claimId, lang, sentences, steps: told.steps, refunds };
}

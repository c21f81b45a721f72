import { readOutcome, readRefund } from '@repo/contracts';
import { findBindingsById, type RowSource, type StoredOutcome } from '@repo/ledger';
import type { Policies } from '@repo/policy';
import { type RelationOf, type Step, tellClaim } from './claim.ts';
import { tellPremium } from './premium.ts';
import { type ToldRefund, tellRefund } from './refunds.ts';
import { RuleBook } from './rules.ts';
import { findingsOf } from './stops.ts';
import type { Language } from './words.ts';

export interface Explanation {
  readonly claim_id: string;
  readonly lang: Language;
  /** To be read aloud in this order; refunds included. */
  readonly sentences: readonly string[];
  readonly steps: readonly Step[];
  readonly refunds: readonly ToldRefund[];
}

interface Asked {
  readonly claimId: string;
  readonly lang: Language;
  /** Which of these persons' accounts the reader may see; nothing is told of what other accounts held. */
  readonly visible: (persons: readonly string[]) => Promise<ReadonlySet<string>>;
}

/**
 * Tells a published outcome and its refunds in words, using only what was published and the rules it names; and what stopped an account
 * that paid only part, using the account's entries.
 */
export async function explain(
  stored: StoredOutcome,
  asked: Asked,
  source: RowSource,
  policies: Policies,
): Promise<Explanation> {
  const { claimId, lang } = asked;
  const outcome = readOutcome(stored.payload);
  const sources = outcome.kind === 'PREMIUM' ? [outcome] : outcome.asked;
  const bindings = await findBindingsById(
    source,
    sources.flatMap(({ bindingId }) => bindingId ?? []),
  );
  const relations = new Map(bindings.map(({ bindingId, relation }) => [bindingId, relation]));
  const relationOf: RelationOf = (bindingId) => relations.get(bindingId ?? '') ?? null;

  const book = new RuleBook(policies, outcome.on);
  const told =
    outcome.kind === 'CLAIM'
      ? tellClaim(outcome, book, { relationOf, findings: await findingsOf(outcome, bindings, asked, source) }, lang)
      : tellPremium(outcome, book, relationOf, lang);
  const refunds = stored.refunds.map((refund) => tellRefund(readRefund(refund), relationOf, lang));
  const sentences = [
    ...told.opening,
    ...told.steps.map(({ sentence }) => sentence),
    ...refunds.flatMap((refund) => refund.sentences),
    ...book.gone(lang),
  ];
  return { claim_id: claimId, lang, sentences, steps: told.steps, refunds };
}

import {
  encodeStanding,
  explanationAnswer,
  paidFromOutcome,
  publishedNhsa,
  readOutcome,
  refundOutcome,
  renderNhsa,
  settlementAnswer,
  withRefundOutcome,
} from '@repo/contracts';
import { refundable, ZERO } from '@repo/domain';
import { findOutcome, readSnapshot } from '@repo/ledger';
import { z } from 'zod';
import { explain } from '../explain/explain.ts';
import { RuleBook } from '../explain/rules.ts';
import { LANGUAGES } from '../explain/words.ts';
import { type Api, responses } from '../openapi.ts';
import { choiceParameter, idParameter } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import { EVERYONE } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { isRefundVisible, settlementOf, visiblePersons } from '../visible.ts';

const claimParams = z.object({ claim_id: idParameter('the id of a claim or premium') });

/**
 * `GET /v1/settlements/{claim_id}`: what was published for a claim or premium and its refunds, plain, in NHSA form, and in words
 * under `/explanation`. `GET /v1/refunds/{refund_id}`: what was published for one refund.
 */
export function settlementRoutes(app: Api, { ledger, policies }: ApiDeps): void {
  /**
   * The form published with the outcome, if there was one. Otherwise the flags of the patient's rules on that date decide; without those
   * rules any figure would be a guess, so it throws.
   */
  const nhsaForm = (payload: string) => {
    const published = publishedNhsa(payload);
    if (published !== null) return published;
    const outcome = readOutcome(payload);
    if (outcome.kind !== 'CLAIM')
      throw new Problem('bad-parameter', 'form: expected plain, as a premium has no NHSA form');
    const rules = new RuleBook(policies, outcome.on).find(outcome.rules);
    if (rules?.policy === null)
      throw new Problem('rules-not-loaded', 'the rules that applied then are no longer loaded');
    return renderNhsa(payload, rules?.policy ?? null);
  };

  app.get(
    '/v1/settlements/:claim_id',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'getSettlement',
        tags: ['Settlements'],
        summary: 'What was published for a claim or premium, and its refunds',
        params: claimParams,
        querystring: z.object({
          form: choiceParameter(
            ['plain', 'nhsa'],
            'nhsa: the output node of 2207 or 2304, totals as the patient’s region prints them',
          ),
        }),
        response: responses(
          { of: settlementAnswer, is: 'the outcome in the form asked for' },
          {
            400: 'a parameter is not as expected, or the national form of a premium is asked for',
            404: 'no outcome has this id',
            409: 'the national form cannot be told, as the rules that applied are no longer loaded',
          },
        ),
      },
    },
    async ({ params, query, access }) => {
      const { payload, refunds } = await settlementOf(access, ledger, params.claim_id);
      if (query.form === 'nhsa') return nhsaForm(payload);
      const original = paidFromOutcome(payload);
      const paid = original === undefined ? undefined : refunds.reduce(withRefundOutcome, original);
      return encodeStanding(payload, refunds, paid === undefined ? ZERO : refundable(paid));
    },
  );

  // A refused refund is not part of its claim, so its sender finds the answer here.
  app.get(
    '/v1/refunds/:refund_id',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'getRefund',
        tags: ['Settlements'],
        summary: 'What was published for one refund, refused ones too',
        params: z.object({ refund_id: idParameter('the id of a refund') }),
        response: responses(
          { of: refundOutcome, is: 'the outcome' },
          { 400: 'the id is not as expected', 404: 'no refund has this id' },
        ),
      },
    },
    async ({ params, access }) => {
      const outcome = await findOutcome(ledger, `refund:${params.refund_id}`, '');
      const visible = outcome !== undefined && (await isRefundVisible(access, ledger, outcome.payload));
      if (!visible) throw notFound('refund');
      return JSON.parse(outcome.payload) as object;
    },
  );

  app.get(
    '/v1/settlements/:claim_id/explanation',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'explainSettlement',
        tags: ['Settlements'],
        summary: 'An outcome and its refunds in sentences to be read aloud',
        description:
          'Told from what was published and the rules it names: nothing that changes later changes it. No payer’s balance is told, but to whoever may see that account in `stopped_by`.',
        params: claimParams,
        querystring: z.object({ lang: choiceParameter(LANGUAGES, 'the language of the sentences') }),
        response: responses(
          {
            of: explanationAnswer,
            is: 'each account in the order it was asked: what it paid, or why not, by which rule',
          },
          { 400: 'a parameter is not as expected', 404: 'no outcome has this id' },
        ),
      },
    },
    ({ params, query: { lang }, access }) =>
      readSnapshot(ledger, async (snapshot) => {
        const claimId = params.claim_id;
        const visible = (persons: readonly string[]) => visiblePersons(access, snapshot, persons);
        const stored = await settlementOf(access, snapshot, claimId);
        return explain(stored, { claimId, lang, visible }, snapshot, policies);
      }),
  );
}

import {
  encodeStanding,
  paidFromOutcome,
  publishedNhsa,
  readOutcome,
  renderNhsa,
  withRefundOutcome,
} from '@repo/contracts';
import { refundable, ZERO } from '@repo/domain';
import { findOutcome, type RowSource, readSnapshot, type StoredOutcome } from '@repo/ledger';
import type { FastifyInstance } from 'fastify';
import { explain } from '../explain/explain.ts';
import { RuleBook } from '../explain/rules.ts';
import { LANGUAGES } from '../explain/words.ts';
import { choiceOf, type Given, requiredId } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import type { ApiDeps } from '../server.ts';

type Asked = { Params: Given; Querystring: Given };

/**
 * `GET /v1/settlements/{claim_id}`: what was published for a claim or premium and its refunds, plain, in NHSA form, and in words
 * under `/explanation`. `GET /v1/refunds/{refund_id}`: what was published for one refund.
 */
export function settlementRoutes(app: FastifyInstance, { ledger, policies }: ApiDeps): void {
  app.get<Asked>('/v1/settlements/:claim_id', async ({ params, query }) => {
    if (choiceOf(query, 'form', ['plain', 'nhsa']) === 'nhsa') return nhsaForm(params);
    const { payload, refunds } = await settlementOf(ledger, params);
    const original = paidFromOutcome(payload);
    const paid = original === undefined ? undefined : refunds.reduce(withRefundOutcome, original);
    return encodeStanding(payload, refunds, paid === undefined ? ZERO : refundable(paid));
  });

  /**
   * What was published with the outcome, if it was. Else the flags of the patient's rules on that date decide; without the rules
   * themselves a figure would be a guess.
   */
  const nhsaForm = async (params: Given) => {
    const { payload } = await settlementOf(ledger, params);
    const published = publishedNhsa(payload);
    if (published !== null) return published;
    const outcome = readOutcome(payload);
    if (outcome.kind !== 'CLAIM') throw new Problem(400, 'form: expected plain, as a premium has no NHSA form');
    const rules = new RuleBook(policies, outcome.on).find(outcome.rules);
    if (rules?.policy === null) throw new Problem(409, 'the rules that applied then are no longer loaded');
    return renderNhsa(payload, rules?.policy ?? null);
  };

  // A refund that was refused is no part of its claim; whoever sends it again finds its answer here.
  app.get<Asked>('/v1/refunds/:refund_id', async ({ params }) => {
    const refundId = requiredId(params, 'refund_id');
    const outcome = await findOutcome(ledger, `refund:${refundId}`, '');
    if (outcome === undefined) throw notFound('refund');
    return JSON.parse(outcome.payload) as object;
  });

  app.get<Asked>('/v1/settlements/:claim_id/explanation', ({ params, query }) => {
    const lang = choiceOf(query, 'lang', LANGUAGES);
    const claimId = requiredId(params, 'claim_id');
    return readSnapshot(ledger, async (snapshot) =>
      explain(await settlementOf(snapshot, params), { claimId, lang }, snapshot, policies),
    );
  });
}

async function settlementOf(source: RowSource, params: Given): Promise<StoredOutcome> {
  const claimId = requiredId(params, 'claim_id');
  const outcome = await findOutcome(source, `claim:${claimId}`, claimId);
  if (outcome === undefined) throw notFound('settlement');
  return outcome;
}

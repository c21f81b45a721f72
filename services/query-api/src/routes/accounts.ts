import { encodeAccount, encodeBinding } from '@repo/contracts';
import { findBindings, findPerson } from '@repo/ledger';
import type { FastifyInstance } from 'fastify';
import { type Given, idOf, momentOf, requiredId } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import type { ApiDeps } from '../server.ts';

const BINDINGS_MAX = 500;

/** `GET /v1/accounts/{psn_no}` and `GET /v1/bindings`. */
export function accountRoutes(app: FastifyInstance, { ledger, policies, now }: ApiDeps): void {
  app.get<{ Params: Given; Querystring: Given }>('/v1/accounts/:psn_no', async ({ params, query }) => {
    const at = momentOf(query, now());
    const stored = await findPerson(ledger, requiredId(params, 'psn_no'));
    if (stored === undefined) throw notFound('account');
    return encodeAccount(stored, at, policies.policyAt);
  });

  app.get<{ Querystring: Given }>('/v1/bindings', async ({ query }) => {
    const at = momentOf(query, now());
    const [payer, beneficiary, after] = ['payer', 'beneficiary', 'after'].map((name) => idOf(query, name));
    if (payer === undefined && beneficiary === undefined) {
      throw new Problem(400, 'payer or beneficiary: expected at least one of them');
    }
    // One more than is shown tells whether there are more.
    const found = await findBindings(ledger, { payer, beneficiary, after, limit: BINDINGS_MAX + 1 });
    const bindings = found.slice(0, BINDINGS_MAX).map((binding) => encodeBinding(binding, at));
    return found.length > BINDINGS_MAX ? { bindings, next: bindings.at(-1)?.binding_id } : { bindings };
  });
}

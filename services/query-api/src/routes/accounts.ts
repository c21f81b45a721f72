import { accountAnswer, bindingsAnswer, encodeAccount, encodeBinding } from '@repo/contracts';
import { findBindings, findPerson } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter, momentParameter } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import { PERSONAL } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { visiblePersons } from '../visible.ts';

const BINDINGS_MAX = 500;

const at = momentParameter(
  'As of which moment portions, arrears and expiry are reckoned; default now. Facts are always those of today.',
).optional();

/** `GET /v1/accounts/{psn_no}` and `GET /v1/bindings`. */
export function accountRoutes(app: Api, { ledger, policies, now }: ApiDeps): void {
  app.get(
    '/v1/accounts/:psn_no',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'getAccount',
        tags: ['Accounts'],
        summary: 'A person and their personal account',
        params: z.object({ psn_no: idParameter('人员编号: whose account') }),
        querystring: z.object({ at }),
        response: responses(
          { of: accountAnswer, is: 'every fact, and the portions as of that moment' },
          { 400: 'a parameter is not as expected', 404: 'nobody has this number' },
        ),
      },
    },
    async ({ params, query, access }) => {
      const visible = await visiblePersons(access, ledger, [params.psn_no]);
      const stored = visible.size === 0 ? undefined : await findPerson(ledger, params.psn_no);
      if (stored === undefined) throw notFound('account');
      return encodeAccount(stored, query.at ?? now(), policies.policyAt);
    },
  );

  app.get(
    '/v1/bindings',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'listBindings',
        tags: ['Accounts'],
        summary: 'The sharing relations of a payer, of a beneficiary, or of both',
        description: `One of payer and beneficiary is required. At most ${BINDINGS_MAX} at a time.`,
        querystring: z.object({
          payer: idParameter('共济人: whose account pays').optional(),
          beneficiary: idParameter('被共济人: who is paid for').optional(),
          after: idParameter('the `next` of the answer before').optional(),
          at,
        }),
        response: responses(
          { of: bindingsAnswer, is: 'by ascending binding_id; none where nobody is bound' },
          { 400: 'a parameter is not as expected, or both persons are missing' },
        ),
      },
    },
    async ({ query, access }) => {
      const { payer, beneficiary, after, at = now() } = query;
      if (payer === undefined && beneficiary === undefined) {
        throw new Problem('bad-parameter', 'payer or beneficiary: expected at least one of them');
      }
      const asked = [payer, beneficiary].filter((person) => person !== undefined);
      if ((await visiblePersons(access, ledger, asked)).size === 0) return { bindings: [] };
      // Reads one more than is shown, to know whether there are more.
      const found = await findBindings(ledger, { payer, beneficiary, after, limit: BINDINGS_MAX + 1 });
      const bindings = found.slice(0, BINDINGS_MAX).map((binding) => encodeBinding(binding, at));
      return found.length > BINDINGS_MAX ? { bindings, next: bindings.at(-1)?.binding_id } : { bindings };
    },
  );
}

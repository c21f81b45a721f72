import { backdatedAnswer, encodeBackdated } from '@repo/contracts';
import { findBackdated } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter } from '../parameters.ts';
import { STAFF } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { visibleRange } from '../visible.ts';

const PAYERS_MAX = 100;

/** `GET /v1/backdated`: by payer, what was drawn on dates on which it should not have been, by facts that became known later. */
export function backdatedRoutes(app: Api, { ledger }: ApiDeps): void {
  app.get(
    '/v1/backdated',
    {
      config: { scopes: STAFF },
      schema: {
        operationId: 'listBackdated',
        tags: ['Backdated'],
        summary: 'What was drawn before a fact that speaks against it was known',
        description: `For staff: nothing is taken back. At most ${PAYERS_MAX} payers at a time.`,
        querystring: z.object({
          payer: idParameter('共济人: whose account paid; absent: everyone’s').optional(),
          after: idParameter('the `next` of the answer before').optional(),
        }),
        response: responses(
          { of: backdatedAnswer, is: 'payer by payer; none where nothing is listed' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ query, access }) => {
      // Reads one more than is shown, to know whether there are more.
      const found = encodeBackdated(
        await findBackdated(ledger, { ...query, of: visibleRange(access), payersMax: PAYERS_MAX + 1 }),
      );
      const payers = found.slice(0, PAYERS_MAX);
      return found.length > PAYERS_MAX ? { payers, next: payers.at(-1)?.payer } : { payers };
    },
  );
}

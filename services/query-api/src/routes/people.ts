import { encodeSummary, summariesAnswer, topicsOf } from '@repo/contracts';
import { findOutcomesOf } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter, outcomePlaceParameter, outcomePlaceText } from '../parameters.ts';
import { PERSONAL } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { visiblePersons } from '../visible.ts';

const PAGE_MAX = 100;

/** `GET /v1/settlements?psn_no=`: everything published about a patient, the latest first. */
export function peopleRoutes(app: Api, { ledger, prefix }: ApiDeps): void {
  app.get(
    '/v1/settlements',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'listSettlements',
        tags: ['Settlements'],
        summary: 'What was published about a patient: claims, premiums and refunds',
        description: `Those paid wholly in cash and those refused too. At most ${PAGE_MAX} at a time.`,
        querystring: z.object({
          psn_no: idParameter('人员编号: the patient; of a premium the beneficiary'),
          after: outcomePlaceParameter('the `next` of the answer before').optional(),
        }),
        response: responses(
          { of: summariesAnswer, is: 'the last published first; none where nothing was' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ query: { psn_no: personNo, after }, access }) => {
      if ((await visiblePersons(access, ledger, [personNo])).size === 0) return { settlements: [] };
      // Reads one more than is shown, to know whether there are more.
      const asked = { topic: topicsOf(prefix).claims, personNo, limit: PAGE_MAX + 1 };
      const found = await findOutcomesOf(ledger, after === undefined ? asked : { ...asked, before: after });
      const shown = found.slice(0, PAGE_MAX);
      const settlements = shown.map(({ payload }) => encodeSummary(payload));
      const last = shown.at(-1);
      return found.length > PAGE_MAX && last ? { settlements, next: outcomePlaceText(last.place) } : { settlements };
    },
  );
}

import { encodeHeldRefund, heldRefundsAnswer } from '@repo/contracts';
import { findHeldRefunds } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter } from '../parameters.ts';
import { PERSONAL } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { visibleRange } from '../visible.ts';

const PERSONS_MAX = 100;

/** `GET /v1/held-refunds`: what refunds owe to owners of closed accounts, until a `refund.paid` tells that it was paid out by hand. */
export function heldRefundRoutes(app: Api, { ledger }: ApiDeps): void {
  app.get(
    '/v1/held-refunds',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'listHeldRefunds',
        tags: ['Refunds'],
        summary: 'What is still to be paid out by hand, the account being closed',
        description: `For staff, and for whom it is owed to. At most ${PERSONS_MAX} persons at a time.`,
        querystring: z.object({
          psn_no: idParameter('whose account it was; absent: everyone’s').optional(),
          after: idParameter('the `next` of the answer before').optional(),
        }),
        response: responses(
          { of: heldRefundsAnswer, is: 'person by person; none where nothing is held' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ query: { psn_no: personNo, after }, access }) => {
      // Reads one more than is shown, to know whether there are more.
      const found = await findHeldRefunds(ledger, {
        personNo,
        after,
        of: visibleRange(access),
        personsMax: PERSONS_MAX + 1,
      });
      const persons = [...new Set(found.map((refund) => refund.personNo))];
      const shown = new Set(persons.slice(0, PERSONS_MAX));
      const held = found.filter((refund) => shown.has(refund.personNo)).map(encodeHeldRefund);
      return persons.length > PERSONS_MAX ? { held, next: persons[PERSONS_MAX - 1] } : { held };
    },
  );
}

import { inputAnswer } from '@repo/contracts';
import { formatInstant } from '@repo/domain';
import { factsOf, placeName, wholeOf } from '@repo/set-aside';
import { z } from 'zod';
import { findInput, type InputDeps } from '../inputs.ts';
import { type Api, responses } from '../openapi.ts';
import { idParameter } from '../parameters.ts';
import { notFound } from '../problem.ts';
import { EVERYONE } from '../scopes.ts';
import { settlementOf } from '../visible.ts';

const DESCRIPTION =
  'Read from the input topic, at the place that was kept with the event’s id, and known again by its content. It is personal data, and may hold fields that nothing here reads.';
const RESPONSES = responses(
  { of: inputAnswer, is: 'the message' },
  {
    400: 'an id is not as expected',
    404: 'no outcome has this id, or where the message was read is not known',
    410: 'the topic no longer holds the message',
  },
);
const claimParams = z.object({ claim_id: idParameter('the id of a claim or premium') });

/**
 * The message that became a claim, a premium or a refund, as it came. Whoever may see its published outcome may see it: it tells of nobody
 * whom the outcome does not.
 */
export function inputRoutes(app: Api, deps: InputDeps & { readonly prefix: string }): void {
  const answer = async (eventId: string) => {
    const { place, record } = await findInput(eventId, deps);
    return {
      place: placeName(deps.prefix, place.topic, place.partition, place.offset),
      at: formatInstant(record.timestampMs),
      ...factsOf(record),
      ...wholeOf(record),
    };
  };

  app.get(
    '/v1/settlements/:claim_id/input',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'getSettlementInput',
        tags: ['Settlements'],
        summary: 'The message that a claim or premium was settled from, as it came',
        description: DESCRIPTION,
        params: claimParams,
        response: RESPONSES,
      },
    },
    async ({ params: { claim_id: claimId }, access }) => {
      await settlementOf(access, deps.ledger, claimId);
      return answer(`claim:${claimId}`);
    },
  );

  app.get(
    '/v1/settlements/:claim_id/refunds/:refund_id/input',
    {
      config: { scopes: EVERYONE },
      schema: {
        operationId: 'getRefundInput',
        tags: ['Settlements'],
        summary: 'The message that asked for a refund that was paid, as it came',
        description: DESCRIPTION,
        params: claimParams.extend({ refund_id: idParameter('the id of a refund paid of it') }),
        response: RESPONSES,
      },
    },
    async ({ params: { claim_id: claimId, refund_id: refundId }, access }) => {
      const { refunds } = await settlementOf(access, deps.ledger, claimId);
      // A refund that waited for its claim took its id before it had an outcome, so the claim's refunds tell whether it was paid.
      const isPaid = refunds.some((paid) => (JSON.parse(paid) as { refund_id: string }).refund_id === refundId);
      if (!isPaid) throw notFound('refund');
      return answer(`refund:${refundId}`);
    },
  );
}

import { arrearsChecksAnswer } from '@repo/contracts';
import { findChecks } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter } from '../parameters.ts';
import type { ApiDeps } from '../server.ts';

const CHECKS_MAX = 100;

/** `GET /v1/arrears-checks`: how far the checks for missed contributions have come. */
export function arrearsCheckRoutes(app: Api, { ledger }: ApiDeps): void {
  const schema = {
    operationId: 'listArrearsChecks',
    tags: ['Operation'],
    summary: 'The checks for missed contributions, and how far they have come',
    description: `At most ${CHECKS_MAX} at a time.`,
    querystring: z.object({ after: idParameter('the `next` of the answer before').optional() }),
    response: responses(
      { of: arrearsChecksAnswer, is: 'the last begun first' },
      { 400: 'a parameter is not as expected' },
    ),
  };
  app.get('/v1/arrears-checks', { config: { scopes: ['operate'] }, schema }, async ({ query: { after } }) => {
    // Reads one more than is shown, to know whether there are more.
    const found = await findChecks(ledger, { after, limit: CHECKS_MAX + 1 });
    const checks = found.slice(0, CHECKS_MAX).map(({ checkId, startedAt, movedAt, ...check }) => ({
      check_id: checkId,
      ...check,
      started_at: new Date(startedAt).toISOString(),
      moved_at: new Date(movedAt).toISOString(),
    }));
    return found.length > CHECKS_MAX ? { checks, next: checks.at(-1)?.check_id } : { checks };
  });
}

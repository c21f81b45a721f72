import { arrearsChecksAnswer } from '@repo/contracts';
import { findChecks } from '@repo/ledger';
import { type Api, responses } from '../openapi.ts';
import type { ApiDeps } from '../server.ts';

const CHECKS_MAX = 100;

/** `GET /v1/arrears-checks`: how far the checks for missed contributions have come. */
export function arrearsCheckRoutes(app: Api, { ledger }: ApiDeps): void {
  const schema = {
    operationId: 'listArrearsChecks',
    tags: ['Operation'],
    summary: 'The checks for missed contributions, and how far they have come',
    description: `The last ${CHECKS_MAX}.`,
    response: responses({ of: arrearsChecksAnswer, is: 'the last begun first' }),
  };
  app.get('/v1/arrears-checks', { config: { scopes: ['operate'] }, schema }, async () => {
    const found = await findChecks(ledger, { limit: CHECKS_MAX });
    return {
      checks: found.map(({ checkId, startedAt, movedAt, ...check }) => ({
        check_id: checkId,
        ...check,
        started_at: new Date(startedAt).toISOString(),
        moved_at: new Date(movedAt).toISOString(),
      })),
    };
  });
}

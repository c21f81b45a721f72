import { encodeBackdated } from '@repo/contracts';
import { findBackdated } from '@repo/ledger';
import type { FastifyInstance } from 'fastify';
import { type Given, idOf } from '../parameters.ts';
import type { ApiDeps } from '../server.ts';

const PAYERS_MAX = 100;

/** `GET /v1/backdated`: by payer, what was drawn on dates on which facts known later say it should not have been. */
export function backdatedRoutes(app: FastifyInstance, { ledger }: ApiDeps): void {
  app.get<{ Querystring: Given }>('/v1/backdated', async ({ query }) => {
    const [payer, after] = ['payer', 'after'].map((name) => idOf(query, name));
    // One more than is shown tells whether there are more.
    const found = encodeBackdated(await findBackdated(ledger, { payer, after, payersMax: PAYERS_MAX + 1 }));
    const payers = found.slice(0, PAYERS_MAX);
    return found.length > PAYERS_MAX ? { payers, next: payers.at(-1)?.payer } : { payers };
  });
}

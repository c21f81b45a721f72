import { liveAnswer, topicsOf, totalsAnswer } from '@repo/contracts';
import { dateOf } from '@repo/domain';
import { countPaused, readProgress } from '@repo/ledger';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { dateParameter } from '../parameters.ts';
import type { ApiDeps } from '../server.ts';
import { Tally } from '../tally.ts';

/** Counting paused bindings reads the whole table, so it is done at most this often, ms. */
const PAUSED_KEPT_MS = 30_000;

/** `GET /v1/totals`: the sums of a day. `GET /v1/live`: what the system is doing now. Both serve the console's board. */
export function totalsRoutes(app: Api, { ledger, now, prefix, workers }: ApiDeps): void {
  const claimsTopic = topicsOf(prefix).claims;
  const tally = new Tally(ledger, claimsTopic);
  app.get(
    '/v1/totals',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'getTotals',
        tags: ['Operation'],
        summary: 'The sums of one day of settlement, and why accounts paid nothing',
        description:
          'Counted from what was published, refunds by their own day. An answer that reaches back far begins with the latest outcomes: see `complete`.',
        querystring: z.object({ day: dateParameter('the date of settlement; default today').optional() }),
        response: responses({ of: totalsAnswer, is: 'as far as counted' }, { 400: 'a parameter is not as expected' }),
      },
    },
    async ({ query: { day = dateOf(now()) } }) => {
      await tally.look();
      return { day, days: tally.days(), complete: tally.complete, ...tally.of(day).encode() };
    },
  );

  let paused: { readonly at: number; readonly found: ReturnType<typeof countPaused> } | undefined;
  const pausedNow = () => {
    if (paused === undefined || performance.now() - paused.at > PAUSED_KEPT_MS) {
      paused = { at: performance.now(), found: countPaused(ledger) };
      // A failure is passed to those who asked, and not cached.
      paused.found.catch(() => {
        paused = undefined;
      });
    }
    return paused.found;
  };
  app.get(
    '/v1/live',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'getLive',
        tags: ['Operation'],
        summary: 'What the system is doing at this moment',
        description: 'Paused bindings are counted anew every half minute.',
        response: responses({ of: liveAnswer, is: 'as of this moment' }),
      },
    },
    async () => {
      const [shards, { payers, reasons }, asked] = await Promise.all([
        readProgress(ledger, claimsTopic),
        pausedNow(),
        workers?.(),
      ]);
      const answered = shards.reduce((sum, shard) => sum + shard.answered, 0n);
      const published = shards.reduce((sum, shard) => sum + shard.published, 0n);
      return {
        at: new Date(now()).toISOString(),
        answered: Number(answered),
        unpublished: Number(answered - published),
        paused_payers: payers,
        paused: reasons,
        waiting: asked?.waiting ?? null,
        latency: asked?.latency ?? null,
      };
    },
  );
}

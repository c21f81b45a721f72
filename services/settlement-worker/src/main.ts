import { DECODE_LIMITS, topicsOf } from '@repo/contracts';
import type { InputProgress, Lease } from '@repo/messaging';
import { runWorker, type Share } from '@repo/shard-worker';
import type { Observed } from './decide.ts';
import { ReadThrough } from './read-through.ts';
import { expireRefunds, settleBatch, settleHeld, settleTogether } from './settle.ts';

runWorker({
  name: 'settlement-worker',
  stream: 'claims',
  topic: ({ prefix }) => topicsOf(prefix).claims,
  targets: ({ prefix }) => ({
    results: topicsOf(prefix).settlements,
    deadLetters: topicsOf(prefix).deadLetters,
    deadLetterBase: 0,
    source: `/${prefix}/settlement-worker`,
  }),
  build: ({ config, failpoint, ledger, metrics, policyOf, room, targets }) => {
    const deps = {
      ledger,
      policyOf,
      targets,
      room,
      failpoint,
      refundWaitMs: config.refundWaitMs,
      nhsaOutput: config.nhsaOutput,
      limits: { ...DECODE_LIMITS, futureDaysMax: config.futureDaysMax },
      observe: (events: readonly Observed[]) => {
        for (const alike of Map.groupBy(events, ({ status, code }) => `${status} ${code}`).values()) {
          const [{ status, code }] = alike as [Observed];
          metrics.claims.add({ status, code: code ?? 'NONE' }, alike.length);
          if (status === 'REFUSED' && code !== null) metrics.declines.add({ code }, alike.length);
          if (status === 'REJECTED' && code !== null) metrics.deadLetters.add({ topic: 'claims', code }, alike.length);
        }
        const skips = events.flatMap((event) => event.skips);
        for (const [code, { length }] of Map.groupBy(skips, (skip) => skip)) metrics.declines.add({ code }, length);
      },
    };
    const readThrough = new ReadThrough();
    return {
      apply: (lease, records) => settleBatch(lease, records, deps),
      applyTogether: (batches) => settleTogether(batches, deps),
      // Without waiting there is nothing to expire. If it is switched off while refunds wait, each is answered after its claim, or expires
      // after a start with waiting switched on.
      ...(config.refundWaitMs > 0 && {
        doWork: (lease: Lease, share: Share, input: InputProgress) =>
          expireRefunds(lease, deps, share, () => readThrough.agoMs(lease, input)),
      }),
      applyHeld: (tx, place, records) => settleHeld(tx, place, records, deps),
    };
  },
});

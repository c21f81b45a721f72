import { DECODE_LIMITS, topicsOf } from '@repo/contracts';
import type { Lease } from '@repo/messaging';
import { runWorker, type Share } from '@repo/shard-worker';
import { expireRefunds, type Observed, settleBatch, settleHeld } from './settle.ts';

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
      observe: ({ status, code, skips }: Observed) => {
        metrics.claims.add({ status, code: code ?? 'NONE' });
        for (const skip of skips) metrics.declines.add({ code: skip });
        if (status === 'REFUSED' && code !== null) metrics.declines.add({ code });
        if (status === 'REJECTED' && code !== null) metrics.deadLetters.add({ topic: 'claims', code });
      },
    };
    return {
      apply: (lease, records) => settleBatch(lease, records, deps),
      // Where nothing waits there is nothing to look for. Switched off while some wait, they are answered after the next start with it on.
      ...(config.refundWaitMs > 0 && { doWork: (lease: Lease, share: Share) => expireRefunds(lease, deps, share) }),
      applyHeld: (tx, place, records) => settleHeld(tx, place, records, deps),
    };
  },
});

import { DECODE_LIMITS, topicsOf } from '@repo/contracts';
import { runWorker } from '@repo/shard-worker';
import { applyMembers } from './apply-members.ts';
import { doIdleWork } from './idle-work.ts';
import { runNightly } from './nightly.ts';

runWorker({
  name: 'sharing-worker',
  background: runNightly,
  stream: 'members',
  topic: ({ prefix }) => topicsOf(prefix).members,
  targets: ({ prefix, partitions }) => ({
    results: topicsOf(prefix).sharing,
    deadLetters: topicsOf(prefix).deadLetters,
    deadLetterBase: partitions,
    source: `/${prefix}/sharing-worker`,
  }),
  build: ({ config, failpoint, ledger, metrics, policyOf, targets }) => {
    const deps = {
      ledger,
      policyOf,
      targets,
      failpoint,
      partitions: config.partitions,
      limits: { ...DECODE_LIMITS, futureDaysMax: config.futureDaysMax },
      observe: ({ code }: { code: string }) => metrics.deadLetters.add({ topic: 'members', code }),
    };
    return {
      apply: (lease, records) => applyMembers(lease, records, deps),
      applyIdle: (lease) => doIdleWork(lease, deps),
    };
  },
});

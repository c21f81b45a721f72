import { DECODE_LIMITS, topicsOf } from '@repo/contracts';
import { runWorker } from '@repo/shard-worker';
import { applyHeldMembers, applyMembers } from './apply-members.ts';
import { doIdleWork } from './idle-work.ts';
import { Lookout } from './lookout.ts';
import { runNightly } from './nightly.ts';
import { Pace } from './pace.ts';

/** Persons a second that one process checks: a million in under two minutes, beside claims that keep most of their rate (test/bench). */
const CHECKED_PER_SECOND = 10_000;

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
  build: ({ config, failpoint, ledger, metrics, policyOf, room, targets }) => {
    const deps = {
      ledger,
      policyOf,
      targets,
      room,
      failpoint,
      partitions: config.partitions,
      limits: { ...DECODE_LIMITS, futureDaysMax: config.futureDaysMax },
      observe: ({ code }: { code: string }) => metrics.deadLetters.add({ topic: 'members', code }),
    };
    const pace = new Pace(CHECKED_PER_SECOND);
    const lookout = new Lookout(ledger);
    return {
      apply: (lease, records) => applyMembers(lease, records, deps),
      doWork: (lease, share) => doIdleWork(lease, deps, pace, share, lookout),
      applyHeld: (tx, place, records) => applyHeldMembers(tx, place, records, deps),
    };
  },
});

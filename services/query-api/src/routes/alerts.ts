import { alertsAnswer, topicsOf } from '@repo/contracts';
import { formatInstant } from '@repo/domain';
import { countDead, countHeld, findChecks, findHeldRefunds, type Ledger, readProgress } from '@repo/ledger';
import { ALERT_LIMITS, type AlertName, CONFLICT_CODES } from '@repo/observability';
import { type Api, responses } from '../openapi.ts';
import type { ApiDeps } from '../server.ts';

const MINUTE_MS = 60_000;
const PERSONS_MAX = 100;
const CHECKS_MAX = 100;

/** The present value that a rule judges. */
interface Finding {
  readonly alert: AlertName;
  readonly topic: 'claims' | 'members' | null;
  readonly value: number;
}

/** `GET /v1/alerts`: what needs attention, by the limits of the alert rules. */
export function alertRoutes(app: Api, { ledger, now, prefix, workers }: ApiDeps): void {
  app.get(
    '/v1/alerts',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'listAlerts',
        tags: ['Operation'],
        summary: 'What is to be looked at: alerts and what waits for a person',
        description:
          'By the limits of the rules in deploy/monitoring/alerts.yaml. A rule that needs a history of metrics is judged by Prometheus alone; what a rule asks to last for minutes is told at once.',
        response: responses({ of: alertsAnswer, is: 'as of this moment' }),
      },
    },
    async () => {
      const [findings, held, checks] = await Promise.all([
        findingsOf({ ledger, now, prefix, workers }),
        findHeldRefunds(ledger, { of: null, personsMax: PERSONS_MAX }),
        findChecks(ledger, { limit: CHECKS_MAX }),
      ]);
      const alerts = findings
        .map(({ alert, topic, value }) => {
          const { severity, over } = ALERT_LIMITS[alert];
          return { alert, severity, topic, value, over };
        })
        .filter(({ value, over }) => value > over)
        .sort((one, other) => Number(one.severity === 'ticket') - Number(other.severity === 'ticket'));
      return {
        at: new Date(now()).toISOString(),
        alerts,
        judged: [...new Set(findings.map(({ alert }) => alert))],
        to_do: {
          held_refunds: new Set(held.map(({ personNo }) => personNo)).size,
          unfinished_checks: checks.filter(({ finished, shards }) => finished < shards).length,
        },
      };
    },
  );
}

async function findingsOf({
  ledger,
  now,
  prefix,
  workers,
}: Pick<ApiDeps, 'now' | 'prefix' | 'workers'> & { readonly ledger: Ledger }): Promise<Finding[]> {
  const { claims, members } = topicsOf(prefix);
  const since = formatInstant(now() - ALERT_LIMITS.GongjiDeadLetters.withinMinutes * MINUTE_MS);
  const ofTopics = await Promise.all(
    (
      [
        ['claims', claims],
        ['members', members],
      ] as const
    ).map(async ([name, topic]): Promise<Finding[]> => {
      const [held, shards] = await Promise.all([countHeld(ledger, topic), readProgress(ledger, topic)]);
      const unpublished = shards.map(({ answered, published }) => Number(answered - published));
      return [
        { alert: 'GongjiQuarantine', topic: name, value: held.reduce((sum, { keys }) => sum + keys, 0) },
        { alert: 'GongjiOutboxWaits', topic: name, value: Math.max(0, ...unpublished) },
      ];
    }),
  );
  const dead = await countDead(ledger, since);
  const sum = (counts: readonly { count: number }[]) => counts.reduce((total, { count }) => total + count, 0);
  const asked = await workers?.();
  return [
    ...ofTopics.flat(),
    { alert: 'GongjiConflict', topic: null, value: sum(dead.filter(({ code }) => CONFLICT_CODES.includes(code))) },
    { alert: 'GongjiDeadLetters', topic: null, value: sum(dead) },
    ...(asked === undefined ? [] : [{ alert: 'GongjiDown', topic: null, value: asked.silent } as const]),
    ...(asked?.mostWaiting == null
      ? []
      : [{ alert: 'GongjiInputLag', topic: 'claims', value: asked.mostWaiting } as const]),
  ];
}

import { bindingHistoryAnswer, topicsOf } from '@repo/contracts';
import { formatInstant } from '@repo/domain';
import { findBindingChanges, findBindingsById, findOutcomesOf, type LoggedOutcome } from '@repo/ledger';
import { readResultStamp } from '@repo/shard-worker';
import { z } from 'zod';
import { type Api, responses } from '../openapi.ts';
import { idParameter } from '../parameters.ts';
import { notFound } from '../problem.ts';
import { PERSONAL } from '../scopes.ts';
import type { ApiDeps } from '../server.ts';
import { visiblePersons } from '../visible.ts';

/** Far more than is ever published about one payer's bindings: a binding is paused a few times a year. */
const OUTCOMES_MAX = 2_000;
const CHANGES_MAX = 1_000;

/** `GET /v1/bindings/{binding_id}/history`: a binding's published events and its payer's changes. For the payer and the beneficiary. */
export function bindingHistoryRoutes(app: Api, { ledger, prefix }: ApiDeps): void {
  app.get(
    '/v1/bindings/:binding_id/history',
    {
      config: { scopes: PERSONAL },
      schema: {
        operationId: 'getBindingHistory',
        tags: ['Bindings'],
        summary:
          'What became of a binding: activated, paused, resumed, revoked, with reasons; order and limits changed',
        description:
          'As it was published. What a payer changes of order and limits is not; it is noted beside, as `binding.changed`.',
        params: z.object({ binding_id: idParameter('the sharing relation (共济关系)') }),
        response: responses(
          { of: bindingHistoryAnswer, is: 'the earliest first' },
          { 400: 'a parameter is not as expected', 404: 'no such binding, or none that the token may see' },
        ),
      },
    },
    async ({ params: { binding_id: bindingId }, access }) => {
      const [binding] = await findBindingsById(ledger, [bindingId]);
      if (binding === undefined) throw notFound('binding');
      const { payer, beneficiary, boundAt } = binding;
      const visible = await visiblePersons(access, ledger, [payer, beneficiary]);
      if (visible.size === 0) throw notFound('binding');
      const topic = topicsOf(prefix).members;
      const found = await findOutcomesOf(ledger, { topic, personNo: payer, limit: OUTCOMES_MAX });
      const published = found.reverse().flatMap((outcome) => eventOf(outcome, bindingId));
      const changed = (await findBindingChanges(ledger, binding, CHANGES_MAX)).map(changeOf);
      const events = [...published, ...changed].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
      // Which month a payer missed is the payer's private matter: a beneficiary sees the pause, but not its cause.
      const shown = visible.has(payer) ? events : events.map((event) => ({ ...event, cause: null }));
      return { binding_id: bindingId, bound_at: formatInstant(boundAt), events: shown };
    },
  );
}

function eventOf({ stamp, payload }: LoggedOutcome, bindingId: string) {
  const told = JSON.parse(payload) as Record<string, unknown>;
  if (told.binding_id !== bindingId) return [];
  const { type, time } = readResultStamp(stamp);
  const { reason = null, state = null, effective_on = null, cause = null, code = null } = told;
  return [{ ce_type: type, at: time, reason, state, effective_on, cause, code }];
}

/** The command itself is the change, so it is its own cause, and there is nothing more to tell. */
function changeOf({ changeId, at, changes }: Awaited<ReturnType<typeof findBindingChanges>>[number]) {
  return {
    ...{ ce_type: 'binding.changed', at: formatInstant(at), reason: null, state: null, effective_on: null, code: null },
    cause: { ce_type: 'binding.changed', id: changeId },
    changes,
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { dropBody, heldAnswer, quarantineAnswer, quarantineOrderAnswer, releaseBody } from '@repo/contracts';
import {
  findHeld,
  findQuarantines,
  type HeldPlace,
  isWork,
  type Ledger,
  type NewOrder,
  OrderNameTaken,
  type OrderState,
  type Quarantine,
  readOrder,
} from '@repo/ledger';
import {
  DROP_CODES,
  heldPlaceOf,
  listed,
  listedMessage,
  openHeld,
  order,
  type Place,
  planDrop,
  printable,
  quarantinesFor,
  reasonProblem,
  wholeOf,
} from '@repo/set-aside';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bodyOf, malformed } from '../body.ts';
import { idOf, LOOK_EVERY_MS } from '../commands.ts';
import { type Api, type Response, responses } from '../openapi.ts';
import {
  contentParameter,
  keyHeader,
  messagePlaceParameter,
  outcomePlaceParameter,
  setAsideFilter,
  setAsideParameters,
} from '../parameters.ts';
import { idIsSealed, keyTaken, notFound } from '../problem.ts';
import type { ApiDeps } from '../server.ts';
import type { Slots } from '../slots.ts';

const KEYS_MAX = 100;
const MESSAGES_MAX = 100;

type Deps = Pick<ApiDeps, 'prefix' | 'commands' | 'envelopes'> & {
  readonly operator: Ledger;
  readonly underWay: { readonly commands: Slots };
};
const placeParams = z.object({ place: messagePlaceParameter('a held message, as it is listed: claims/3@1042') });
const list = z.object({
  ...setAsideParameters,
  after: messagePlaceParameter('the `next` of the answer before').optional(),
});

/**
 * Keys whose messages are held because a worker failed on one: lists them, shows their messages, releases or drops them. For operators
 * only.
 */
export function quarantineRoutes(app: Api, deps: Deps): void {
  const { operator, prefix, envelopes } = deps;
  const at = (place: Place): HeldPlace => heldPlaceOf(prefix, place);

  app.get(
    '/v1/quarantine',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'listQuarantine',
        tags: ['Repair'],
        summary: 'The keys whose messages are held since a worker failed on one',
        description: `Without the keys. At most ${KEYS_MAX} at a time.`,
        querystring: list,
        response: responses(
          { of: quarantineAnswer, is: 'one for each key; none where nothing is held' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ query: { after, ...query } }) => {
      if (query.id !== undefined && envelopes === null) throw idIsSealed();
      const found = await quarantinesFor(operator, prefix, setAsideFilter(query), envelopes);
      const left = after === undefined ? found : found.filter((each) => isBehind(each, at(after)));
      const shown = left.slice(0, KEYS_MAX).map((each) => listed(prefix, each));
      return left.length > KEYS_MAX ? { quarantined: shown, next: shown.at(-1)?.place } : { quarantined: shown };
    },
  );

  app.get(
    '/v1/quarantine/:place',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'listHeldMessages',
        tags: ['Repair'],
        summary: 'The held messages of the key that one of them is of',
        description: `At most ${MESSAGES_MAX} at a time.`,
        params: placeParams,
        querystring: z.object({
          content: contentParameter,
          after: messagePlaceParameter('the `next` of the answer before').optional(),
        }),
        response: responses(
          { of: heldAnswer, is: 'in the order in which they came' },
          { 400: 'a parameter is not as expected', 404: 'nothing is held there' },
        ),
      },
    },
    async ({ params: { place }, query: { content, after } }) => {
      const where = at(place);
      const found = await findHeld(operator, where, {
        ...(after === undefined ? {} : { after: after.offset }),
        limit: MESSAGES_MAX + 1,
      });
      if (found.length === 0 && after === undefined) throw notFound('held-message');
      const opened = openHeld(where, found.slice(0, MESSAGES_MAX), envelopes);
      const messages = opened.map((message) => ({
        ...listedMessage(prefix, where, message),
        is_work: isWork(message),
        ...(content === 'true' ? wholeOf(message) : {}),
      }));
      const shown = messages.map(({ heldAt, ...rest }) => ({ ...rest, held_at: heldAt }));
      return found.length > MESSAGES_MAX ? { messages: shown, next: shown.at(-1)?.place } : { messages: shown };
    },
  );

  orderRoutes(app, deps, at);
}

/** Whether a key comes after a place in the list's order: topic, partition, offset. */
function isBehind(one: Quarantine, other: HeldPlace): boolean {
  if (one.topic !== other.topic) return one.topic > other.topic;
  return one.partition === other.partition ? one.offset > other.offset : one.partition > other.partition;
}

const PROBLEMS = {
  400: 'the key is missing, or a parameter is not as expected',
  404: 'a dry run: nothing is held there; an order itself is answered, with the result GONE',
  409: 'the key was used for something else',
  413: 'the body is larger than 1 MiB',
  415: 'the content is not application/json',
  422: 'the body is not as expected: `issues` say why',
};
const ordered: Record<string, Response> = {
  ...responses({ of: quarantineOrderAnswer, is: 'carried out, or what would be ordered' }, PROBLEMS),
  202: {
    description: 'ordered, and not carried out yet: `location` says where to look',
    content: { 'application/json': { schema: quarantineOrderAnswer } },
  },
};
const described = (operationId: string, summary: string, description: string) => ({
  ...{ operationId, tags: ['Repair'], summary, description, headers: keyHeader, params: placeParams },
  response: ordered,
});

function orderRoutes(
  app: Api,
  { operator, prefix, commands, envelopes, underWay }: Deps,
  at: (place: Place) => HeldPlace,
): void {
  const waitMs = commands?.waitMs ?? 0;
  const checked = async (reason: string, places: readonly HeldPlace[]): Promise<string> => {
    const problem = await reasonProblem(operator, reason, places);
    if (problem !== null) throw malformed([{ path: 'reason', problem }]);
    return reason;
  };
  const perform = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { place, what }: { readonly place: HeldPlace; readonly what: Pick<NewOrder, 'action' | 'code' | 'reason'> },
  ) => {
    using _place = underWay.commands.take();
    const by = printable(request.access.subject ?? 'http');
    const { partition, orderId } = await order(operator, prefix, place, {
      ...what,
      by,
      commandId: idOf(request),
    }).catch((error: Error) => {
      throw error instanceof OrderNameTaken ? keyTaken() : error;
    });
    const id = `${partition}-${orderId}`;
    reply.header('location', `/v1/quarantine-orders/${id}`);
    const end = performance.now() + waitMs;
    for (;;) {
      const state = await readOrder(operator, partition, orderId);
      if (state === undefined) throw notFound('order');
      if (state.result !== null || performance.now() >= end)
        return reply.code(state.result === null ? 202 : 200).send(encodeOrder(id, state));
      await delay(LOOK_EVERY_MS);
    }
  };

  app.post(
    '/v1/quarantine/:place/release',
    {
      config: { scopes: ['operate'] },
      schema: {
        ...described(
          'releaseQuarantine',
          'Let the messages of a key go on',
          'The shard’s owner applies what is held of the key, in order and before anything new of it. A message that it still fails on ends the release: it and those behind it stay held.',
        ),
        body: releaseBody,
      },
    },
    async (request, reply) => {
      const { reason = '', dry_run: dryRun = false } = bodyOf(releaseBody, request.body);
      const place = at(request.params.place);
      const why = reason === '' ? '' : await checked(reason, [place]);
      if (dryRun) {
        const [found] = await findQuarantines(operator, place);
        if (found === undefined) throw notFound('held-message');
        return encodeOrder(null, { action: 'RELEASE', messages: found.messages, result: null });
      }
      return perform(request, reply, { place, what: { action: 'RELEASE', code: null, reason: why } });
    },
  );

  app.post(
    '/v1/quarantine/:place/drop',
    {
      config: { scopes: ['operate'] },
      schema: {
        ...described(
          'dropHeldMessage',
          'Give up one held message: it goes to the dead letters',
          'The others of its key stay held until they are released. Work that no message asks for cannot be dropped.',
        ),
        body: dropBody,
      },
    },
    async (request, reply) => {
      const { reason, code = DROP_CODES[0], dry_run: dryRun = false } = bodyOf(dropBody, request.body);
      const place = at(request.params.place);
      const why = await checked(reason, [place]);
      const planned = await planDrop(operator, prefix, { place, code }, envelopes);
      if (planned.kind === 'CODE') throw malformed([{ path: 'code', problem: 'is for claims' }]);
      if (planned.kind === 'WORK')
        throw malformed([{ path: 'place', problem: 'expected a message: this is work, which can only be released' }]);
      if (dryRun) {
        if (planned.kind === 'NOTHING') throw notFound('held-message');
        return encodeOrder(null, { action: 'DROP', messages: 1, result: null });
      }
      return perform(request, reply, { place, what: { action: 'DROP', code, reason: why } });
    },
  );

  app.get(
    '/v1/quarantine-orders/:order_id',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'getQuarantineOrder',
        tags: ['Repair'],
        summary: 'How far an order about held messages has come',
        params: z.object({
          order_id: outcomePlaceParameter(
            'as the order was answered',
            'expected an id as an order has it, such as 3-17',
          ),
        }),
        response: responses(
          { of: quarantineOrderAnswer, is: 'the order' },
          { 400: 'a parameter is not as expected', 404: 'no such order' },
        ),
      },
    },
    async ({ params: { order_id: id } }) => {
      const state = await readOrder(operator, id.shardId, BigInt(id.seq));
      if (state === undefined) throw notFound('order');
      return encodeOrder(`${id.shardId}-${id.seq}`, state);
    },
  );
}

const encodeOrder = (id: string | null, { action, messages, result }: OrderState & Pick<NewOrder, 'action'>) => ({
  ...{ order_id: id, action, messages, result },
});

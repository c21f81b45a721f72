import { bindingAnswer, COMMAND_BODIES, type CommandType, encodeBinding, refundOutcome } from '@repo/contracts';
import type { Binding } from '@repo/domain';
import { findBindingsById, findOutcome } from '@repo/ledger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Command, type CommandDeps, idOf, perform, readBody } from '../commands.ts';
import { type Api, type Response, responses } from '../openapi.ts';
import { idParameter, keyHeader } from '../parameters.ts';
import { notFound, Problem } from '../problem.ts';
import { type Concern, isVisible, visiblePersons } from '../visible.ts';

const PROBLEMS = {
  400: 'the key is missing, or a parameter is not as expected',
  404: 'no such binding or settlement, or none that the token may see',
  409: 'the key was used for something else, or the state does not allow it',
  413: 'the body is larger than 1 MiB',
  415: 'the content is not application/json',
  422: 'the body is not as expected, or a rule refuses it: `code` and `issues` say why',
};
const PENDING = z.object({
  status: z.literal('PENDING').describe('sent; repeat the request with its key to learn what came of it'),
});

const answers = (of: z.ZodType, is: string, created: boolean): Record<string, Response> => {
  const pending = 'sent, not applied yet: `location` says where to look';
  return {
    ...responses({ of, is, status: created ? 201 : 200 }, PROBLEMS),
    202: { description: pending, content: { 'application/json': { schema: PENDING } } },
  };
};

const MOVES = [
  ['approve', 'binding.approved', 'Approve a request to bind', ['operate']],
  ['reject', 'binding.rejected', 'Reject a request to bind', ['operate']],
  ['revoke', 'binding.revoked', 'End a binding for good', ['self', 'operate']],
  ['pause', 'binding.paused', 'Pause a binding: the payer’s own switch', ['self', 'operate']],
  ['resume', 'binding.resumed', 'Resume a binding that its payer paused', ['self', 'operate']],
] as const;

/** Commands on bindings and settlements: each becomes one event on which the workers decide. Nothing here writes to the database. */
export function commandRoutes(app: Api, deps: CommandDeps): void {
  const bindingParams = z.object({ binding_id: idParameter('the sharing relation (共济关系)') });

  app.post(
    '/v1/bindings',
    {
      config: { scopes: ['self', 'operate'] },
      schema: {
        ...described('requestBinding', 'Bindings', 'Ask for a sharing relation, to be approved', 'binding.requested'),
        response: answers(bindingAnswer, 'the binding as it was requested', true),
      },
    },
    async (request, reply) => {
      const commandId = idOf(request);
      const body = readBody('binding.requested', request.body);
      const payer = typeof body.payer === 'string' ? body.payer : '';
      const isOwn = request.access.everything || request.access.persons.has(payer);
      if (!isOwn) throw new Problem('not-yours', 'payer: expected the person whom the token is for');
      const bindingId = `B-${commandId}`;
      const command = { type: 'binding.requested', key: payer, fixed: { binding_id: bindingId }, body } as const;
      const done = await perform({ ...command, commandId, ...traced(request) }, deps);
      reply.header('location', `/v1/bindings?payer=${encodeURIComponent(payer)}`);
      if (!done.applied) return pending(reply);
      const binding = await bindingOf(deps, bindingId);
      if (binding !== undefined) return reply.code(201).send(encodeBinding(binding, deps.now()));
      const { code } = JSON.parse(done.answer ?? '{}') as { code?: string };
      throw new Problem('binding-refused', 'the rules where the payer is insured refuse this binding', { code });
    },
  );

  const change = async (
    request: FastifyRequest,
    reply: FastifyReply,
    asked: { readonly bindingId: string; readonly type: CommandType; readonly own?: 'change_id' },
  ) => {
    const { bindingId, type, own } = asked;
    const commandId = idOf(request);
    const body = readBody(type, request.body);
    const payer = await payerFor(request, deps, bindingId);
    const fixed = { binding_id: bindingId, payer, ...(own === undefined ? {} : { [own]: commandId }) };
    const done = await perform({ type, key: payer, fixed, body, commandId, ...traced(request) }, deps);
    reply.header('location', `/v1/bindings?payer=${encodeURIComponent(payer)}`);
    if (!done.applied) return pending(reply);
    const binding = await bindingOf(deps, bindingId);
    if (binding === undefined) throw notFound('binding');
    return reply.send(encodeBinding(binding, deps.now()));
  };

  for (const [verb, type, summary, scopes] of MOVES) {
    app.post(
      `/v1/bindings/:binding_id/${verb}`,
      {
        config: { scopes },
        schema: {
          ...described(`${verb}Binding`, 'Bindings', summary, type),
          params: bindingParams,
          response: answers(bindingAnswer, 'the binding afterwards', false),
        },
      },
      (request, reply) => change(request, reply, { bindingId: request.params.binding_id, type }),
    );
  }

  app.patch(
    '/v1/bindings/:binding_id',
    {
      config: { scopes: ['self', 'operate'] },
      schema: {
        ...described(
          'changeBinding',
          'Bindings',
          'Change order, limits or the last day of a binding',
          'binding.changed',
        ),
        params: bindingParams,
        response: answers(bindingAnswer, 'the binding afterwards', false),
      },
    },
    (request, reply) =>
      change(request, reply, { bindingId: request.params.binding_id, type: 'binding.changed', own: 'change_id' }),
  );

  refundRoute(app, deps);
}

function refundRoute(app: Api, deps: CommandDeps): void {
  app.post(
    '/v1/settlements/:claim_id/refunds',
    {
      config: { scopes: ['institution', 'operate'] },
      schema: {
        ...described(
          'refundSettlement',
          'Settlements',
          'Give back a claim or premium, or part of a claim',
          'claim.refunded',
        ),
        params: z.object({ claim_id: idParameter('the id of a claim or premium') }),
        response: answers(refundOutcome, 'the refund as it was published', true),
      },
    },
    async (request, reply) => {
      const commandId = idOf(request);
      const claimId = request.params.claim_id;
      const body = readBody('claim.refunded', request.body);
      const outcome = await findOutcome(deps.ledger, `claim:${claimId}`, claimId);
      const concern = outcome && (JSON.parse(outcome.payload) as Concern);
      if (concern === undefined || !(await isVisible(request.access, deps.ledger, concern)))
        throw notFound('settlement');
      const patient = String(concern.psn_no ?? concern.beneficiary);
      const refundId = `R-${commandId}`;
      const fixed = { refund_id: refundId, claim_id: claimId, psn_no: patient };
      const command = { type: 'claim.refunded', key: patient, fixed, body, commandId, ...traced(request) } as const;
      const done = await perform(command, deps);
      reply.header('location', `/v1/refunds/${encodeURIComponent(refundId)}`);
      if (!done.applied || done.answer === null) return pending(reply);
      const refund = JSON.parse(done.answer) as { status: string; code: string | null };
      if (refund.status === 'REFUNDED') return reply.code(201).send(refund);
      throw new Problem('refund-refused', 'this cannot be refunded', { code: refund.code ?? undefined });
    },
  );
}

const described = (operationId: string, tag: string, summary: string, type: CommandType) => ({
  operationId,
  tags: [tag],
  summary,
  description: `Becomes \`${type}\`. Repeated with its key it has no second effect, and is answered with ${type === 'claim.refunded' ? 'the outcome of the first' : 'the binding as it is by then'}.`,
  headers: keyHeader,
  body: COMMAND_BODIES[type],
});

const traced = ({ headers: { traceparent } }: FastifyRequest): Pick<Command, 'traceparent'> =>
  typeof traceparent === 'string' && /^[\da-f-]{55}$/.test(traceparent) ? { traceparent } : {};

const pending = (reply: FastifyReply) => reply.code(202).send({ status: 'PENDING' });

async function bindingOf({ ledger }: CommandDeps, bindingId: string): Promise<Binding | undefined> {
  const [binding] = await findBindingsById(ledger, [bindingId]);
  return binding;
}

/** The payer of a binding that the bearer may command. Throws a problem: a beneficiary may see the binding, but not change it. */
async function payerFor({ access }: FastifyRequest, deps: CommandDeps, bindingId: string): Promise<string> {
  const binding = await bindingOf(deps, bindingId);
  if (binding === undefined) throw notFound('binding');
  const { payer, beneficiary } = binding;
  const visible = await visiblePersons(access, deps.ledger, [payer, beneficiary]);
  if (visible.has(payer)) return payer;
  throw visible.has(beneficiary) ? new Problem('not-yours', 'expected a token of the payer') : notFound('binding');
}

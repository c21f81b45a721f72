import type { Instant } from '@repo/domain';
import { isTransient, type Ledger, type Snapshot } from '@repo/ledger';
import type { Logger, Tracing } from '@repo/observability';
import type { Policies } from '@repo/policy';
import type { Envelopes } from '@repo/sealing';
import fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CommandDeps } from './commands.ts';
import { type ConsoleOptions, serveConsole } from './console.ts';
import { addGate, type GateOptions, HEADER_BYTES_MAX } from './gate.ts';
import { healthAnswer } from './health.ts';
import type { ReadInput } from './inputs.ts';
import { SERVER_LIMITS, type ServerLimits } from './limits.ts';
import { methodsOf } from './methods.ts';
import { type Api, describeApi, responses, validate } from './openapi.ts';
import { parameterProblem, parseQuery } from './parameters.ts';
import { notFound, Problem, sendProblem } from './problem.ts';
import type { SendAgain } from './redrive.ts';
import { refuseConnection, refuseExpectation } from './refusals.ts';
import { accountRoutes } from './routes/accounts.ts';
import { alertRoutes } from './routes/alerts.ts';
import { arrearsCheckRoutes } from './routes/arrears-checks.ts';
import { backdatedRoutes } from './routes/backdated.ts';
import { bindingHistoryRoutes } from './routes/binding-history.ts';
import { codeRoutes } from './routes/codes.ts';
import { commandRoutes } from './routes/commands.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { heldRefundRoutes } from './routes/held-refunds.ts';
import { inputRoutes } from './routes/inputs.ts';
import { peopleRoutes } from './routes/people.ts';
import { policyRoutes } from './routes/policies.ts';
import { quarantineRoutes } from './routes/quarantine.ts';
import { quoteRoutes } from './routes/quotes.ts';
import { reconciliationRoutes } from './routes/reconciliation.ts';
import { settlementRoutes } from './routes/settlements.ts';
import { totalsRoutes } from './routes/totals.ts';
import { usageRoutes } from './routes/usage.ts';
import { Slots } from './slots.ts';
import { traceRequests } from './trace-requests.ts';
import type { AskWorkers } from './workers.ts';

export interface ApiDeps extends GateOptions {
  readonly ledger: Ledger;
  readonly policies: Policies;
  readonly log: Logger;
  /** Where requests are traced as spans; absent: nowhere. */
  readonly tracing?: Tracing | null | undefined;
  /** The moment that a read refers to where it names none. */
  readonly now: () => Instant;
  /** The port of the admin server, whose health and metrics are then served here too; absent: only there. */
  readonly adminPort?: number | undefined;
  readonly futureDaysMax: number;
  /** How commands are sent; absent: only reads are served. */
  readonly commands?: (Pick<CommandDeps, 'topics' | 'send' | 'waitMs'> & { readonly sendAgain: SendAgain }) | undefined;
  /** How messages are read from the input topics; absent: they are not shown. */
  readonly readInput?: ReadInput | undefined;
  /** The prefix of the topics' names. */
  readonly prefix: string;
  /** Opens one state of the database for reading a whole day, however long that takes. */
  readonly openSnapshot: () => Promise<Snapshot>;
  /** The database with an operator's rights; null: the routes about quarantine are not offered. */
  readonly operator?: Ledger | null | undefined;
  /** The keys that open sealed messages; null: only the unsealed parts are shown. */
  readonly envelopes: Envelopes | null;
  /** Asks the workers about themselves; absent where they cannot be asked. */
  readonly workers?: AskWorkers | undefined;
  /** The console's built files, and how a browser signs in; absent: no console is served. */
  readonly console?: ConsoleOptions | undefined;
  /** Default: `SERVER_LIMITS`. */
  readonly limits?: Partial<ServerLimits> | undefined;
}

/** The largest claim that can be quoted, bytes: the same as for an event. */
const BODY_BYTES_MAX = 1_048_576;
/** An id of 200 characters, each at most 4 bytes of UTF-8, percent-encoded. */
const PATH_ID_LENGTH_MAX = 2_400;

/**
 * Builds the HTTP server, which does not listen yet. Where there is a guard, every route but the health checks needs a token with one of
 * its scopes.
 */
export function buildServer(deps: ApiDeps): FastifyInstance {
  const limits = { ...SERVER_LIMITS, ...deps.limits };
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PATH_ID_LENGTH_MAX, querystringParser: parseQuery },
    connectionTimeout: limits.quietMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      // Node would answer without a body; the gate answers with a problem.
      requireHostHeader: false,
      headersTimeout: limits.requestMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.lookEveryMs,
    },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, fromFastify(error) ?? INTERNAL),
  });
  app.server.maxConnections = limits.connectionsMax;
  app.server.on('checkExpectation', (_request, response) => refuseExpectation(response));
  if (deps.tracing) traceRequests(app, deps.tracing);
  const methodsAt = methodsOf(app);
  addGate(app, { ...deps, ...limits });
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    const action = request.routeOptions.url ?? 'unknown';
    deps.log.debug({ action, statusCode: reply.statusCode, durationMs: Math.round(reply.elapsedTime) }, 'answered');
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = problemOf(error, request.routeOptions);
    if (problem === INTERNAL) deps.log.error({ error, action: request.routeOptions.url }, 'a request failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler(({ method, url }, reply) => {
    const methods = methodsAt(url.split('?', 1)[0] ?? '');
    // A route whose file is not there comes here with a method that it takes.
    if (methods.length === 0 || methods.includes(method)) return sendProblem(reply, notFound('resource'));
    const allowed = methods.join(', ');
    return sendProblem(
      reply.header('allow', allowed),
      new Problem('method-not-allowed', `method: expected one of ${allowed}`),
    );
  });
  app.addHook('preParsing', async ({ method, headers, is404 }) => {
    const { 'content-encoding': encoding = 'identity' } = headers;
    if (encoding === 'identity' || method === 'GET' || method === 'HEAD' || is404) return;
    throw new Problem('content-type', UNENCODED);
  });
  // Amounts are read from their source text, so bodies stay bytes for our own decoder.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.setValidatorCompiler(validate);
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  describeApi(app, { guarded: deps.guard !== undefined });
  if (deps.console !== undefined) serveConsole(app, deps.console);
  app.register(async (plain) => {
    const routes: Api = plain.withTypeProvider();
    const atMost = (max: number, what: string) => new Slots(max, `expected at most ${max} ${what} at a time`);
    const underWay = {
      commands: atMost(limits.commandsMax, 'commands'),
      reports: atMost(limits.reportsMax, 'reports'),
      exports: atMost(limits.exportsMax, 'exports'),
      inputs: atMost(limits.inputsMax, 'messages to be read'),
    };
    if (deps.adminPort !== undefined) serveAdmin(routes, deps.adminPort);
    accountRoutes(routes, deps);
    settlementRoutes(routes, deps);
    if (deps.readInput !== undefined) inputRoutes(routes, { ...deps, readInput: deps.readInput, underWay });
    usageRoutes(routes, { ...deps, underWay });
    quoteRoutes(routes, deps);
    backdatedRoutes(routes, deps);
    heldRefundRoutes(routes, deps);
    if (deps.commands !== undefined) commandRoutes(routes, { ...deps, ...deps.commands, underWay });
    bindingHistoryRoutes(routes, deps);
    peopleRoutes(routes, deps);
    totalsRoutes(routes, deps);
    alertRoutes(routes, deps);
    reconciliationRoutes(routes, { ...deps, underWay });
    arrearsCheckRoutes(routes, deps);
    deadLetterRoutes(routes, { ...deps, underWay });
    if (deps.operator) quarantineRoutes(routes, { ...deps, operator: deps.operator, underWay });
    policyRoutes(routes, deps);
    codeRoutes(routes);
  });
  return app;
}

const UNENCODED = 'content-encoding: expected none';
const INTERNAL = new Problem('internal', 'the request could not be answered');

type Route = Pick<FastifyRequest['routeOptions'], 'bodyLimit' | 'config'>;

function problemOf(error: FastifyError, route: Route): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof z.ZodError) return parameterProblem(error);
  if (isTransient(error)) return new Problem('database-away', 'the database cannot be read at present');
  return fromFastify(error, route) ?? INTERNAL;
}

/**
 * What Fastify refuses itself: bodies too large or of another type, paths it cannot decode; or what serves its files: paths out of their
 * folder, conditions that do not hold. Their texts may repeat the path.
 */
function fromFastify({ statusCode = 500 }: FastifyError, route?: Route): Problem | undefined {
  if (statusCode < 400 || statusCode >= 500) return undefined;
  if (statusCode === 412) return new Problem('condition-not-met', 'expected a condition that holds');
  if (statusCode === 413)
    return new Problem('body-too-large', `body: expected at most ${route?.bodyLimit ?? BODY_BYTES_MAX} bytes`);
  if (statusCode === 414) return new Problem('bad-parameter', 'path: expected an id of 1 to 200 characters');
  if (statusCode === 415)
    return new Problem('content-type', `content-type: expected ${route?.config.takes ?? 'application/json'}`);
  return new Problem('malformed-request', 'expected a well-formed request');
}

const ADMIN = {
  '/health/live': { of: healthAnswer, is: 'the process does its work', summary: 'Is the process alive?' },
  '/health/ready': {
    of: healthAnswer,
    is: 'broker, database and schema are there',
    summary: 'Can requests be answered?',
  },
  '/metrics': { of: z.string(), is: 'the metrics', type: 'text/plain', summary: 'Metrics in Prometheus text' },
} as const;

/** Serves health and metrics on this port too, by asking the admin server, which knows the checks. */
function serveAdmin(app: Api, adminPort: number): void {
  for (const [path, { summary, ...answer }] of Object.entries(ADMIN)) {
    const health = path.startsWith('/health/');
    const response = responses(answer);
    const failing = { ...response[200], description: 'something is wrong: `checks` says what' };
    const schema = {
      operationId: path.slice(1).replace('/', '-'),
      tags: ['Operation'],
      summary,
      ...(health && { security: [] }),
      response: health ? { 200: response[200], 503: failing } : response,
    };
    const config = health ? ({ open: true, unlimited: true } as const) : ({ scopes: ['operate'] } as const);
    app.get(path, { schema, config }, async (_request, reply) => {
      const answered = await fetch(`http://127.0.0.1:${adminPort}${path}`, { signal: AbortSignal.timeout(10_000) });
      reply.code(answered.status).type(answered.headers.get('content-type') ?? 'application/json');
      return reply.send(await answered.text());
    });
  }
}

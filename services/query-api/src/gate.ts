import { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Guard } from './access.ts';
import type { ServerLimits } from './limits.ts';
import { Problem } from './problem.ts';
import { type Access, narrowed, OPEN, SCOPE_WORDS, type Scope } from './scopes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    open?: true;
    /** Not counted against anybody's rate, such as health checks. */
    unlimited?: true;
    /** Any one of these is enough; absent: only operators. */
    scopes?: readonly Scope[];
    /** The type of content it takes; absent: JSON. */
    takes?: string;
    /** Its answer may take minutes, in which the connection is quiet. */
    slow?: true;
  }
  interface FastifyRequest {
    /** What this request may touch, less what its route does not take. */
    access: Access;
  }
}

export interface GateOptions {
  /** Absent: whoever reaches the port may do all. */
  readonly guard?: Guard | undefined;
  /** Requests a minute of one subject, or of one address where no subject is known; absent: any number. */
  readonly requestsPerMinuteMax?: number | undefined;
}

/** A path and query longer than this hold more than any request of ours needs. */
const URL_LENGTH_MAX = 8_192;
/** The request line and all headers together, as Node counts them. */
export const HEADER_BYTES_MAX = 16_384;
const MINUTE_MS = 60_000;

/** What comes before every route: the size of the address, the token and its scopes, the rate; and the headers of every answer. */
export function addGate(app: FastifyInstance, options: GateOptions & Pick<ServerLimits, 'ratesMax' | 'slowMs'>): void {
  const { guard, requestsPerMinuteMax, ratesMax, slowMs } = options;
  app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Answers are data; whoever serves this over TLS decides for the hosts beside it.
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
  app.decorateRequest('access');
  const count = counter(app, requestsPerMinuteMax, ratesMax);
  app.addHook('onRequest', async (request) => {
    // Fastify knows it and would ask for a type of content first, whatever the path; other methods that no route takes are answered with 404.
    if (request.method === 'QUERY') throw new Problem('unknown-method', 'method: QUERY is not served here');
    if (request.url.length > URL_LENGTH_MAX) {
      throw new Problem('address-too-long', `path and query: expected at most ${URL_LENGTH_MAX} characters`);
    }
    const { config } = request.routeOptions;
    const open = config.open === true || guard === undefined;
    const access = open ? OPEN : await admitted(guard, request, count);
    if (config.unlimited !== true) await count(request, nameOf(request, access));
    request.access = open || request.is404 ? access : permitted(access, config.scopes ?? ['operate']);
    // What is injected comes by no socket.
    if (config.slow === true && request.socket instanceof Socket) request.socket.setTimeout(slowMs);
  });
}

/** A token that is refused counts against the address it came from, since nobody knows whose it is. */
async function admitted(guard: Guard, request: FastifyRequest, count: Counter): Promise<Access> {
  try {
    return await guard(request.headers.authorization);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) await count(request, `refused ${request.ip}`);
    throw error;
  }
}

const nameOf = (request: FastifyRequest, { subject }: Access): string =>
  subject === null ? `address ${request.ip}` : `subject ${subject}`;

function permitted(access: Access, scopes: readonly Scope[]): Access {
  const left = narrowed(access, scopes);
  if (left !== null) return left;
  throw new Problem(
    'missing-scope',
    `expected a token with a scope of ${scopes.map((scope) => SCOPE_WORDS[scope]).join(', ')}`,
  );
}

type Counter = (request: FastifyRequest, name: string) => Promise<void>;

/** Counts requests by name in this process, and refuses those that are too many. */
function counter(app: FastifyInstance, max: number | undefined, ratesMax: number): Counter {
  if (max === undefined) return async () => undefined;
  const names = new WeakMap<FastifyRequest, string>();
  let check: ReturnType<FastifyInstance['createRateLimit']> | undefined;
  const keyGenerator = (request: FastifyRequest) => names.get(request) ?? request.ip;
  app.register(rateLimit, { global: false, cache: ratesMax, max, timeWindow: MINUTE_MS, keyGenerator });
  app.after(() => {
    // With options of its own it would get a store of its own, as large as the library likes.
    check = app.createRateLimit();
  });
  return async (request, name) => {
    names.set(request, name);
    const rate = await check?.(request);
    if (rate === undefined || rate.isAllowed || !rate.isExceeded) return;
    throw new Problem('too-many-requests', `expected at most ${max} requests a minute`, {
      retryAfterS: rate.ttlInSeconds,
    });
  };
}

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
    /** Served without a token. */
    open?: true;
    /** Not counted against any rate, such as health checks. */
    unlimited?: true;
    /** Any one of these scopes is enough; absent: only operators. */
    scopes?: readonly Scope[];
    /** The content type of the body; absent: JSON. */
    takes?: string;
    /** The answer may take minutes, during which the connection is silent. */
    slow?: true;
  }
  interface FastifyRequest {
    /** What this request may access, restricted to what its route accepts. */
    access: Access;
  }
}

export interface GateOptions {
  /** Absent: whoever reaches the port may do everything. */
  readonly guard?: Guard | undefined;
  /** Requests per minute of one subject, or of one address where the subject is unknown; absent: no limit. */
  readonly requestsPerMinuteMax?: number | undefined;
}

/** Longest path and query accepted; no request to this API needs more. */
const URL_LENGTH_MAX = 8_192;
/** Limit for the request line and all headers together, in bytes, as Node counts them. */
export const HEADER_BYTES_MAX = 16_384;
const MINUTE_MS = 60_000;

/** Everything before the routes: the `Host`, the length of the address, the token and its scopes, the rate limit; and the headers of every answer. */
export function addGate(app: FastifyInstance, options: GateOptions & Pick<ServerLimits, 'ratesMax' | 'slowMs'>): void {
  const { guard, requestsPerMinuteMax, ratesMax, slowMs } = options;
  app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Without subdomains, since whoever serves this over TLS decides for the other hosts of its domain.
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  });
  app.decorateRequest('access');
  const count = counter(app, requestsPerMinuteMax, ratesMax);
  app.addHook('onRequest', async (request) => {
    // Fastify knows this method and would first ask for a content type, whatever the path. Other methods without a route get a 404 or 405.
    if (request.method === 'QUERY') throw new Problem('unknown-method', 'method: QUERY is not served here');
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw new Problem('malformed-request', 'host: expected one');
    }
    if (request.url.length > URL_LENGTH_MAX) {
      throw new Problem('address-too-long', `path and query: expected at most ${URL_LENGTH_MAX} characters`);
    }
    const { config } = request.routeOptions;
    const open = config.open === true || guard === undefined;
    const access = open ? OPEN : await admitted(guard, request, count);
    if (config.unlimited !== true) await count(request, nameOf(request, access));
    request.access = open || request.is404 ? access : permitted(access, config.scopes ?? ['operate']);
    // An injected request has no socket.
    if (config.slow === true && request.socket instanceof Socket) request.socket.setTimeout(slowMs);
  });
}

/** A refused token counts against the address it came from, since its subject is unknown. */
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

/** Counts requests by name in this process, and refuses those above the limit. */
function counter(app: FastifyInstance, max: number | undefined, ratesMax: number): Counter {
  if (max === undefined) return async () => undefined;
  const names = new WeakMap<FastifyRequest, string>();
  let check: ReturnType<FastifyInstance['createRateLimit']> | undefined;
  const keyGenerator = (request: FastifyRequest) => names.get(request) ?? request.ip;
  app.register(rateLimit, { global: false, cache: ratesMax, max, timeWindow: MINUTE_MS, keyGenerator });
  app.after(() => {
    // Without options, because with its own it would get a second store, of the library's default size.
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

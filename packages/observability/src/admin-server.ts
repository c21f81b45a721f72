import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError } from './errors.ts';
import { within } from './within.ts';

/** Says what is wrong, or null when all is well. Throwing counts as wrong. What it says is shown to operators: no personal data. */
export type Check = () => string | null | Promise<string | null>;
/** Says in a sentence what an error means; undefined where it is none of those it knows. */
type Explain = (error: unknown) => string | undefined;
export type Checks = Readonly<Record<string, Check>>;

export interface AdminServer extends AsyncDisposable {
  readonly port: number;
}

/** What an admin server holds its checks and its callers to. */
export interface AdminLimits {
  readonly checkMs: number;
  readonly requestMs: number;
  /** Node looks for requests that take too long so often; by itself every 30 s. */
  readonly lookEveryMs: number;
  /** On a connection whose reader takes nothing. */
  readonly quietMs: number;
  /** On a connection that asks nothing more; Node gives it a second of grace. */
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  readonly headerBytesMax: number;
}

export const ADMIN_LIMITS: AdminLimits = {
  checkMs: 3_000,
  requestMs: 10_000,
  lookEveryMs: 1_000,
  quietMs: 30_000,
  keepAliveMs: 5_000,
  connectionsMax: 64,
  headerBytesMax: 8_192,
};

async function problemOf(check: Check, explain: Explain, checkMs: number): Promise<string | null> {
  try {
    return await within<string | null>(check(), checkMs, `no answer within ${checkMs} ms`);
  } catch (error) {
    const explained = explain(error);
    if (explained !== undefined) return explained;
    const { name, code } = describeError(error);
    return code === undefined ? name : `${name} ${code}`;
  }
}

/** Runs all checks at the same time, each with the limit of its own. */
async function runChecks(checks: Checks, explain: Explain, checkMs: number): Promise<{ status: number; body: string }> {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await problemOf(check, explain, checkMs)] as const),
  );
  const healthy = results.every(([, problem]) => problem === null);
  const described = results.map(([name, problem]) => [name, problem === null ? { ok: true } : { ok: false, problem }]);
  const body = JSON.stringify({ status: healthy ? 'ok' : 'failing', checks: Object.fromEntries(described) });
  return { status: healthy ? 200 : 503, body };
}

function sendProblem(response: ServerResponse, status: number, title: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', status, title }));
}

/**
 * Serves `GET /health/live`, `GET /health/ready` (200, or 503 with what is wrong) and `GET /metrics` on a port of their own.
 * Rejects when the port cannot be had. Port 0 takes a free one.
 */
export async function startAdminServer(options: {
  port: number;
  host?: string;
  live: Checks;
  ready: Checks;
  explain?: Explain;
  metrics: { readonly contentType: string; text(): Promise<string> };
  /** Tests wait for less. */
  limits?: Partial<AdminLimits>;
}): Promise<AdminServer> {
  const { port, host = '127.0.0.1', live, ready, metrics, explain = () => undefined } = options;
  const limits = { ...ADMIN_LIMITS, ...options.limits };
  const routes: Readonly<Record<string, () => Promise<{ status: number; body: string; contentType?: string }>>> = {
    '/health/live': () => runChecks(live, explain, limits.checkMs),
    '/health/ready': () => runChecks(ready, explain, limits.checkMs),
    '/metrics': async () => ({ status: 200, body: await metrics.text(), contentType: metrics.contentType }),
  };
  const answer = async (method: string, path: string, response: ServerResponse): Promise<void> => {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return sendProblem(response, 404, 'Not Found');
    if (method !== 'GET') return sendProblem(response.setHeader('allow', 'GET'), 405, 'Method Not Allowed');
    try {
      const { status, body, contentType = 'application/json' } = await route();
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
    } catch {
      sendProblem(response, 500, 'Internal Server Error');
    }
  };
  const ofNode = {
    requestTimeout: limits.requestMs,
    headersTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.lookEveryMs,
    maxHeaderSize: limits.headerBytesMax,
  };
  const server = createServer(ofNode, (request, response) => {
    void answer(request.method ?? '', (request.url ?? '').split('?', 1)[0] ?? '', response);
  });
  server.maxConnections = limits.connectionsMax;
  server.setTimeout(limits.quietMs);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

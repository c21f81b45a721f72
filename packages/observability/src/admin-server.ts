import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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

const PROBLEM = 'application/problem+json';
const problemText = (status: number): string =>
  JSON.stringify({ type: 'about:blank', status, title: STATUS_CODES[status] });

function sendProblem(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': PROBLEM }).end(problemText(status));
}

/** What Node refuses before there is a request, by its codes. Any other error means that it was none. */
const REFUSALS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what Node refuses, and closes the connection, on which nothing further can be parsed. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const status = REFUSALS[error.code ?? ''] ?? 400;
    const body = problemText(status);
    const headers = `content-type: ${PROBLEM}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers}\r\n\r\n${body}`);
  }
  socket.destroySoon();
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
  const answer = async ({ method, url = '', headers, httpVersion }: IncomingMessage, response: ServerResponse) => {
    if (headers.host === undefined && httpVersion === '1.1') return sendProblem(response, 400);
    const path = url.split('?', 1)[0] ?? '';
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return sendProblem(response, 404);
    if (method !== 'GET') return sendProblem(response.setHeader('allow', 'GET'), 405);
    try {
      const { status, body, contentType = 'application/json' } = await route();
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
    } catch {
      sendProblem(response, 500);
    }
  };
  const ofNode = {
    requestTimeout: limits.requestMs,
    headersTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.lookEveryMs,
    maxHeaderSize: limits.headerBytesMax,
    // Node would answer without a body.
    requireHostHeader: false,
  };
  const server = createServer(ofNode, (request, response) => {
    void answer(request, response);
  });
  server.on('clientError', (error, socket) => refuseConnection(error, socket as Socket));
  server.on('checkExpectation', (_request, response) => sendProblem(response, 417));
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

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Ledger } from '@repo/ledger';
import { testDatabaseUrl } from '@repo/testkit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGuard } from '../../src/access.ts';
import type { ApiDeps } from '../../src/server.ts';
import { Issuer } from '../issuer.ts';
import { account, claim, Scene } from './scene.ts';

let scene: Scene;
const issuer = new Issuer();
let key: Awaited<ReturnType<Issuer['addKey']>>;

beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(account('P1', { psn_name: '王小明' }));
  await issuer.start();
  key = await issuer.addKey();
});
afterAll(async () => {
  await issuer.stop();
  await scene[Symbol.asyncDispose]();
});

/** A server of its own, so that nobody else's requests are counted. */
async function serving(over: Partial<ApiDeps>, work: (api: FastifyInstance) => Promise<void>): Promise<void> {
  const api = scene.serve(over);
  try {
    await work(api);
  } finally {
    await api.close();
  }
}

describe('the rate of requests', () => {
  const guarded = () => ({ guard: createGuard({ issuer: issuer.url, audience: 'gongji' }), requestsPerMinuteMax: 3 });
  const bearer = async (sub?: string) => ({
    authorization: `Bearer ${await issuer.sign(key, { scope: 'gongji.operate', ...(sub === undefined ? {} : { sub }) })}`,
  });
  const url = '/v1/accounts/P1';

  test('is bounded for each subject apart, and whoever asks too often is told when to ask again', async () => {
    await serving(guarded(), async (api) => {
      const headers = await bearer('one');
      for (let i = 0; i < 3; i++) expect((await api.inject({ url, headers })).statusCode).toBe(200);
      const refused = await api.inject({ url, headers });
      expect(refused.statusCode).toBe(429);
      expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
      const wait = Number(refused.headers['retry-after']);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect(refused.json()).toEqual({
        type: 'urn:problem-type:gongji:too-many-requests',
        title: 'Too Many Requests',
        status: 429,
        detail: 'expected at most 3 requests a minute',
      });
      // Another token of the same subject is the same subject; another subject is not.
      expect((await api.inject({ url, headers: await bearer('one') })).statusCode).toBe(429);
      expect((await api.inject({ url, headers: await bearer('two') })).statusCode).toBe(200);
    });
  });

  test('is bounded for each address where a token names nobody, and for tokens that are refused', async () => {
    await serving(guarded(), async (api) => {
      const headers = await bearer();
      const statusFrom = async (remoteAddress: string, given: Record<string, string>) =>
        (await api.inject({ url, headers: given, remoteAddress })).statusCode;
      for (let i = 0; i < 3; i++) expect(await statusFrom('10.0.0.1', headers)).toBe(200);
      expect(await statusFrom('10.0.0.1', headers)).toBe(429);
      expect(await statusFrom('10.0.0.2', headers)).toBe(200);
      for (let i = 0; i < 3; i++) expect(await statusFrom('10.0.0.3', { authorization: 'Bearer a.b.c' })).toBe(401);
      expect(await statusFrom('10.0.0.3', { authorization: 'Bearer a.b.c' })).toBe(429);
      // A guess from an address takes nothing from those who share it and have a token.
      expect(await statusFrom('10.0.0.3', await bearer('three'))).toBe(200);
    });
  });

  test('does not count health checks', async () => {
    await serving({ requestsPerMinuteMax: 1, adminPort: 1 }, async (api) => {
      for (let i = 0; i < 5; i++) expect((await api.inject('/health/live')).statusCode).toBe(500);
      expect((await api.inject(url)).statusCode).toBe(200);
      expect((await api.inject(url)).statusCode).toBe(429);
    });
  });

  test('has no bound where none is set', async () => {
    await serving({}, async (api) => {
      for (let i = 0; i < 50; i++) expect((await api.inject(url)).statusCode).toBe(200);
    });
  });
});

describe('sizes', () => {
  /** What a server answers to bytes that no client of ours would send. */
  async function answerTo(api: FastifyInstance, text: string): Promise<string> {
    await api.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((api.server.address() as AddressInfo).port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  test('an address too long is refused by its length', async () => {
    const answer = await scene.api.inject(`/v1/bindings?payer=${'x'.repeat(9_000)}`);
    expect(answer.statusCode).toBe(414);
    expect(answer.json()).toMatchObject({ detail: 'path and query: expected at most 8192 characters' });
  });

  test.each([
    ['no host', 'GET /v1/codes HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'host: expected one'],
    ['headers too large', `GET /v1/bindings HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers'],
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'expected a well-formed request'],
  ])('%s: refused as a problem, and the connection ends', async (_case, text, status, detail) => {
    await serving({}, async (api) => {
      const answer = await answerTo(api, text);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer).toContain('content-type: application/problem+json');
      const body = JSON.parse(answer.split('\r\n\r\n')[1] ?? '') as Record<string, unknown>;
      expect(body).toMatchObject({
        type: expect.stringMatching(/^urn:problem-type:gongji:/),
        status,
        detail: expect.stringContaining(detail),
      });
    });
  });
});

test.each([
  ['POST', '/v1/accounts/P1', 'GET, HEAD'],
  ['DELETE', '/v1/bindings?payer=P1', 'GET, HEAD'],
  ['HEAD', '/v1/usage.csv?payer=P1', 'GET'],
  ['GET', '/v1/quotes', 'POST'],
  ['OPTIONS', '/v1/settlements/C%2F1/explanation', 'GET, HEAD'],
] as const)('%s %s: the path is there for other methods', async (method, url, allow) => {
  const answer = await scene.api.inject({ method, url });
  expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
  if (method !== 'HEAD') expect(answer.json()).toMatchObject({ detail: `method: expected one of ${allow}` });
});

test('a path that is nobody’s is not found by any method, and HEAD is GET without a body', async () => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE'] as const)
    for (const url of ['/v1/accounts', '/v1/accounts/P1/', '/v1/accounts/P1/x', '/v1/usage-csv'])
      expect((await scene.api.inject({ method, url })).statusCode).toBe(404);
  for (const url of ['/v1/accounts/P1', '/v1/accounts/none', '/v1/accounts/P1?at=soon', '/openapi.json']) {
    const [whole, head] = [await scene.api.inject(url), await scene.api.inject({ method: 'HEAD', url })];
    expect([head.statusCode, head.headers['content-type']]).toEqual([whole.statusCode, whole.headers['content-type']]);
    expect([head.body, head.headers['content-length']]).toEqual(['', String(Buffer.byteLength(whole.body))]);
  }
});

test('a body that is said to be encoded is not read as if it were not', async () => {
  const ask = async (url: string, encoding: string) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const answer = await scene.api.inject({ method: 'POST', url, payload: '{}', headers });
    return [answer.statusCode, answer.json().detail];
  };
  expect(await ask('/v1/quotes', 'gzip')).toEqual([415, 'content-encoding: expected none']);
  expect((await ask('/v1/quotes', 'identity'))[0]).toBe(422);
  expect((await ask('/v1/elsewhere', 'gzip'))[0]).toBe(404);
});

test('every answer carries the headers that keep browsers from guessing, framing and storing', async () => {
  for (const url of ['/v1/accounts/P1', '/v1/accounts/none', '/v1/elsewhere', '/v1/usage.csv?payer=P1']) {
    const { headers } = await scene.api.inject(url);
    expect(headers, url).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'SAMEORIGIN',
      'cache-control': 'no-store',
    });
    expect(headers).not.toHaveProperty('x-powered-by');
  }
});

describe('a database that fails', () => {
  const REQUESTS = [
    'GET /v1/accounts/P1',
    'GET /v1/bindings?payer=P1',
    'GET /v1/settlements/C1',
    'GET /v1/settlements/C1?form=nhsa',
    'GET /v1/settlements/C1/explanation',
    'GET /v1/refunds/R1',
    'GET /v1/usage?payer=P1',
    'GET /v1/usage.csv?payer=P1',
    'GET /v1/usage.xlsx?payer=P1',
    'GET /v1/backdated',
    'GET /v1/held-refunds',
    'POST /v1/quotes',
  ];

  test.each([
    ['is away', 'postgresql://nobody:secret@127.0.0.1:1/none', 503],
    ['has no schema', testDatabaseUrl(), 500],
  ])('that %s shows nothing of itself in any answer', async (_case, url, status) => {
    await using stack = new AsyncDisposableStack();
    const ledger = await Ledger.open({ url, name: 'limits' });
    stack.defer(() => ledger.close());
    const api = scene.serve({ ledger });
    stack.defer(() => api.close());
    for (const request of REQUESTS) {
      const [method = '', path = ''] = request.split(' ');
      const sent = method === 'POST' ? { payload: claim(), headers: { 'content-type': 'application/json' } } : {};
      const answer = await api.inject({ method: method as 'GET', url: path, ...sent });
      expect([request, answer.statusCode]).toEqual([request, status]);
      expect(Object.keys(answer.json()).sort(), request).toEqual(['detail', 'status', 'title', 'type']);
      expect(answer.body, request).not.toMatch(/select|relation|P1|C1|127\.0\.0\.1|secret|ECONN|\.ts\b/);
    }
  });
});

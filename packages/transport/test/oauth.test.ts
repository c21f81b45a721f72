import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTokenSource, TOKEN_LIMITS, TokenError } from '../src/oauth.ts';
import { explainRefusal } from '../src/refusal.ts';

let asked = 0;
let status = 200;
let lifeS = 120;
let isSilent = false;
const server = createServer((_request, response) => {
  asked += 1;
  if (isSilent) return;
  const body = status === 200 ? { access_token: `t${asked}`, token_type: 'Bearer', expires_in: lifeS } : {};
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
afterAll(() => server.close());

const source = (limits = TOKEN_LIMITS) => createTokenSource({ url, clientId: 'c', clientSecret: 's' }, limits);

beforeEach(() => {
  asked = 0;
  status = 200;
  lifeS = 120;
  isSilent = false;
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => vi.useRealTimers());
const passSeconds = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

test('a token is used again during the first half of its life, then renewed', async () => {
  const token = source();
  expect((await token()).value).toBe('t1');
  passSeconds(59);
  expect((await token()).value).toBe('t1');
  passSeconds(2);
  expect((await token()).value).toBe('t2');
  expect(asked).toBe(2);
});

test('logins at one moment share one request', async () => {
  const token = source();
  const values = await Promise.all([token(), token(), token()]);
  expect(values.map(({ value }) => value)).toEqual(['t1', 't1', 't1']);
  expect(asked).toBe(1);
});

test('while the endpoint is away the old token serves, until 30 s before its end', async () => {
  const token = source();
  await token();
  status = 503;
  passSeconds(80);
  expect((await token()).value).toBe('t1');
  passSeconds(11);
  const error = await token().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TokenError);
  expect(explainRefusal(error)).toBe('The token endpoint does not answer (503): check GONGJI_KAFKA_OAUTH_TOKEN_URL');
  status = 200;
  expect((await token()).value).toMatch(/^t/);
});

test('of what an endpoint says only codes are shown', () => {
  expect(explainRefusal(new TokenError('TOKEN_REFUSED', 'invalid_client'))).toContain('(invalid_client)');
  expect(explainRefusal(new Error('password p4ss'))).toBeUndefined();
});

test('an endpoint that takes a request and says nothing is given up in time, twice', async () => {
  isSilent = true;
  const begun = Date.now();
  const asking = source({ ...TOKEN_LIMITS, requestMs: 100, pauseMs: 50 })();
  await expect(asking).rejects.toMatchObject({ code: 'TOKEN_UNREACHABLE' });
  expect(asked).toBe(2);
  expect(Date.now() - begun).toBeGreaterThan(200);
  server.closeAllConnections();
}, 3_000);

test('a request for a token may take 3 s, twice, 300 ms apart', () => {
  expect(TOKEN_LIMITS).toEqual({ requestMs: 3_000, attemptsMax: 2, pauseMs: 300 });
});

test('a token that lives for less than 20 s is refused', async () => {
  lifeS = 19;
  await expect(source()()).rejects.toMatchObject({ code: 'TOKEN_TOO_SHORT' });
  lifeS = 20;
  expect((await source()()).value).toBe('t2');
});

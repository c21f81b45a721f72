import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN_LIMITS, type AdminLimits, type AdminServer } from '../src/admin-server.ts';
import { type Checks, createMetrics, startAdminServer } from '../src/index.ts';

const metrics = createMetrics({ codes: [], partitions: 1 });
const start = (ready: Checks, live: Checks = {}) => startAdminServer({ port: 0, live, ready, metrics });
const get = (port: number, path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);

test('ready names each check and is 503 while one fails', async () => {
  let lost: string | null = 'connection refused';
  await using server = await start({ database: () => lost, broker: async () => null });
  const failing = await get(server.port, '/health/ready');
  expect(failing.status).toBe(503);
  expect(await failing.json()).toEqual({
    status: 'failing',
    checks: { database: { ok: false, problem: 'connection refused' }, broker: { ok: true } },
  });
  lost = null;
  expect((await get(server.port, '/health/ready?verbose=1')).status).toBe(200);
});

test('a check that throws fails by its code, never by its message', async () => {
  const refused = () => Promise.reject(Object.assign(new Error('password of 王伟 is wrong'), { code: '28P01' }));
  await using server = await start({ database: refused });
  expect(await (await get(server.port, '/health/ready')).json()).toMatchObject({
    checks: { database: { problem: 'Error 28P01' } },
  });
});

test('live is independent of ready', async () => {
  await using server = await start({ database: () => 'down' }, { polling: () => null });
  expect((await get(server.port, '/health/live')).status).toBe(200);
});

test('metrics are Prometheus text', async () => {
  await using server = await start({});
  const response = await get(server.port, '/metrics');
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(await response.text()).toContain('# TYPE settlement_claims_total counter');
});

test('anything else is problem+json', async () => {
  await using server = await start({});
  for (const [path, method, status] of [
    ['/', 'GET', 404],
    ['/constructor', 'GET', 404],
    ['/metrics', 'POST', 405],
  ] as const) {
    const response = await get(server.port, path, { method });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status });
  }
});

test('so is what never becomes a request', async () => {
  await using server = await start({});
  const close = 'connection: close\r\n\r\n';
  for (const [sent, status] of [
    [`GET /health/live HTTP/1.1\r\n${close}`, 400],
    ['nonsense\r\n\r\n', 400],
    [`GET /health/live HTTP/1.1\r\nhost: x\r\nexpect: nothing\r\n${close}`, 417],
    [`GET /health/live HTTP/1.1\r\nx: ${'x'.repeat(9_000)}\r\n\r\n`, 431],
  ] as const) {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(sent);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*content-type: application/problem\\+json`));
    expect(JSON.parse(/{.*}/.exec(answer)?.[0] ?? '')).toEqual({
      type: 'about:blank',
      status,
      title: STATUS_CODES[status],
    });
  }
  const old = connect(server.port, '127.0.0.1');
  old.write('GET /health/live HTTP/1.0\r\n\r\n');
  expect(await text(old)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a port in use is reported and a closed server frees its port', async () => {
  const first = await start({});
  await expect(startAdminServer({ port: first.port, live: {}, ready: {}, metrics })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await first[Symbol.asyncDispose]();
  await using again = await startAdminServer({ port: first.port, live: {}, ready: {}, metrics });
  expect(again.port).toBe(first.port);
});

test('a check that does not answer fails at its limit', async () => {
  await using server = await startAdminServer({
    port: 0,
    live: {},
    ready: { database: () => new Promise(() => undefined), broker: () => null },
    metrics,
    limits: { checkMs: 50 },
  });
  expect(await (await get(server.port, '/health/ready')).json()).toMatchObject({
    checks: { database: { ok: false, problem: 'no answer within 50 ms' }, broker: { ok: true } },
  });
});

describe('the limits of callers', () => {
  const limited = (limits: Partial<AdminLimits>, text = '') =>
    startAdminServer({
      port: 0,
      live: {},
      ready: {},
      metrics: { contentType: 'text/plain', text: async () => text },
      limits,
    });
  const open = ({ port }: AdminServer) => connect(port, '127.0.0.1').on('error', () => undefined);
  const closed = async (socket: Socket): Promise<void> => void (await once(socket.resume(), 'close'));

  test('are those of the README', () => {
    expect(ADMIN_LIMITS).toEqual({
      checkMs: 3_000,
      requestMs: 10_000,
      lookEveryMs: 1_000,
      quietMs: 30_000,
      keepAliveMs: 5_000,
      connectionsMax: 64,
      headerBytesMax: 8_192,
    });
  });

  test('connections beyond 64 are closed, and headers are at most 8 KiB', async () => {
    await using server = await start({});
    const sockets = Array.from({ length: 64 }, () => open(server));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await closed(open(server));
    const [large, ...others] = sockets;
    large?.write(`GET /health/live HTTP/1.1\r\nx: ${'x'.repeat(9_000)}\r\n\r\n`);
    if (large !== undefined) expect(String((await once(large, 'data'))[0])).toMatch(/^HTTP\/1\.1 431 /);
    for (const socket of others) socket.destroy();
  });

  test('one that sends half a header is answered 408 and closed', async () => {
    await using server = await limited({ requestMs: 100, lookEveryMs: 20 });
    const slow = open(server);
    slow.write('GET /health/live HTTP/1.1\r\nhost');
    expect(String((await once(slow, 'data'))[0])).toMatch(/^HTTP\/1\.1 408 /);
    await closed(slow);
  }, 3_000);

  test('one that asks nothing more is closed', async () => {
    await using server = await limited({ keepAliveMs: 50 });
    const silent = open(server);
    silent.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(silent, 'data');
    await closed(silent);
  }, 3_000);

  test('a reader that takes nothing is closed, and its place is free', async () => {
    await using server = await limited({ quietMs: 100, connectionsMax: 1 }, 'x'.repeat(32 << 20));
    const reader = open(server).pause();
    onTestFinished(() => void reader.destroy());
    reader.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect
      .poll(() =>
        get(server.port, '/health/live').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  }, 3_000);
});

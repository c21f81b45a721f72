import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
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

test('a port in use is reported and a closed server frees its port', async () => {
  const first = await start({});
  await expect(startAdminServer({ port: first.port, live: {}, ready: {}, metrics })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await first[Symbol.asyncDispose]();
  await using again = await startAdminServer({ port: first.port, live: {}, ready: {}, metrics });
  expect(again.port).toBe(first.port);
});

test('a check that does not answer fails after 3 s', async () => {
  await using server = await start({ database: () => new Promise(() => undefined), broker: () => null });
  const begun = performance.now();
  expect(await (await get(server.port, '/health/ready')).json()).toMatchObject({
    checks: { database: { ok: false, problem: 'no answer within 3000 ms' }, broker: { ok: true } },
  });
  expect(performance.now() - begun).toBeGreaterThan(2_900);
});

test('connections beyond 64 are closed, one that sends half a header after 10 s, and headers are at most 8 KiB', async () => {
  await using server = await start({});
  const open = () => connect(server.port, '127.0.0.1').on('error', () => undefined);
  const sockets = Array.from({ length: 64 }, open);
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const [slow, large, ...others] = sockets;
  const begun = performance.now();
  slow?.write('GET /health/live HTTP/1.1\r\nhost');
  await once(open().resume(), 'close');
  large?.write(`GET /health/live HTTP/1.1\r\nx: ${'x'.repeat(9_000)}\r\n\r\n`);
  if (large !== undefined) expect(String((await once(large, 'data'))[0])).toMatch(/^HTTP\/1\.1 431 /);
  if (slow !== undefined) await once(slow.resume(), 'close');
  expect(performance.now() - begun).toBeGreaterThan(9_000);
  expect(performance.now() - begun).toBeLessThan(14_000);
  for (const socket of others) socket.destroy();
}, 30_000);

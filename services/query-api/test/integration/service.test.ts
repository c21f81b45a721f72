import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, testBrokers, testDatabaseUrl, until } from '@repo/testkit';
import { afterEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const running: ChildProcess[] = [];
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function start(environment: NodeJS.ProcessEnv): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...environment }, cwd: '/' });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return { child, output: () => text };
}

async function settings(): Promise<NodeJS.ProcessEnv & { GONGJI_HTTP_PORT: string }> {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  return {
    GONGJI_KAFKA_BROKERS: testBrokers(),
    GONGJI_DATABASE_URL: url,
    GONGJI_HTTP_PORT: String(await freePort()),
  };
}

const ready = (port: string) =>
  until(() => fetch(`http://127.0.0.1:${port}/health/ready`).then(({ status }) => status === 200), {
    what: 'the service to be ready',
    deadlineMs: 30_000,
  });

test('the service serves reads, health and metrics on one port, and ends in order when told to', async () => {
  const given = await settings();
  const { child, output } = start(given);
  await ready(given.GONGJI_HTTP_PORT);
  const base = `http://127.0.0.1:${given.GONGJI_HTTP_PORT}`;
  const health = await (await fetch(`${base}/health/ready`)).json();
  expect(health).toEqual({
    status: 'ok',
    checks: { broker: { ok: true }, database: { ok: true }, migrations: { ok: true } },
  });
  expect((await fetch(`${base}/health/live`)).status).toBe(200);
  const metrics = await fetch(`${base}/metrics`);
  expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await metrics.text()).toContain('process_cpu_seconds_total');
  expect((await fetch(`${base}/v1/accounts/P1`)).status).toBe(404);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  expect(output()).not.toContain('postgres://');
});

test('health and metrics move to a port of their own', async () => {
  const adminPort = String(await freePort());
  const given = { ...(await settings()), GONGJI_ADMIN_PORT: adminPort };
  start(given);
  await ready(adminPort);
  const base = `http://127.0.0.1:${given.GONGJI_HTTP_PORT}`;
  await until(() => fetch(`${base}/v1/accounts/P1`).then(({ status }) => status === 404), { what: 'reads' });
  for (const path of ['/health/live', '/health/ready', '/metrics']) {
    expect((await fetch(`${base}${path}`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${adminPort}${path}`)).status).toBe(200);
  }
});

/** What is answered to these bytes, up to the end of the connection. */
function answerTo(port: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    socket.on('error', reject).on('close', () => resolve(text));
  });
}

test('what is no request, or one that is refused before it is read, is told as a problem too', async () => {
  const given = await settings();
  start(given);
  await ready(given.GONGJI_HTTP_PORT);
  const quote = 'POST /v1/quotes HTTP/1.1\r\nhost: a\r\nconnection: close\r\n';
  const cases: [bytes: string, status: number, detail: string][] = [
    ['no request\r\n\r\n', 400, 'expected a well-formed request'],
    [`${quote}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400, 'expected a well-formed request'],
    [`${quote}x: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'expected headers of at most 16 KiB in all'],
    ['QUERY /v1/codes HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n', 501, 'method: QUERY is not served here'],
    [`${quote}expect: 200-ok\r\n\r\n`, 417, 'expect: expected 100-continue'],
  ];
  for (const [bytes, status, detail] of cases) {
    const answer = await answerTo(given.GONGJI_HTTP_PORT, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer).toContain(`"status":${status},"detail":"${detail}"`);
  }
  expect((await fetch(`http://127.0.0.1:${given.GONGJI_HTTP_PORT}/v1/accounts/P1`)).status).toBe(404);
});

test('with an issuer every read needs a token, and the health checks need none', async () => {
  const given = { ...(await settings()), GONGJI_OIDC_ISSUER: `http://127.0.0.1:${await freePort()}` };
  start({ ...given, GONGJI_HTTP_HOST: '0.0.0.0' });
  await ready(given.GONGJI_HTTP_PORT);
  const base = `http://127.0.0.1:${given.GONGJI_HTTP_PORT}`;
  for (const path of ['/v1/accounts/P1', '/v1/bindings', '/v1/settlements/C1/explanation', '/metrics', '/elsewhere']) {
    const answer = await fetch(`${base}${path}`);
    expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer']);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  }
  expect((await fetch(`${base}/v1/quotes`, { method: 'POST', body: '{}' })).status).toBe(401);
});

test('another address without an issuer stops the start', async () => {
  const { child, output } = start({ ...(await settings()), GONGJI_HTTP_HOST: '0.0.0.0' });
  const [code] = await once(child, 'exit');
  expect(code).not.toBe(0);
  expect(output()).toContain('GONGJI_HTTP_HOST: must be 127.0.0.1 unless GONGJI_OIDC_ISSUER is set');
});

test('it is not ready while the schema is missing or nothing of Kafka answers, and says which', async () => {
  // Takes connections and says nothing: a port that is open is not yet a broker.
  const silent: Server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const given = {
    ...(await settings()),
    GONGJI_DATABASE_URL: testDatabaseUrl(),
    GONGJI_KAFKA_BROKERS: `127.0.0.1:${(silent.address() as { port: number }).port}`,
  };
  start(given);
  const url = `http://127.0.0.1:${given.GONGJI_HTTP_PORT}/health/ready`;
  const answer = await until(() => fetch(url), { what: 'an answer', deadlineMs: 30_000 });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    status: 'failing',
    checks: { broker: { problem: 'no broker answers' }, migrations: { ok: false } },
  });
  await new Promise((resolve) => silent.close(resolve));
});

import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { topicsOf } from '@repo/contracts';
import { Snapshot } from '@repo/ledger';
import { until } from '@repo/testkit';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVER_LIMITS, type ServerLimits } from '../../src/limits.ts';
import type { ApiDeps } from '../../src/server.ts';
import { account, binding, claim, Scene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
  await scene.members(account('P1'), account('P2', { prior_year: '500.00' }), binding('B2', 'P2'));
  await scene.settle('claim.submitted', claim());
});
afterAll(async () => scene[Symbol.asyncDispose]());

/** A server of its own that listens, with its own limits where a test would wait too long for those that are. */
class Listening implements AsyncDisposable {
  readonly api: FastifyInstance;
  readonly #sockets: Socket[] = [];

  constructor(limits: Partial<ServerLimits> = {}, over: Partial<ApiDeps> = {}) {
    this.api = scene.serve({ limits, ...over });
  }

  async open(): Promise<this> {
    await this.api.listen({ host: '127.0.0.1', port: 0 });
    return this;
  }

  get port(): number {
    return (this.api.server.address() as AddressInfo).port;
  }

  connect(): Socket {
    const socket = connect(this.port, '127.0.0.1').on('error', () => undefined);
    this.#sockets.push(socket);
    return socket;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.api.close();
  }
}

const listening = (limits?: Partial<ServerLimits>, over?: Partial<ApiDeps>) => new Listening(limits, over).open();

/** What comes on a connection to its end, and after how long it ended. */
async function lastWords(socket: Socket): Promise<{ readonly text: string; readonly afterMs: number }> {
  const begun = performance.now();
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await once(socket, 'close');
  return { text, afterMs: performance.now() - begun };
}

test('who sends half of a request and waits is told so after 10 s, and let go', async () => {
  await using server = await listening();
  const cases = [
    'GET /v1/bindings HTTP/1.1\r\nhost: x\r\nx-h',
    'POST /v1/quotes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"a',
    '',
  ];
  await Promise.all(
    cases.map(async (bytes) => {
      const socket = server.connect();
      socket.write(bytes);
      const { text, afterMs } = await lastWords(socket);
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain('expected the whole request within 10 s');
      expect(afterMs).toBeGreaterThan(9_000);
      // It is looked for once a second.
      expect(afterMs).toBeLessThan(14_000);
    }),
  );
});

test('who asks nothing more is let go', async () => {
  await using server = await listening({ keepAliveMs: 300 });
  const socket = server.connect();
  socket.write('GET /v1/accounts/P1 HTTP/1.1\r\nhost: x\r\n\r\n');
  const { text, afterMs } = await lastWords(socket);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(afterMs).toBeGreaterThan(250);
});

test('connections beyond the limit are closed as they come, and those that are there are answered', async () => {
  await using server = await listening();
  const open = Array.from({ length: SERVER_LIMITS.connectionsMax }, () => server.connect());
  await until(() => new Promise((done) => server.api.server.getConnections((_, n) => done(n === open.length))), {
    what: 'as many connections as may be',
  });
  expect((await lastWords(server.connect())).text).toBe('');
  open[0]?.write('GET /v1/accounts/P1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  if (open[0] !== undefined) expect((await lastWords(open[0])).text).toMatch(/^HTTP\/1\.1 200 /);
  await until(
    () =>
      server.fetch('/v1/accounts/P1').then(
        ({ status }) => status === 200,
        () => false,
      ),
    {
      what: 'the place that came free',
    },
  );
});

test('a reader who takes nothing is let go, and what was read for them ends', async () => {
  await using server = new Listening({ quietMs: 300 });
  let ended = false;
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      ended = true;
    }
  }
  server.api.get('/endless', { schema: { hide: true } }, async (_request, reply) =>
    reply.send(Readable.from(endless())),
  );
  await server.open();
  const socket = server.connect();
  socket.pause();
  socket.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n');
  await until(() => ended, { what: 'the answer to be given up' });
});

test('a report may take longer than a connection may otherwise be quiet', async () => {
  const openSnapshot = async () => {
    const snapshot = await Snapshot.open(scene.url);
    await snapshot.rows('select pg_sleep(0.8)');
    return snapshot;
  };
  await using server = await listening({ quietMs: 200 }, { openSnapshot });
  expect((await server.fetch('/v1/reconciliation?day=2025-03-10')).status).toBe(200);
  await using impatient = await listening({ quietMs: 200, slowMs: 200 }, { openSnapshot });
  await expect(impatient.fetch('/v1/reconciliation?day=2025-03-10')).rejects.toThrow();
});

test('a statement of a report that takes too long ends it, and the next has its turn', async () => {
  let limitMs = 50;
  const openSnapshot = async () => {
    const snapshot = await Snapshot.open(scene.url, { limitMs });
    await snapshot.rows('select pg_sleep(0.3)');
    return snapshot;
  };
  await using server = await listening({}, { openSnapshot });
  expect((await server.fetch('/v1/reconciliation?day=2025-03-10')).status).toBe(503);
  limitMs = 5_000;
  expect((await server.fetch('/v1/reconciliation?day=2025-03-10')).status).toBe(200);
});

const PROBLEM = (max: number, what: string) => ({ status: 503, detail: `expected at most ${max} ${what} at a time` });

test('reports that wait for their turn are few, and others are asked to come again', async () => {
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  const openSnapshot = async () => {
    await promise;
    return Snapshot.open(scene.url);
  };
  await using server = await listening({}, { openSnapshot });
  const asked = Array.from({ length: SERVER_LIMITS.reportsMax + 1 }, () =>
    server.fetch('/v1/reconciliation?day=2025-03-10'),
  );
  const refused = await Promise.race(asked);
  expect(await refused.json()).toMatchObject(PROBLEM(SERVER_LIMITS.reportsMax, 'reports'));
  expect(refused.headers.get('retry-after')).toBe('5');
  goOn();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(SERVER_LIMITS.reportsMax);
  expect((await server.fetch('/v1/reconciliation?day=2025-03-10')).status).toBe(200);
});

test('commands under way are few, and others are asked to come again', async () => {
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  const unsent = async () => {
    await promise;
    throw new Error('nothing is sent here');
  };
  const commands = { topics: topicsOf('scene'), send: unsent, sendAgain: unsent, waitMs: 0 };
  await using server = await listening({}, { commands });
  const pause = (key: number) =>
    server.fetch('/v1/bindings/B2/pause', {
      method: 'POST',
      headers: { 'idempotency-key': String(key), 'content-type': 'application/json' },
      body: '{}',
    });
  const asked = Array.from({ length: SERVER_LIMITS.commandsMax + 1 }, (_, n) => pause(n));
  const refused = await Promise.race(asked);
  expect(await refused.json()).toMatchObject(PROBLEM(SERVER_LIMITS.commandsMax, 'commands'));
  goOn();
  await Promise.all(asked);
  expect(await (await pause(0)).json()).toMatchObject({ detail: expect.stringContaining('could not be sent') });
});

test('messages that are read from their topic are few at a time, and others are asked to come again', async () => {
  const { promise, resolve: goOn } = Promise.withResolvers<null>();
  await using server = await listening({}, { readInput: () => promise });
  const asked = Array.from({ length: SERVER_LIMITS.inputsMax + 1 }, () => server.fetch('/v1/settlements/C1/input'));
  const refused = await Promise.race(asked);
  expect(await refused.json()).toMatchObject(PROBLEM(SERVER_LIMITS.inputsMax, 'messages to be read'));
  goOn(null);
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 410)).toHaveLength(SERVER_LIMITS.inputsMax);
});

test('the rates of so many callers are remembered, and past that the one seen longest ago is forgotten', async () => {
  const api = scene.serve({ limits: { ratesMax: 10 }, requestsPerMinuteMax: 1 });
  const statusFrom = async (n: number) =>
    (await api.inject({ url: '/v1/codes', remoteAddress: `10.0.0.${n}` })).statusCode;
  for (let n = 0; n < 10; n++) expect(await statusFrom(n)).toBe(200);
  // Asking too often is being seen as well, so 0 is now the last seen and 1 is forgotten for 10.
  expect([await statusFrom(0), await statusFrom(10), await statusFrom(0), await statusFrom(1)]).toEqual([
    ...[429, 200, 429, 200],
  ]);
  await api.close();
});

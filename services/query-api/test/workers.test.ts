import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { ASK_LIMIT_MS, askWorkers } from '../src/workers.ts';

const servers: Server[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
});

const metrics = (lag: number, counts: readonly [quick: number, slow: number, all: number]) =>
  `# TYPE settlement_input_lag_messages gauge
settlement_input_lag_messages{topic="claims",partition="0"} ${lag}
settlement_input_lag_messages{topic="members",partition="0"} 99
settlement_end_to_end_seconds_bucket{le="0.1",topic="claims"} ${counts[0]}
settlement_end_to_end_seconds_bucket{le="1",topic="claims"} ${counts[1]}
settlement_end_to_end_seconds_bucket{le="+Inf",topic="claims"} ${counts[2]}
settlement_end_to_end_seconds_bucket{le="+Inf",topic="members"} 1000
`;

/** A server that answers each request with the next text, the last one for ever. */
async function worker(...texts: string[]): Promise<string> {
  const server = createServer((_request, response) => response.end(texts.length > 1 ? texts.shift() : texts[0]));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('what waits for the settlement workers is summed over them, and that for others left out', async () => {
  const addresses = [await worker(metrics(3, [0, 0, 0])), await worker(metrics(4, [0, 0, 0]))];
  expect(await askWorkers(addresses)()).toMatchObject({ waiting: 7, mostWaiting: 4, silent: 0, latency: null });
});

test('a worker that does not answer leaves the others to tell, and is counted', async () => {
  const silent = '127.0.0.1:1';
  expect(await askWorkers([silent, await worker(metrics(5, [50, 99, 100]))])()).toEqual({
    ...{ waiting: 5, mostWaiting: 5, silent: 1 },
    latency: { p50: 0.1, p99: 1 },
  });
  expect(await askWorkers([silent])()).toEqual({ waiting: null, mostWaiting: null, silent: 1, latency: null });
});

test('latency is that of what was settled since an earlier reading, and of everything after a restart', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const ask = askWorkers([
    await worker(metrics(0, [100, 100, 100]), metrics(0, [100, 110, 110]), metrics(0, [2, 2, 2])),
  ]);
  expect((await ask()).latency).toEqual({ p50: 0.1, p99: 0.1 });
  vi.advanceTimersByTime(1_500);
  expect((await ask()).latency).toEqual({ p50: 1, p99: 1 });
  vi.advanceTimersByTime(1_500);
  expect((await ask()).latency).toEqual({ p50: 0.1, p99: 0.1 });
});

test('many who ask within a second cost the workers one request', async () => {
  const ask = askWorkers([await worker(metrics(1, [0, 0, 0]), metrics(2, [0, 0, 0]))]);
  expect((await Promise.all([ask(), ask(), ask()])).map(({ waiting }) => waiting)).toEqual([1, 1, 1]);
});

test('latency is of the last two minutes: what was read before them is forgotten', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const readings = Array.from({ length: 200 }, (_, n) => metrics(0, [n < 50 ? n : 50, n, n]));
  const ask = askWorkers([await worker(...readings)]);
  for (const _ of readings.slice(1)) {
    await ask();
    vi.advanceTimersByTime(1_001);
  }
  // The first fifty were quick, and none since.
  expect((await ask()).latency).toEqual({ p50: 1, p99: 1 });
});

test('a worker that takes a connection and says nothing is given up', async () => {
  const server = createServer(() => undefined);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const begun = performance.now();
  expect(await askWorkers([address], 100)()).toMatchObject({ silent: 1 });
  expect(performance.now() - begun).toBeGreaterThan(90);
  server.closeAllConnections();
  expect(ASK_LIMIT_MS).toBe(2_000);
}, 3_000);

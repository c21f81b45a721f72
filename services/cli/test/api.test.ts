import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { API_WITHIN_MS, printAnswer } from '../src/api.ts';
import type { Settings } from '../src/config.ts';

test('an API that takes a request and says nothing is given up in time', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const httpUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const begun = performance.now();
  expect(await printAnswer({ httpUrl } as Settings, { path: '/v1/refunds/R1', withinMs: 100 }, () => 0)).toBe(2);
  expect(said.mock.calls).toEqual([[expect.stringContaining('The API does not answer')]]);
  expect(performance.now() - begun).toBeGreaterThan(90);
  expect(API_WITHIN_MS).toBe(30_000);
  said.mockRestore();
  silent.close();
}, 3_000);

test.each(['', '/', '/gongji', '/gongji/'])('an API at %j is asked there', async (path) => {
  const asked: (string | undefined)[] = [];
  const api = createHttpServer(({ url }, response) => {
    asked.push(url);
    response.setHeader('connection', 'close').end('{}');
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void api.close());
  const httpUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}${path}`;
  expect(await printAnswer({ httpUrl } as Settings, { path: '/v1/refunds/a%2Fb' }, () => 0)).toBe(0);
  expect(asked).toEqual([`${path.replace(/\/$/, '')}/v1/refunds/a%2Fb`]);
});

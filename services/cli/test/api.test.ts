import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
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

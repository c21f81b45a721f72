import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { API_WITHIN_MS, printAnswer } from '../src/api.ts';
import { run as quote } from '../src/commands/quote.ts';
import { run as refund } from '../src/commands/refund.ts';
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

test('a refund of which nobody knows whether it was sent says by which key it is asked for again', async () => {
  const keys: (string | undefined)[] = [];
  const api = createHttpServer(({ headers }, response) => {
    keys.push(String(headers['idempotency-key']));
    response.writeHead(504, { connection: 'close' }).end('{}');
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void api.close());
  using said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const settings = { httpUrl: `http://127.0.0.1:${(api.address() as AddressInfo).port}` } as Settings;
  expect(await refund(['C1', '--amount', '1.00'], settings)).toBe(2);
  const [key] = keys as [string];
  expect(said.mock.calls.at(-1)).toEqual([expect.stringContaining(`--key ${key}`)]);
  expect(await refund(['C1', '--amount', '1.00', '--key', key], settings)).toBe(2);
  expect(keys).toEqual([key, key]);
});

test('a claim is quoted by the bytes of its file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gongji-quote-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'claim.json');
  const bytes = Buffer.from([0x7b, 0x22, 0xd5, 0xc5, 0x22, 0x7d]);
  writeFileSync(file, bytes);
  const asked: Buffer[] = [];
  const api = createHttpServer(async (request, response) => {
    asked.push(await buffer(request));
    response.writeHead(422, { connection: 'close' }).end('{}');
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void api.close());
  using _said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const httpUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  expect(await quote([file], { httpUrl } as Settings)).toBe(1);
  expect(asked).toEqual([bytes]);
});

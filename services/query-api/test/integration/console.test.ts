import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGuard } from '../../src/access.ts';
import { Scene } from './scene.ts';

const dir = mkdtempSync(join(tmpdir(), 'query-api-console-'));
let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const ISSUER = 'https://id.example/realm';
const served = () =>
  scene.serve({
    guard: createGuard({ issuer: ISSUER, audience: 'gongji' }),
    console: { dir, signIn: { issuer: ISSUER, clientId: 'console', scope: 'openid' } },
  });

test('a console that is not built says how to build it, and is there as soon as it is, without a restart', async () => {
  await using api = served();
  const missing = await api.inject('/console/');
  expect(missing.statusCode).toBe(404);
  expect(missing.json()).toMatchObject({ detail: expect.stringContaining('npm run console') });

  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>built</title>');
  writeFileSync(join(dir, 'assets', 'index-1.js'), 'plain');
  writeFileSync(join(dir, 'assets', 'index-1.js.br'), 'small');
  const page = await api.inject('/console/');
  expect(page).toMatchObject({ statusCode: 200, body: expect.stringContaining('built') });
  expect(page.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
  for (const door of ['/', '/console']) expect((await api.inject(door)).headers.location).toBe('/console/');
});

test('its files need no token, are kept for ever by their names, and come compressed', async () => {
  await using api = served();
  const file = await api.inject({ url: '/console/assets/index-1.js', headers: { 'accept-encoding': 'br' } });
  expect(file).toMatchObject({ statusCode: 200, body: 'small' });
  expect(file.headers).toMatchObject({
    'content-encoding': 'br',
    'cache-control': 'public, max-age=31536000, immutable',
  });
  expect((await api.inject('/console/assets/other.js')).statusCode).toBe(404);
  expect((await api.inject('/v1/codes')).statusCode).toBe(401);
});

test.each([
  ['a path out of its folder', '/console/..%2f..%2fpackage.json', {}, 400, 'malformed-request'],
  ['a path that no file has', '/console/%00', {}, 400, 'malformed-request'],
  ['a condition that does not hold', '/console/', { 'if-match': '"other"' }, 412, 'condition-not-met'],
])('%s is the asker’s mistake and no failure of ours', async (_case, url, headers, status, type) => {
  await using api = served();
  const answer = await api.inject({ url, headers });
  expect([answer.statusCode, answer.json().type]).toEqual([status, `urn:problem-type:gongji:${type}`]);
});

test('HEAD of a file is its size without the file', async () => {
  await using api = served();
  const [whole, head] = [await api.inject('/console/'), await api.inject({ method: 'HEAD', url: '/console/' })];
  expect([head.statusCode, head.body]).toEqual([200, '']);
  expect(head.headers['content-length']).toBe(whole.headers['content-length']);
});

test('a part of a file is answered with the whole of it', async () => {
  await using api = served();
  const answer = await api.inject({ url: '/console/', headers: { range: 'bytes=9999-' } });
  expect(answer).toMatchObject({ statusCode: 200, body: expect.stringContaining('built') });
});

test('a page is many files, so they are not counted against anybody’s rate', async () => {
  await using api = scene.serve({ requestsPerMinuteMax: 1, console: { dir, signIn: null } });
  for (let n = 0; n < 3; n += 1) expect((await api.inject('/console/assets/index-1.js')).statusCode).toBe(200);
  const answers = [await api.inject('/v1/codes'), await api.inject('/v1/codes')];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 429]);
});

test('it may speak to this service and the issuer alone, and is told how to sign in', async () => {
  await using api = served();
  const { headers } = await api.inject('/console/');
  expect(headers['content-security-policy']).toContain(`connect-src 'self' https://id.example;`);
  expect(headers['content-security-policy']).toContain(`default-src 'self'`);
  const told = await api.inject('/console/sign-in.json');
  expect(told.json()).toEqual({ issuer: ISSUER, clientId: 'console', scope: 'openid' });
  expect(told.headers['cache-control']).toBe('no-store');
});

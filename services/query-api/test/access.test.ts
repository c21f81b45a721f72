import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { createGuard, type Guard, ISSUER_LIMIT_MS } from '../src/access.ts';
import { accessOf, CLAIM_NAMES } from '../src/scopes.ts';
import { Issuer } from './issuer.ts';

const issuers: Issuer[] = [];
afterEach(async () => {
  await Promise.all(issuers.splice(0).map((issuer) => issuer.stop()));
});

async function startIssuer(): Promise<{ issuer: Issuer; guard: Guard }> {
  const issuer = new Issuer();
  await issuer.start();
  issuers.push(issuer);
  return { issuer, guard: createGuard({ issuer: issuer.url, audience: 'gongji' }) };
}

/** The status a token is answered with; 200 stands for being let through. */
const statusOf = (guard: Guard, token: string, scheme = 'Bearer'): Promise<number> =>
  guard(`${scheme} ${token}`).then(
    () => 200,
    (problem: { status: number }) => problem.status,
  );

test.each(['ES256', 'PS256', 'RS256', 'EdDSA'])('a token of the issuer signed by %s is let through', async (alg) => {
  const { issuer, guard } = await startIssuer();
  const token = await issuer.sign(await issuer.addKey(alg));
  expect(await statusOf(guard, token)).toBe(200);
  expect(await statusOf(guard, token, 'bearer')).toBe(200);
});

test('a token of another audience, issuer or time, or without an end, is refused', async () => {
  const { issuer, guard } = await startIssuer();
  const key = await issuer.addKey();
  const past = Math.floor(Date.now() / 1000) - 120;
  const refused: Record<string, unknown>[] = [
    { aud: 'other' },
    { iss: 'https://elsewhere.example' },
    { exp: past },
    { nbf: past + 3_600 },
    { exp: undefined },
  ];
  for (const claims of refused) expect(await statusOf(guard, await issuer.sign(key, claims))).toBe(401);
});

test('a token that nobody signed, that another key signed, or by an algorithm not listed, is refused', async () => {
  const { issuer, guard } = await startIssuer();
  const key = await issuer.addKey();
  const stranger = await generateKeyPair('ES256');
  expect(await statusOf(guard, await issuer.sign({ ...key, privateKey: stranger.privateKey }))).toBe(401);
  expect(await statusOf(guard, await issuer.sign(await issuer.addKey('RS512')))).toBe(401);
  const exp = Math.floor(Date.now() / 1000) + 300;
  const unsigned = new UnsecuredJWT({ iss: issuer.url, aud: 'gongji', exp }).encode();
  expect(await statusOf(guard, unsigned)).toBe(401);
  const secret = new TextEncoder().encode(JSON.stringify(issuer.keys[0]).padEnd(64));
  const confused = await new SignJWT({ iss: issuer.url, aud: 'gongji', exp })
    .setProtectedHeader({ alg: 'HS256', kid: key.kid })
    .sign(secret);
  expect(await statusOf(guard, confused)).toBe(401);
});

test('a request without a token is refused without asking the issuer', async () => {
  const { issuer, guard } = await startIssuer();
  await issuer.stop();
  await expect(guard(undefined)).rejects.toMatchObject({ status: 401 });
  await expect(guard('Basic dXNlcjpwYXNz')).rejects.toMatchObject({ status: 401 });
  await issuer.start();
});

test('while the issuer is away tokens cannot be checked, and afterwards they can', async () => {
  const { issuer, guard } = await startIssuer();
  const token = await issuer.sign(await issuer.addKey());
  await issuer.stop();
  expect(await statusOf(guard, token)).toBe(503);
  await issuer.start();
  expect(await statusOf(guard, token)).toBe(200);
});

test('requests at one moment ask the issuer once who it is, and again only after it did not say', async () => {
  const { issuer, guard } = await startIssuer();
  const token = await issuer.sign(await issuer.addKey());
  const together = () => Promise.all(Array.from({ length: 20 }, () => statusOf(guard, token)));
  issuer.calledBy = 'https://elsewhere.example';
  expect(new Set(await together())).toEqual(new Set([503]));
  expect(issuer.asked).toBe(1);
  issuer.calledBy = undefined;
  expect(new Set(await together())).toEqual(new Set([200]));
  expect(await statusOf(guard, token)).toBe(200);
  expect(issuer.asked).toBe(2);
});

test('an issuer that describes itself by another name is not believed', async () => {
  const { issuer, guard } = await startIssuer();
  const token = await issuer.sign(await issuer.addKey());
  issuer.calledBy = 'https://elsewhere.example';
  expect(await statusOf(guard, token)).toBe(503);
});

test('an issuer that takes a connection and says nothing is given up', async () => {
  const silent = createServer((socket) => socket.resume().on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const guard = createGuard({ issuer: url, audience: 'gongji', limitMs: 100 });
  const begun = performance.now();
  expect(await statusOf(guard, 'a.b.c')).toBe(503);
  expect(performance.now() - begun).toBeGreaterThan(90);
  silent.close();
  expect(ISSUER_LIMIT_MS).toBe(5_000);
}, 3_000);

test('of a claim with many values the first hundred count', () => {
  const persons = Array.from({ length: 101 }, (_, n) => `P${n}`);
  const access = accessOf({ scope: 'gongji.self', psn_no: persons }, CLAIM_NAMES);
  expect([...access.persons]).toEqual(persons.slice(0, 100));
});

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@repo/embedded';
import { Ledger } from '@repo/ledger';
import { explainRefusal } from '@repo/transport';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { EXPIRED, HBA, makeCertificate } from '../../src/servers.ts';
import { CA, secured } from '../settings.ts';

/** The URL with other parts. */
function urlOf(base: string, parts: { host?: string; user?: string; password?: string; ca?: string; mode?: string }) {
  const url = new URL(base);
  const { host = url.hostname, user = url.username, password = url.password, ca = CA, mode = 'verify-full' } = parts;
  Object.assign(url, { hostname: host, username: user, password });
  if (mode !== '') url.searchParams.set('sslmode', mode);
  if (mode === 'verify-full') url.searchParams.set('sslrootcert', ca);
  return url.href;
}

const GUEST = { user: 'guest', password: 'let-me-in-1' };

/** Whether the session is encrypted, by the server's own account. */
async function encryptionOf(url: string): Promise<boolean | undefined> {
  const ledger = await Ledger.open({ url, name: 'secured-test' });
  try {
    const [row] = await ledger.rows<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    return row?.ssl;
  } finally {
    await ledger.close();
  }
}

const refusalOf = (url: string): Promise<unknown> => encryptionOf(url).then(() => 'let in', explainRefusal);

beforeAll(async () => {
  const owner = await Ledger.open({ url: secured.postgresUrl, name: 'secured-test' });
  await owner.rows(`create role ${GUEST.user} login password '${GUEST.password}'`);
  await owner.close();
});

test('sslmode=verify-full in the URL encrypts, which nothing but our own reading of it would do', async () => {
  expect(await encryptionOf(urlOf(secured.postgresUrl, GUEST))).toBe(true);
  expect(await encryptionOf(urlOf(secured.postgresUrl, { mode: 'disable' }))).toBe(false);
});

test.for<[wrong: string, url: string, said: RegExp]>([
  [
    'authority',
    urlOf(secured.postgresUrl, { ca: join(secured.certificates, 'other', 'ca.pem') }),
    /^PostgreSQL shows a certificate of an authority that is not trusted.*sslrootcert/,
  ],
  ['authority, one of the system', urlOf(secured.postgresUrl, { ca: 'system' }), /authority that is not trusted/],
  [
    'host name',
    urlOf(secured.postgresUrl, { host: 'localhost' }),
    /^PostgreSQL shows a certificate for another host name.*the database URL/,
  ],
  ['password', urlOf(secured.postgresUrl, { ...GUEST, password: 'no' }), /refuses the user or the password \(28P01\)/],
  ['user', urlOf(secured.postgresUrl, { ...GUEST, user: 'nobody' }), /refuses the user or the password \(28P01\)/],
  ['way in, one without TLS', urlOf(secured.postgresUrl, { ...GUEST, mode: '' }), /\(28000\).*sslmode=verify-full/],
])('the wrong %s is refused, and the error says what to do', async ([, url, said]) => {
  expect(await refusalOf(url)).toMatch(said);
});

test('an authority file that is replaced counts for the next connection, without a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-secured-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const ca = join(directory, 'ca.pem');
  copyFileSync(join(secured.certificates, 'other', 'ca.pem'), ca);
  const ledger = await Ledger.open({ url: urlOf(secured.postgresUrl, { ...GUEST, ca }), name: 'secured-test' });
  onTestFinished(() => ledger.close());
  await expect(ledger.rows('select 1')).rejects.toThrow();
  copyFileSync(CA, ca);
  expect(await ledger.rows('select 1 as one')).toEqual([{ one: 1 }]);
});

/** Another server: its certificate has expired, or it has none. */
async function otherServer(tls?: { readonly cert: string; readonly key: string }): Promise<PostgresServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-secured-'));
  const server = await startPostgres({ dataDir, ...(tls && { tls, hba: HBA }) });
  onTestFinished(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
  return server;
}

test('a server whose certificate has expired is refused', async () => {
  const { url } = await otherServer(makeCertificate(secured.certificates, 'late', '127.0.0.1', EXPIRED));
  expect(await refusalOf(urlOf(url, {}))).toMatch(/^PostgreSQL shows a certificate that has expired/);
});

test('a server without TLS is refused', async () => {
  const { url } = await otherServer();
  expect(await refusalOf(urlOf(url, {}))).toMatch(/^PostgreSQL does not speak TLS there/);
});

afterAll(async () => {
  const owner = await Ledger.open({ url: secured.postgresUrl, name: 'secured-test' });
  await owner.rows(`drop role ${GUEST.user}`);
  await owner.close();
});

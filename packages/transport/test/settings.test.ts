import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { databaseConnection, withAbsoluteFiles } from '../src/database.ts';
import { ALWAYS, checkKafkaSettings, databaseUrl, kafkaAccess, kafkaSettings } from '../src/settings.ts';

const SCRIPT = fileURLToPath(new URL('../../../deploy/tls/make-certificates.sh', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'gongji-transport-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string): string => join(directory, name);
execFileSync(SCRIPT, [directory, 'ours', 'localhost']);
execFileSync(SCRIPT, [directory, 'old', 'localhost', '20200101000000Z', '20200201000000Z']);
execFileSync(SCRIPT, [directory, 'young', 'localhost', '21000101000000Z', '21000201000000Z']);
writeFileSync(at('empty.pem'), '');
writeFileSync(at('damaged.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
writeFileSync(at('bundle.pem'), execFileSync('cat', [at('old.pem'), at('ca.pem')]));

const schema = z.object(kafkaSettings).superRefine(checkKafkaSettings, ALWAYS);
const problemsOf = (given: Record<string, string>): string[] =>
  schema.safeParse(given).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

const TLS = { GONGJI_KAFKA_TLS_CA: at('ca.pem') };
const SCRAM = {
  ...TLS,
  GONGJI_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  GONGJI_KAFKA_SASL_USERNAME: 'u',
  GONGJI_KAFKA_SASL_PASSWORD: 'p',
};
const TOKENS = {
  ...TLS,
  GONGJI_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
  GONGJI_KAFKA_OAUTH_TOKEN_URL: 'https://id.example/token',
  GONGJI_KAFKA_OAUTH_CLIENT_ID: 'c',
  GONGJI_KAFKA_OAUTH_CLIENT_SECRET: 's',
};
const CERT = { GONGJI_KAFKA_TLS_CERT: at('ours.pem'), GONGJI_KAFKA_TLS_KEY: at('ours.key') };

describe('the settings of Kafka', () => {
  test.for<[string, Record<string, string>]>([
    ['nothing', {}],
    ['TLS with an authority of one’s own', TLS],
    ['TLS with the authorities of Node', { GONGJI_KAFKA_TLS: '1' }],
    ['a bundle of authorities one of which has expired', { GONGJI_KAFKA_TLS_CA: at('bundle.pem') }],
    ['a certificate of our own', { ...TLS, ...CERT }],
    ['SCRAM', SCRAM],
    ['tokens', TOKENS],
    ['tokens with a scope', { ...TOKENS, GONGJI_KAFKA_OAUTH_SCOPE: 'kafka' }],
  ])('take %s', ([, given]) => {
    expect(problemsOf(given)).toEqual([]);
  });

  test.for<[string, Record<string, string>, string]>([
    [
      'a file that is not there',
      { GONGJI_KAFKA_TLS_CA: at('no.pem') },
      `GONGJI_KAFKA_TLS_CA: must be a file that can be used, and there is no file ${at('no.pem')}`,
    ],
    [
      'a directory',
      { GONGJI_KAFKA_TLS_CA: directory },
      `GONGJI_KAFKA_TLS_CA: must be a file that can be used, and ${directory} cannot be read (EISDIR)`,
    ],
    [
      'a file without a certificate',
      { GONGJI_KAFKA_TLS_CA: at('empty.pem') },
      `GONGJI_KAFKA_TLS_CA: must be a file that can be used, and ${at('empty.pem')} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`,
    ],
    [
      'a damaged certificate',
      { GONGJI_KAFKA_TLS_CA: at('damaged.pem') },
      `GONGJI_KAFKA_TLS_CA: must be a file that can be used, and ${at('damaged.pem')} holds a damaged certificate`,
    ],
    [
      'an expired certificate',
      { ...TLS, ...CERT, GONGJI_KAFKA_TLS_CERT: at('old.pem'), GONGJI_KAFKA_TLS_KEY: at('old.key') },
      `GONGJI_KAFKA_TLS_CERT: must be a file that can be used, and the certificate in ${at('old.pem')} expired on 2020-02-01: put a new one there`,
    ],
    [
      'a certificate of tomorrow',
      { ...TLS, GONGJI_KAFKA_TLS_CERT: at('young.pem'), GONGJI_KAFKA_TLS_KEY: at('young.key') },
      `GONGJI_KAFKA_TLS_CERT: must be a file that can be used, and the certificate in ${at('young.pem')} is valid from 2100-01-01 on only`,
    ],
    [
      'a key that is none',
      { ...TLS, ...CERT, GONGJI_KAFKA_TLS_KEY: at('ours.pem') },
      `GONGJI_KAFKA_TLS_KEY: must be a file that can be used, and ${at('ours.pem')} holds no private key in PEM without a passphrase`,
    ],
    [
      'the key of another certificate',
      { ...TLS, ...CERT, GONGJI_KAFKA_TLS_KEY: at('old.key') },
      'GONGJI_KAFKA_TLS_KEY: must be the key that GONGJI_KAFKA_TLS_CERT was made for',
    ],
    [
      'a certificate without its key',
      { ...TLS, GONGJI_KAFKA_TLS_CERT: at('ours.pem') },
      'GONGJI_KAFKA_TLS_KEY: must be set with GONGJI_KAFKA_TLS_CERT',
    ],
    [
      'files for no TLS',
      { ...TLS, GONGJI_KAFKA_TLS: '0' },
      'GONGJI_KAFKA_TLS_CA: must not be set where GONGJI_KAFKA_TLS is 0',
    ],
    [
      'a login without TLS',
      { ...SCRAM, GONGJI_KAFKA_TLS_CA: undefined as never },
      'GONGJI_KAFKA_SASL_MECHANISM: needs TLS: set GONGJI_KAFKA_TLS_CA, or GONGJI_KAFKA_TLS=1 for a public one',
    ],
    [
      'no password',
      { ...SCRAM, GONGJI_KAFKA_SASL_PASSWORD: undefined as never },
      'GONGJI_KAFKA_SASL_PASSWORD: must be set for SCRAM-SHA-512',
    ],
    [
      'a password for tokens',
      { ...TOKENS, GONGJI_KAFKA_SASL_PASSWORD: 'p' },
      'GONGJI_KAFKA_SASL_PASSWORD: is not for OAUTHBEARER',
    ],
    [
      'a user without a mechanism',
      { ...TLS, GONGJI_KAFKA_SASL_USERNAME: 'u' },
      'GONGJI_KAFKA_SASL_USERNAME: needs GONGJI_KAFKA_SASL_MECHANISM',
    ],
    [
      'tokens over plain HTTP',
      { ...TOKENS, GONGJI_KAFKA_OAUTH_TOKEN_URL: 'http://id.example/token' },
      'GONGJI_KAFKA_OAUTH_TOKEN_URL: must be an https:// URL, or http://127.0.0.1 for a test',
    ],
    [
      'an unknown mechanism',
      { ...TLS, GONGJI_KAFKA_SASL_MECHANISM: 'GSSAPI' },
      'GONGJI_KAFKA_SASL_MECHANISM: must be SCRAM-SHA-512, OAUTHBEARER or PLAIN',
    ],
  ])('refuse %s, and say so', ([, given, problem]) => {
    expect(problemsOf(given)).toEqual([problem]);
  });

  test('tell a wrong file and a missing password at once', () => {
    const given = { ...SCRAM, GONGJI_KAFKA_TLS_CA: at('no.pem'), GONGJI_KAFKA_SASL_PASSWORD: undefined };
    expect(schema.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual([
      'GONGJI_KAFKA_TLS_CA',
      'GONGJI_KAFKA_SASL_PASSWORD',
    ]);
  });

  test('become what the client takes, and files that go away count as they were', () => {
    const ca = at('moving.pem');
    writeFileSync(ca, execFileSync('cat', [at('ca.pem')]));
    const { ssl, sasl } = kafkaAccess(schema.parse({ ...SCRAM, GONGJI_KAFKA_TLS_CA: ca }));
    expect(sasl).toEqual({ mechanism: 'scram-sha-512', username: 'u', password: 'p' });
    const before = { ...ssl };
    rmSync(ca);
    expect({ ...ssl }).toEqual(before);
    writeFileSync(ca, 'new');
    expect({ ...ssl }).toEqual({ ca: 'new' });
    expect(kafkaAccess({})).toEqual({});
  });
});

describe('a database URL', () => {
  const BASE = 'postgresql://u:p@db.example/gongji';
  const problemOf = (url: string) =>
    databaseUrl()
      .safeParse(url)
      .error?.issues.map(({ message }) => message) ?? [];

  test.for([
    BASE,
    `${BASE}?sslmode=disable`,
    `${BASE}?sslmode=verify-full`,
    `${BASE}?sslmode=verify-full&sslrootcert=system`,
    `${BASE}?sslmode=verify-full&sslrootcert=${at('ca.pem')}&sslcert=${at('ours.pem')}&sslkey=${at('ours.key')}`,
  ])('may be %s', (url) => {
    expect(problemOf(url)).toEqual([]);
  });

  test.for([
    ['mysql://u:p@db.example/gongji', 'must be a postgresql:// URL'],
    ['nonsense', 'must be a postgresql:// URL'],
    [`${BASE}?sslmode=require`, 'must have sslmode=verify-full, or disable'],
    [`${BASE}?sslmode=disable&sslmode=verify-full`, 'has sslmode more than once'],
    [`${BASE}?sslmode=no-verify`, 'must have sslmode=verify-full, or disable'],
    [`${BASE}?sslrootcert=${at('ca.pem')}`, 'has sslrootcert, which needs sslmode=verify-full'],
    [`${BASE}?ssl=true`, 'has ssl, which is not understood: write sslmode=verify-full and sslrootcert'],
    [
      `${BASE}?uselibpqcompat=true`,
      'has uselibpqcompat, which is not understood: write sslmode=verify-full and sslrootcert',
    ],
    [`${BASE}?sslmode=verify-full&sslrootcert=${at('no.pem')}`, `there is no file ${at('no.pem')}`],
    [`${BASE}?sslmode=verify-full&sslcert=${at('ours.pem')}`, 'must have both sslcert and sslkey, or neither'],
  ] as const)('may not be %s', ([url, problem]) => {
    expect(problemOf(url)).toEqual([problem]);
  });

  test('keeps what is not about TLS, and hands over the rest', () => {
    const url = `${BASE}?sslmode=verify-full&sslrootcert=${at('ca.pem')}&connect_timeout=3`;
    const { connectionString, ssl } = databaseConnection(url);
    expect(connectionString).toBe(`${BASE}?connect_timeout=3`);
    expect(ssl).toMatchObject({ host: 'db.example', ca: expect.stringContaining('BEGIN CERTIFICATE') });
    expect(databaseConnection(BASE)).toEqual({ connectionString: BASE });
    expect(() => databaseConnection(`${BASE}?sslmode=require`)).toThrow('the database URL must have');
  });

  test('a URL for a process in another folder names its files as seen from this one', () => {
    const url = withAbsoluteFiles(`${BASE}?sslmode=verify-full&sslrootcert=ca.pem&sslcert=/own.pem&sslkey=../own.key`);
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({
      sslmode: 'verify-full',
      sslrootcert: join(process.cwd(), 'ca.pem'),
      sslcert: '/own.pem',
      sslkey: join(process.cwd(), '../own.key'),
    });
    for (const same of [BASE, `${BASE}?sslmode=verify-full&sslrootcert=system`, 'no URL'])
      expect(withAbsoluteFiles(same)).toBe(same);
  });
});

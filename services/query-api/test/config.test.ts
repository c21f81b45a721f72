import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const GIVEN = { GONGJI_KAFKA_BROKERS: '127.0.0.1:9092', GONGJI_DATABASE_URL: 'postgresql://owner:secret@db/gongji' };
const problemsOf = (env: NodeJS.ProcessEnv) => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as { problems: string[] }).problems;
  }
};

test('the owner’s URL and a reader’s are both used as the reader role, and neither is shown', () => {
  const { database, host, port, adminPort, oidc, shown } = readConfig(GIVEN);
  expect({ host, port, adminPort, oidc }).toEqual({ host: '127.0.0.1', port: 8080, adminPort: undefined, oidc: null });
  expect(database).toEqual({ url: GIVEN.GONGJI_DATABASE_URL, role: 'gongji_reader' });
  expect(readConfig({ ...GIVEN, GONGJI_DATABASE_URL_READER: 'postgresql://reader@db/gongji' }).database).toEqual({
    url: 'postgresql://reader@db/gongji',
    role: 'gongji_reader',
  });
  expect(JSON.stringify(shown)).not.toContain('secret@');
});

test('only 127.0.0.1 is open without an issuer', () => {
  const problem = 'GONGJI_HTTP_HOST: must be 127.0.0.1 unless GONGJI_OIDC_ISSUER is set';
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost']) {
    expect(problemsOf({ ...GIVEN, GONGJI_HTTP_HOST: host })).toEqual([problem]);
    expect(problemsOf({ ...GIVEN, GONGJI_HTTP_HOST: host, GONGJI_OIDC_ISSUER: 'https://id.example/realm' })).toEqual(
      [],
    );
  }
});

test('an issuer whose keys could be forged on the way is refused', () => {
  const problem = 'GONGJI_OIDC_ISSUER: must be an https:// URL, or http://127.0.0.1 for a test';
  for (const issuer of ['http://id.example', 'id.example', 'http://127.0.0.1.example']) {
    expect(problemsOf({ ...GIVEN, GONGJI_OIDC_ISSUER: issuer })).toEqual([problem]);
  }
  expect(problemsOf({ ...GIVEN, GONGJI_OIDC_ISSUER: 'http://127.0.0.1:9999' })).toEqual([]);
});

test('settings that are missing are told by name', () => {
  expect(problemsOf({ GONGJI_KAFKA_BROKERS: '127.0.0.1:9092' })).toEqual([
    'GONGJI_DATABASE_URL: must be set, or GONGJI_DATABASE_URL_READER',
  ]);
});

test('claims have their own names unless an issuer forces others', () => {
  const issuer = { ...GIVEN, GONGJI_OIDC_ISSUER: 'https://id.example' };
  expect(readConfig(issuer).oidc).toEqual({
    issuer: 'https://id.example',
    audience: 'gongji',
    claims: { scope: 'scope', person: 'psn_no', institution: 'fixmedins_code', region: 'insu_admdvs' },
  });
  const named = { GONGJI_OIDC_CLAIM_SCOPE: 'scp', GONGJI_OIDC_CLAIM_PERSON: 'https://id.example/psn' };
  expect(readConfig({ ...issuer, ...named }).oidc?.claims).toMatchObject({
    scope: 'scp',
    person: 'https://id.example/psn',
  });
});

test('requests are counted where there is an issuer, and elsewhere only when told', () => {
  const limitOf = (env: NodeJS.ProcessEnv) => readConfig({ ...GIVEN, ...env }).requestsPerMinuteMax;
  expect(limitOf({})).toBeUndefined();
  expect(limitOf({ GONGJI_RATE_LIMIT_PER_MINUTE: '30' })).toBe(30);
  const issuer = { GONGJI_OIDC_ISSUER: 'https://id.example' };
  expect(limitOf(issuer)).toBe(1_200);
  expect(limitOf({ ...issuer, GONGJI_RATE_LIMIT_PER_MINUTE: '0' })).toBeUndefined();
});

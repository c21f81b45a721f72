import { join } from 'node:path';
import { withAbsoluteFiles } from '@repo/transport';
import { expect, test } from 'vitest';
import { readSettings } from '../src/config.ts';
import { apart } from '../src/demo/system.ts';
import { environmentFor } from '../src/system/system.ts';

const OWN = { kafkaBrokers: ['own:9092'], databaseUrl: 'postgresql://own/gongji' };
const NONE = { kafkaBrokers: undefined, databaseUrl: undefined };
const servers = { kafka: '127.0.0.1:1', postgresUrl: 'postgresql://127.0.0.1:2/gongji' };
const environment = {
  PATH: '/bin',
  GONGJI_KAFKA_TLS_CA: '/own/ca.pem',
  GONGJI_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  GONGJI_DATABASE_URL_WORKER: 'postgresql://worker@own/gongji',
  GONGJI_DATABASE_URL_OPERATOR: 'postgresql://operator@own/gongji',
};

test('services are told how one’s own servers are reached only where these are used', () => {
  const settings = { ...readSettings(), environment };
  expect(environmentFor({ ...settings, ...OWN }, servers)).toMatchObject(environment);
  const here = environmentFor({ ...settings, ...NONE }, servers);
  expect(here).toMatchObject({
    PATH: '/bin',
    GONGJI_KAFKA_BROKERS: servers.kafka,
    GONGJI_KAFKA_TLS_CA: '',
    GONGJI_KAFKA_SASL_MECHANISM: '',
    GONGJI_DATABASE_URL: servers.postgresUrl,
    GONGJI_DATABASE_URL_WORKER: '',
    GONGJI_DATABASE_URL_READER: '',
    GONGJI_DATABASE_URL_OPERATOR: '',
  });
});

test('services are told the paths in settings as seen from the folder in which they were set', () => {
  const paths = {
    GONGJI_POLICY_DIR: 'packs',
    GONGJI_CONSOLE_DIR: './pages',
    GONGJI_KAFKA_TLS_CA: '../ca.pem',
    GONGJI_KAFKA_TLS_CERT: '/own/cert.pem',
    GONGJI_KAFKA_TLS_KEY: '',
    GONGJI_DATABASE_URL_READER: 'postgresql://own/gongji?sslrootcert=ca.pem',
  };
  const own = { kafka: 'own:9092', postgresUrl: 'postgresql://own/gongji?sslrootcert=../ca.pem' };
  const told = environmentFor({ ...readSettings(), ...OWN, environment: paths }, own);
  expect(told).toMatchObject({
    GONGJI_POLICY_DIR: join(process.cwd(), 'packs'),
    GONGJI_CONSOLE_DIR: join(process.cwd(), 'pages'),
    GONGJI_KAFKA_TLS_CA: join(process.cwd(), '../ca.pem'),
    GONGJI_KAFKA_TLS_CERT: '/own/cert.pem',
    GONGJI_KAFKA_TLS_KEY: '',
    GONGJI_DATABASE_URL: withAbsoluteFiles(own.postgresUrl),
    GONGJI_DATABASE_URL_READER: withAbsoluteFiles(paths.GONGJI_DATABASE_URL_READER),
  });
});

test('a demo takes over nothing that its user has set for a system of their own', () => {
  const set = { ...environment, GONGJI_HTTP_HOST: '0.0.0.0', GONGJI_OIDC_CLIENT_ID: 'console' };
  const { environment: left, ...settings } = apart({ ...readSettings(), ...OWN, environment: set }, '/demo');
  expect(settings).toMatchObject({ ...NONE, dataDir: '/demo', httpPort: 0 });
  expect(left.PATH).toBe('/bin');
  for (const name of [...Object.keys(set), 'GONGJI_OIDC_ISSUER', 'GONGJI_POLICY_DIR'])
    if (name !== 'PATH') expect(left[name], name).toBe('');
});

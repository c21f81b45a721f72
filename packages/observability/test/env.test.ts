import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ConfigurationError, readEnv, setting } from '../src/index.ts';

const schema = z.object({
  GONGJI_KAFKA_BROKERS: setting.hostPorts(),
  GONGJI_DATABASE_URL: setting.secret(),
  GONGJI_DATABASE_URL_READER: setting.secret().optional(),
  GONGJI_ADMIN_PORT: setting.port().default(0),
  GONGJI_NHSA_OUTPUT: setting.flag().default(false),
  GONGJI_LOCK_TIMEOUT_MS: setting.integer({ min: 1, max: 60_000 }).default(500),
});
const complete = { GONGJI_KAFKA_BROKERS: '127.0.0.1:9092,b:1', GONGJI_DATABASE_URL: 'postgres://u:hunter2@h/d' };

test('texts become typed settings, and an empty text counts as absent', () => {
  const given = { GONGJI_ADMIN_PORT: '', GONGJI_NHSA_OUTPUT: '1', GONGJI_LOCK_TIMEOUT_MS: '250' };
  const { settings } = readEnv(schema, { env: { ...complete, ...given } });
  expect(settings).toMatchObject({
    GONGJI_KAFKA_BROKERS: ['127.0.0.1:9092', 'b:1'],
    GONGJI_ADMIN_PORT: 0,
    GONGJI_NHSA_OUTPUT: true,
    GONGJI_LOCK_TIMEOUT_MS: 250,
  });
});

test('all problems are reported together, without the values', () => {
  const env = {
    GONGJI_DATABASE_URL: '',
    GONGJI_KAFKA_BROKERS: 'hunter2',
    GONGJI_ADMIN_PORT: '70000',
    GONGJI_NHSA_OUTPUT: 'yes',
    GONGJI_LOCK_TIMEOUT_MS: '1.5',
  };
  const read = () => readEnv(schema, { env });
  expect(read).toThrow(ConfigurationError);
  expect(read).toThrow(
    /GONGJI_KAFKA_BROKERS.*\n.*GONGJI_DATABASE_URL.*\n.*GONGJI_ADMIN_PORT.*\n.*GONGJI_NHSA_OUTPUT.*\n.*GONGJI_LOCK_TIMEOUT_MS/,
  );
  expect(read).not.toThrow(/hunter2|70000/);
});

test('secrets are hidden in what may be shown, also behind a default or an optional', () => {
  const { shown } = readEnv(schema, { env: { ...complete, GONGJI_DATABASE_URL_READER: 'postgres://r:hunter3@h/d' } });
  expect(shown).toEqual({
    GONGJI_KAFKA_BROKERS: '127.0.0.1:9092,b:1',
    GONGJI_DATABASE_URL: '[secret]',
    GONGJI_DATABASE_URL_READER: '[secret]',
    GONGJI_ADMIN_PORT: '0',
    GONGJI_NHSA_OUTPUT: 'false',
    GONGJI_LOCK_TIMEOUT_MS: '500',
  });
});

test('a .env file fills what the environment lacks, and need not exist', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gongji-env-'));
  const file = join(folder, '.env');
  const names = ['GONGJI_TEST_GIVEN', 'GONGJI_TEST_FILED'] as const;
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
    for (const name of names) delete process.env[name];
  });
  const own = z.object({ GONGJI_TEST_GIVEN: z.string(), GONGJI_TEST_FILED: z.string().optional() });
  process.env.GONGJI_TEST_GIVEN = 'environment';
  expect(readEnv(own, { file }).settings).toEqual({ GONGJI_TEST_GIVEN: 'environment' });
  writeFileSync(file, 'GONGJI_TEST_GIVEN=file\nGONGJI_TEST_FILED=file\n');
  expect(readEnv(own, { file }).settings).toEqual({ GONGJI_TEST_GIVEN: 'environment', GONGJI_TEST_FILED: 'file' });
});

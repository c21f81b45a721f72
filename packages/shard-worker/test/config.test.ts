import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@repo/observability';
import { makeKeyFile } from '@repo/sealing';
import { afterAll, expect, test } from 'vitest';
import { readWorkerConfig } from '../src/config.ts';

const dir = mkdtempSync(join(tmpdir(), 'gongji-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const GIVEN = { GONGJI_KAFKA_BROKERS: '127.0.0.1:9092', GONGJI_DATABASE_URL: 'postgresql://owner:secret@db/gongji' };

test.for([
  ['without a file of envelope keys', undefined, /must name a file that holds a key .*openssl rand -base64 32/],
  ['with one that is not there', join(dir, 'nowhere'), /there is none: make one with .*openssl rand -base64 32/],
] as const)('a worker does not start %s, and says how to make one', ([, file, expected]) => {
  let problems: readonly string[] = [];
  try {
    readWorkerConfig({ ...GIVEN, GONGJI_ENVELOPE_KEY_FILE: file });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    ({ problems } = error as ConfigurationError);
  }
  expect(problems).toEqual([expect.stringMatching(/^GONGJI_ENVELOPE_KEY_FILE: /)]);
  expect(problems[0]).toMatch(expected);
});

test('it takes the file that is there, and shows its place alone', () => {
  const file = join(dir, 'envelope.keys');
  makeKeyFile(file);
  const { envelopeKeyFile, shown } = readWorkerConfig({ ...GIVEN, GONGJI_ENVELOPE_KEY_FILE: file });
  expect([envelopeKeyFile, shown.GONGJI_ENVELOPE_KEY_FILE]).toEqual([file, file]);
});

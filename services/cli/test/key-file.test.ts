import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKey } from '@repo/sealing';
import { afterAll, expect, test } from 'vitest';
import { keysAtHand, provideKeyFile } from '../src/system/key-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'gongji-key-file-'));
afterAll(() => rmSync(dir, { recursive: true }));

const PLACE = { topic: 'g.claims.v1', partition: 0, offset: 7n };
const CONTENT = { headers: [], value: Buffer.from('x') };

test('a system makes keys in its data directory once, which commands in it find', () => {
  const given = { dataDir: join(dir, 'data') };
  expect(keysAtHand(given)).toBeNull();
  const path = provideKeyFile(given);
  expect([path, statSync(path).mode & 0o777]).toEqual([join(dir, 'data', 'envelope.keys'), 0o600]);
  const made = readFileSync(path, 'utf8');
  const sealed = keysAtHand(given)?.seal(PLACE, CONTENT);
  expect(provideKeyFile(given)).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe(made);
  expect(sealed && keysAtHand(given)?.open(PLACE, sealed)).toEqual(CONTENT);
});

test('keys that are set come first, and none are made', () => {
  const envelopeKeyFile = join(dir, 'set.keys');
  writeFileSync(envelopeKeyFile, newKey());
  const given = { envelopeKeyFile, dataDir: join(dir, 'other') };
  expect(provideKeyFile(given)).toBe(envelopeKeyFile);
  expect(keysAtHand({ ...given, dataDir: join(dir, 'data') })).not.toBeNull();
  expect(keysAtHand({ dataDir: given.dataDir })).toBeNull();
});

test('keys that cannot be made are told with the directory, and what to do', () => {
  const file = join(dir, 'file');
  writeFileSync(file, '');
  expect(() => provideKeyFile({ dataDir: join(file, 'data') })).toThrow(
    /Cannot use .*file.data.*choose another directory with GONGJI_DATA_DIR/,
  );
});

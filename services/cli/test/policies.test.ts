import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SERVICES } from '../src/system/services.ts';

const SERVICES_DIR = join(import.meta.dirname, '../..');
const COUNT = 60;
const folder = mkdtempSync(join(tmpdir(), 'gongji-policies-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const keys = join(folder, 'envelope.keys');
writeFileSync(keys, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
const long = 'a'.repeat(400);
const files = Array.from({ length: COUNT }, (_, at) => join(folder, `33${String(at).padStart(2, '0')}00.json`));
for (const file of files)
  writeFileSync(
    file,
    JSON.stringify({ regionCode: '330100', effectiveFrom: '2026-01-01', effectiveTo: null, [long]: '1' }),
  );

/** What a process prints that is told to use the folder, and its exit code. */
function ended(main: string, ...args: string[]) {
  const env = {
    ...process.env,
    GONGJI_POLICY_DIR: folder,
    GONGJI_DATA_DIR: join(folder, 'data'),
    GONGJI_KAFKA_BROKERS: '127.0.0.1:1',
    GONGJI_DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d',
    GONGJI_ENVELOPE_KEY_FILE: keys,
  };
  return spawnSync(process.execPath, [join(SERVICES_DIR, main), ...args], { env, encoding: 'utf8' });
}

test('a start lists every problem of the policy files in full, before any server is started', () => {
  const { status, stdout, stderr } = ended('cli/src/main.ts', 'start');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  for (const file of files) expect(lines.filter((line) => line.startsWith(`${file}:`)).length).toBeGreaterThan(0);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test.each(SERVICES)('%s lists the same problems on standard error, and ends', (service) => {
  const { status, stdout, stderr } = ended(`${service}/src/main.ts`);
  expect(status).toBe(1);
  expect(stderr).toBe(ended('cli/src/main.ts', 'start').stderr);
  expect(stdout).toContain('the policy files cannot be used: standard error lists every problem');
});

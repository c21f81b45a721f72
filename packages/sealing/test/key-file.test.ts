import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Envelopes, keyFileSetting, makeKeyFile, newKey } from '../src/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'gongji-sealing-'));
afterAll(() => rmSync(dir, { recursive: true }));

const PLACE = { topic: 't', partition: 0, offset: 1n };
const CONTENT = { headers: [], value: Buffer.from('x') };

function fileOf(text: string): string {
  const path = join(dir, `${Math.random()}`);
  writeFileSync(path, text);
  return path;
}

function problemOf(path: string | undefined): string | undefined {
  const { error } = keyFileSetting().safeParse(path);
  return error?.issues.map(({ message }) => message).join();
}

test('a file is made once, for its owner alone', () => {
  const path = join(dir, 'new', 'envelope.keys');
  makeKeyFile(path);
  const made = readFileSync(path, 'utf8');
  expect(made).toMatch(/^[\w+/]{43}=\n$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  makeKeyFile(path);
  expect(readFileSync(path, 'utf8')).toBe(made);
  expect(problemOf(path)).toBeUndefined();
});

test('a file that could not be written is not there half', () => {
  const path = join(dir, 'full', 'envelope.keys');
  const module = JSON.stringify(new URL('../src/index.ts', import.meta.url).href);
  // A process that may write no byte to any file, as on a full disk.
  const source = `const { makeKeyFile } = await import(${module}); makeKeyFile(${JSON.stringify(path)});`;
  const { status } = spawnSync('sh', [
    '-c',
    'ulimit -f 0; exec "$0" --input-type=module --eval "$1"',
    process.execPath,
    source,
  ]);
  expect(status).not.toBe(0);
  expect(existsSync(path)).toBe(false);
  makeKeyFile(path);
  expect(problemOf(path)).toBeUndefined();
});

test('lines are trimmed, and empty ones are none', () => {
  const [one, two] = [newKey(), newKey()];
  const keys = Envelopes.read(fileOf(`\r\n  ${one}\r\n\n${two}`));
  expect(Envelopes.of(one).open(PLACE, keys.seal(PLACE, CONTENT))).toEqual(CONTENT);
  expect(keys.open(PLACE, Envelopes.of(two).seal(PLACE, CONTENT))).toEqual(CONTENT);
});

test.for<[string, () => string | undefined, RegExp]>([
  ['no setting', () => undefined, /^must name a file .* openssl rand -base64 32/],
  ['no file', () => join(dir, 'nowhere'), /there is none: make one with .*openssl rand -base64 32/],
  ['a folder', () => dir, /cannot be read \(EISDIR\)/],
  ['an empty file', () => fileOf('\n'), /and holds 0: make one with/],
  ['a short key', () => fileOf(`${newKey()}\nc2hvcnQ=\n`), /^must hold a key of 32 bytes in base64.*: line 2 is none$/],
  ['no base64', () => fileOf(`${newKey().slice(0, -2)}!=`), /line 1 is none$/],
  ['more keys than anybody turns over', () => fileOf(`${newKey()}\n`.repeat(101)), /1 to 100 of them, and holds 101/],
])('%s is refused, and told without a part of a key', ([, path, expected]) => {
  const given = path();
  const problem = problemOf(given);
  expect(problem).toMatch(expected);
  if (given === undefined || given === dir || given.endsWith('nowhere')) return;
  for (const line of readFileSync(given, 'utf8').split('\n').filter(Boolean)) expect(problem).not.toContain(line);
});

test('a key that is added while a process runs is found when something needs it', () => {
  const [first, added] = [newKey(), newKey()];
  const path = fileOf(first);
  const running = Envelopes.read(path);
  const sealed = Envelopes.of(added, first).seal(PLACE, CONTENT);
  expect(() => running.open(PLACE, sealed)).toThrow('in the file that GONGJI_ENVELOPE_KEY_FILE names');
  writeFileSync(path, `${added}\n${first}\n`);
  expect(running.open(PLACE, sealed)).toEqual(CONTENT);
  // A file that is damaged later takes no key from a process that has read it.
  writeFileSync(path, 'x');
  expect(running.open(PLACE, sealed)).toEqual(CONTENT);
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('./standard-output.fixture.ts', import.meta.url));

/** A program that has logged so many lines to a file. */
async function logged(lines: number, file: number) {
  const child = spawn(process.execPath, [FIXTURE, String(lines)], { stdio: ['ignore', file, 'pipe', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stderr === null) throw new Error('there is no pipe');
  await once(child.stderr, 'data');
  return child;
}

test('a full disk neither ends a service nor holds it up', async () => {
  const file = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(file));
  const child = await logged(1_000, file);
  child.send('go on');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a reader that stands still costs lines, whose number is told once there is room again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-output-'));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  onTestFinished(() => {
    closeSync(reader);
    closeSync(writer);
    rmSync(directory, { recursive: true });
  });
  const child = await logged(2_000, writer);
  const before = drain(reader);
  child.send('go on');
  await once(child, 'exit');
  const lines = `${before}${drain(reader)}`.trim().split('\n');
  const [note, last] = lines.splice(-2).map((line) => JSON.parse(line));
  expect(note).toEqual({ level: 'warn', message: 'log lines were lost', count: 2_001 - lines.length });
  expect(last).toMatchObject({ message: 'there is room again' });
  expect(lines.map((line) => JSON.parse(line).count)).toEqual(lines.map((_, index) => index));
});

/** All that a pipe holds now. */
function drain(pipe: number): string {
  const buffer = Buffer.alloc(1 << 16);
  let held = '';
  for (;;)
    try {
      held += buffer.toString('utf8', 0, readSync(pipe, buffer));
    } catch {
      return held;
    }
}

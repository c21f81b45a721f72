import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** A directory that goes away after the test. */
export function tempDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gongji-embedded-test-'));
  chmodSync(directory, 0o755);
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The import of a module under test, for a program that is run from a text. */
export const importing = (names: string, module: string): string =>
  `import { ${names} } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '..', 'src', module)).href)};`;

/** Runs a program with this Node and waits for its first line of output. It is killed after the test. */
export async function runProgram(source: string): Promise<{ readonly process: ChildProcess; readonly line: string }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
    child.once('exit', (code) => reject(new Error(`the program ended with ${code} and said nothing`)));
  });
  return { process: child, line };
}

/** Writes a program for /bin/sh; answers its path. */
export function script(path: string, body: string): string {
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Settles when the process is gone, however it ended. */
export const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once('exit', () => resolve()));

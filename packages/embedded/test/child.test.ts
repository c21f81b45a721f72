import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ChildOptions, startChild, stopLeftovers } from '../src/child.ts';
import { processesIn, processStamp } from '../src/process-table.ts';
import { waitFor } from '../src/wait.ts';
import { ended, importing, runProgram, tempDir } from './fixtures.ts';

const stopSteps = [{ signal: 'SIGTERM', withinMs: 200 }] as const;
const STUBBORN = 'trap "" TERM; echo up; while :; do sleep 0.05; done';

const startShell = (directory: string, body: string, over: Partial<ChildOptions> = {}) =>
  startChild({
    name: 'sh',
    command: '/bin/sh',
    args: ['-c', body],
    runDir: directory,
    logFile: join(directory, 'log'),
    stopSteps,
    ...over,
  });

/** A program that starts a child in `directory`, prints the child's pid, and then does what `then` says. */
const parentOf = (directory: string, then: string): string => `
${importing('startChild', 'child.ts')}
const child = await startChild({ name: 'sleep', command: 'sleep', args: ['600'], runDir: ${JSON.stringify(directory)},
  logFile: ${JSON.stringify(join(directory, 'log'))}, stopSteps: [{ signal: 'SIGTERM', withinMs: 1000 }] });
console.log(child.pid);
${then}`;

const killAfterwards = (pid: number): void =>
  onTestFinished(() => void (processStamp(pid) && process.kill(pid, 'SIGKILL')));

test('a child has a session of its own, so that Ctrl-C in the terminal does not reach it', async () => {
  const child = await startShell(tempDir(), 'exec sleep 600');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  expect([group, session]).toEqual([String(child.pid), String(child.pid)]);
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
});

test('a child that does not follow SIGTERM is killed', async () => {
  const directory = tempDir();
  const child = await startShell(directory, STUBBORN);
  await waitFor(() => readFileSync(join(directory, 'log'), 'utf8') === 'up\n', 5_000);
  expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  expect(processStamp(child.pid)).toBeUndefined();
});

test('a program that does not exist is a clear failure', async () => {
  const directory = tempDir();
  const options = {
    name: 'x',
    command: '/nowhere/x',
    args: [],
    runDir: directory,
    logFile: join(directory, 'log'),
    stopSteps,
  };
  await expect(startChild(options)).rejects.toThrow('Cannot run /nowhere/x');
});

test('a child that cannot be recorded, as on a full disk, is not left running', async () => {
  const directory = tempDir();
  mkdirSync(join(directory, 'sh.json'));
  await expect(startShell(directory, 'exec sleep 600', { cwd: directory })).rejects.toThrow('EISDIR');
  for (const program of ['sh', 'sleep']) expect(processesIn(directory, program)).toEqual([]);
});

test('of those who stand in a directory only the processes of one program are found', async () => {
  const directory = tempDir();
  const child = await startShell(tempDir(), 'exec sleep 600', { cwd: directory });
  expect(await waitFor(() => processesIn(directory, 'sleep').includes(child.pid), 5_000)).toBe(true);
  expect(processesIn(directory, 'postgres')).toEqual([]);
  await child.stop();
});

test('a child ends when its parent exits, even by an error nobody handles', async () => {
  const { process: parent, line } = await runProgram(parentOf(tempDir(), 'setTimeout(() => process.exit(3), 50);'));
  killAfterwards(Number(line));
  await ended(parent);
  expect(await waitFor(() => processStamp(Number(line)) === undefined, 5_000)).toBe(true);
});

test('a child left by a parent that was killed is ended by the next start', async () => {
  const directory = tempDir();
  const { process: parent, line } = await runProgram(parentOf(directory, 'setInterval(() => {}, 1000);'));
  const pid = Number(line);
  killAfterwards(pid);
  parent.kill('SIGKILL');
  await ended(parent);
  expect(processStamp(pid)).toBeDefined();
  expect(await stopLeftovers(directory)).toEqual(['sleep']);
  expect(processStamp(pid)).toBeUndefined();
  expect(await stopLeftovers(directory)).toEqual([]);
});

test('a process that merely got the pid of a dead one is left alone', async () => {
  const directory = tempDir();
  const other = await startShell(tempDir(), 'exec sleep 600');
  writeFileSync(join(directory, 'old.json'), JSON.stringify({ pid: other.pid, stamp: 'an earlier one', stopSteps }));
  expect(await stopLeftovers(directory)).toEqual([]);
  expect(processStamp(other.pid)).toBeDefined();
  await other.stop();
});

const logLimits = { bytesMax: 10_000, lookEveryMs: 20 };

test('a log that was too long before its child started is set aside', async () => {
  const directory = tempDir();
  const log = join(directory, 'log');
  writeFileSync(log, 'before\n'.repeat(2_000));
  const child = await startShell(directory, 'exec sleep 600', { logLimits });
  killAfterwards(child.pid);
  expect(await waitFor(() => existsSync(`${log}.1`) && statSync(log).size === 0, 30_000)).toBe(true);
  await child.stop();
  expect(readFileSync(`${log}.1`, 'utf8')).toBe('before\n'.repeat(2_000));
});

test('a log that grows too long while its child runs is set aside and begun anew, time and again', async () => {
  const directory = tempDir();
  const log = join(directory, 'log');
  const child = await startShell(directory, 'while :; do echo 0123456789; done', { logLimits });
  killAfterwards(child.pid);
  const madeAt = () => statSync(`${log}.1`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  for (let round = 0; round < 3; round++) {
    const before = madeAt();
    expect(await waitFor(() => madeAt() > before, 30_000)).toBe(true);
  }
  await child.stop();
  // One that was under way when the child ended goes on to its end.
  const isWhole = (file: string) =>
    existsSync(file) && readFileSync(file, 'utf8').replaceAll('0123456789\n', '') === '';
  expect(await waitFor(() => [log, `${log}.1`].every(isWhole), 10_000)).toBe(true);
  expect(statSync(log).size).toBeLessThan(1_000_000);
});

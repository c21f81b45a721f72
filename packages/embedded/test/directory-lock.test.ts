import { expect, test } from 'vitest';
import { lastLockTaker, lockDirectory } from '../src/directory-lock.ts';
import { ended, importing, runProgram, tempDir } from './fixtures.ts';

const holderOf = (directory: string): string => `
${importing('lockDirectory', 'directory-lock.ts')}
const lock = lockDirectory(${JSON.stringify(directory)});
console.log(lock === undefined ? 'refused' : 'taken');
setInterval(() => lock, 1000);`;

test('one process has the lock, and another is told which', async () => {
  const directory = tempDir();
  const { process: holder, line } = await runProgram(holderOf(directory));
  expect(line).toBe('taken');
  expect(lockDirectory(directory)).toBeUndefined();
  expect(lastLockTaker(directory)).toBe(String(holder.pid));
});

test('the lock of a process that was killed is free', async () => {
  const directory = tempDir();
  const { process: holder } = await runProgram(holderOf(directory));
  holder.kill('SIGKILL');
  await ended(holder);
  const lock = lockDirectory(directory);
  expect(lock).toBeDefined();
  lock?.release();
});

test('a released lock can be taken again, and within one process it is exclusive too', () => {
  const directory = tempDir();
  const first = lockDirectory(directory);
  expect(lockDirectory(directory)).toBeUndefined();
  first?.release();
  const second = lockDirectory(directory);
  expect(second).toBeDefined();
  second?.release();
});

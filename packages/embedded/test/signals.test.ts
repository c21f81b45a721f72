import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { processStamp } from '../src/process-table.ts';
import { waitFor } from '../src/wait.ts';
import { ended, importing, runProgram } from './fixtures.ts';

const PROGRAM = `
${importing('onStopRequest', 'signals.ts')}
onStopRequest({ stop: () => {}, stopAtOnce: () => process.exit(7) });
console.log(process.pid);
setInterval(() => {}, 1000);`;

test('a signal that npm repeats is one request, and one that comes later is a second', async () => {
  const { process: program } = await runProgram(PROGRAM);
  const exit = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGINT');
  program.kill('SIGINT');
  let code: unknown;
  void exit.then((value) => {
    code = value;
  });
  // Repeats within a second are ignored; asking on, sooner or later one is a second request.
  const began = performance.now();
  await waitFor(() => program.kill('SIGINT') === false || code !== undefined, 5_000, 100);
  await exit;
  expect(code).toBe(7);
  expect(performance.now() - began).toBeGreaterThan(800);
});

test('under npm, the death of the shell between us and npm is a request to stop', async () => {
  const stopping = PROGRAM.replace('stop: () => {}', 'stop: () => process.exit(0)');
  const env = { ...process.env, npm_lifecycle_event: 'start', PROGRAM: stopping };
  const shell = spawn(
    '/bin/sh',
    ['-c', `"${process.execPath}" --input-type=module-typescript --eval "$PROGRAM"; true`],
    {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const pid = await new Promise<number>((resolve) => shell.stdout.once('data', (line) => resolve(Number(line))));
  onTestFinished(() => void (processStamp(pid) && process.kill(pid, 'SIGKILL')));
  shell.kill('SIGTERM');
  await ended(shell);
  expect(await waitFor(() => processStamp(pid) === undefined, 5_000)).toBe(true);
});

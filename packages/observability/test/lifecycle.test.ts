import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { failpointFrom } from '../src/index.ts';
import { SERVICE_LIMITS } from '../src/lifecycle.ts';

/** Runs the fixture as a process of its own and collects what it says. */
function run(mode: string, env: NodeJS.ProcessEnv = {}) {
  const child = fork(new URL('lifecycle.fixture.ts', import.meta.url), [mode], {
    silent: true,
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  // Not 'close', which does not come once the IPC channel was closed from this side.
  const ended = Promise.all([
    once(child, 'exit'),
    once(child.stdout as NonNullable<ChildProcess['stdout']>, 'end'),
  ]).then(([[code, signal]]) => ({ code, signal, output }));
  const said = async (text: string) => {
    while (!output.includes(text)) await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  };
  return { child, ended, said, outputNow: () => output };
}

const order = (output: string) => output.split('\n').filter((line) => line.startsWith('closed'));

test.for(['SIGTERM', 'SIGINT'] as const)('%s stops in reverse order and exits 0', async (signal) => {
  const { child, ended, said } = run('well');
  await said('started');
  child.kill(signal);
  const { code, output } = await ended;
  expect([code, ...order(output)]).toEqual([0, 'closed second', 'closed first']);
});

test('it stops when the supervisor is gone', async () => {
  const { child, ended, said } = run('well');
  await said('started');
  child.disconnect();
  expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining('supervisor gone') });
});

test('a service that a server refuses says why, and waits before it ends', async () => {
  const { code, output } = await run('refused').ended;
  expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('the server refuses us') });
  const saidAt = (words: string) => {
    const line = output.split('\n').find((each) => each.includes(words)) ?? '{}';
    return Date.parse(JSON.parse(line).time);
  };
  expect(saidAt('fixture stops') - saidAt('cannot go on')).toBeGreaterThanOrEqual(399);
});

test('a stop may take 15 s, and a refused service waits 10 s', () => {
  expect(SERVICE_LIMITS).toEqual({ stopLimitMs: 15_000, refusedPauseMs: 10_000 });
});

test('a stop that hangs ends at its limit with exit 1', async () => {
  const { child, ended, said } = run('hangs');
  await said('started');
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 1, output: expect.stringContaining('did not stop within') });
});

test('a second signal exits 1 at once', async () => {
  const { child, ended, said } = run('hangs');
  await said('started');
  child.kill('SIGTERM');
  await said('stops');
  child.kill('SIGTERM');
  const { code, output } = await ended;
  expect(code).toBe(1);
  expect(output).not.toContain('did not stop within');
});

test.for([
  ['cannot-start', 'cannot go on', ['closed second', 'closed first']],
  ['fails', 'KAFKA_CRASH', ['closed second', 'closed first']],
  ['rejects', '40P01', []],
] as const)('%s: logs the error without its message and exits 1', async ([mode, words, closed]) => {
  const { code, output } = await run(mode).ended;
  expect([code, ...order(output)]).toEqual([1, ...closed]);
  expect(output).toContain(words);
  expect(output).not.toMatch(/row of|王伟/);
});

test('a failpoint kills at the given pass and nothing runs on', async () => {
  const { signal, output } = await run('failpoint', { GONGJI_FAILPOINT: 'after-send:2:SIGKILL' }).ended;
  expect(signal).toBe('SIGKILL');
  expect(output.match(/passed \d/g)).toEqual(['passed 1']);
});

test('a failpoint stops the process there, and it goes on from there', async () => {
  const { child, said, outputNow } = run('failpoint', { GONGJI_FAILPOINT: 'after-send:2:SIGSTOP' });
  await said('passed 1');
  await expect.poll(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[2]).toBe('T');
  expect(outputNow()).not.toContain('passed 2');
  child.kill('SIGCONT');
  await said('passed 3');
});

test('a failpoint text of another form is refused, and none does nothing', () => {
  for (const text of ['x', 'x:0:SIGKILL', 'x:1:SIGUSR1', ':1:SIGKILL', 'x:1:SIGKILL:2'])
    expect(() => failpointFrom(text)).toThrow('name:count:signal');
  expect(failpointFrom(undefined)('anything')).toBeUndefined();
});

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from '../src/child.ts';
import { HEALTHY_AFTER_MS, type KeptRunning, keepRunning, restartPauseMs } from '../src/keep-running.ts';
import { processStamp } from '../src/process-table.ts';
import { waitFor } from '../src/wait.ts';
import { tempDir } from './fixtures.ts';

async function keepSleeping(lines: string[] = [], limits: { healthyAfterMs?: number } = {}): Promise<KeptRunning> {
  const directory = tempDir();
  const start = () =>
    startChild({
      name: 'sleep',
      command: 'sleep',
      args: ['600'],
      runDir: directory,
      logFile: join(directory, 'log'),
      stopSteps: [{ signal: 'SIGTERM', withinMs: 1_000 }],
    });
  const kept = await keepRunning({ name: 'sleep', start, log: (line) => lines.push(line), ...limits });
  onTestFinished(() => kept.stop());
  return kept;
}

test('the pause before a restart starts at half a second and doubles up to half a minute', () => {
  expect([1, 2, 3, 6, 7, 8, 50].map(restartPauseMs)).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000]);
});

test('a process that dies is started again, and that is said', async () => {
  const lines: string[] = [];
  const kept = await keepSleeping(lines);
  const { pid } = kept.current;
  process.kill(pid, 'SIGKILL');
  expect(await waitFor(() => kept.current.pid !== pid, 5_000)).toBe(true);
  expect(processStamp(kept.current.pid)).toBeDefined();
  expect(kept.deaths).toBe(1);
  expect(await waitFor(() => lines.length === 2, 1_000)).toBe(true);
  expect(lines).toEqual([
    'sleep ended (SIGKILL); starting it again in 0.5 s',
    `sleep is running again (pid ${kept.current.pid})`,
  ]);
});

test('a process that was well for a minute is started again as after a first death', async () => {
  const diedTwice = async (limits: { healthyAfterMs?: number }): Promise<string | undefined> => {
    const lines: string[] = [];
    const kept = await keepSleeping(lines, limits);
    process.kill(kept.current.pid, 'SIGKILL');
    expect(await waitFor(() => lines.length === 2, 5_000)).toBe(true);
    process.kill(kept.current.pid, 'SIGKILL');
    expect(await waitFor(() => lines.length === 3, 5_000)).toBe(true);
    return lines[2];
  };
  expect(await Promise.all([diedTwice({}), diedTwice({ healthyAfterMs: 0 })])).toEqual([
    'sleep ended (SIGKILL); starting it again in 1 s',
    'sleep ended (SIGKILL); starting it again in 0.5 s',
  ]);
  expect(HEALTHY_AFTER_MS).toBe(60_000);
});

test('a process ended on purpose stays down until it is started', async () => {
  const lines: string[] = [];
  const kept = await keepSleeping(lines);
  const { pid } = kept.current;
  expect(await kept.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await waitFor(() => kept.current.pid !== pid, 800)).toBe(false);
  await kept.start();
  expect(processStamp(kept.current.pid)).toBeDefined();
  expect(kept.deaths).toBe(0);
  expect(lines).toEqual([]);
});

test('stopping during the pause before a restart ends it for good', async () => {
  const lines: string[] = [];
  const kept = await keepSleeping(lines);
  process.kill(kept.current.pid, 'SIGKILL');
  expect(await waitFor(() => lines.length === 1, 2_000)).toBe(true);
  await kept.stop();
  expect(await waitFor(() => lines.length > 1, 800)).toBe(false);
  expect(processStamp(kept.current.pid)).toBeUndefined();
});

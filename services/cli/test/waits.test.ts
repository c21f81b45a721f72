import type { RowSource } from '@repo/ledger';
import { expect, test, vi } from 'vitest';
import { STALL_MS as ARREARS_STALL_MS, watch } from '../src/commands/arrears.ts';
import { LOCKS_WITHIN_MS, patiently } from '../src/commands/partitions.ts';
import { STOP_WITHIN_MS, stopInTime } from '../src/commands/start.ts';
import { STALL_MS as DEMO_STALL_MS } from '../src/demo/play.ts';

test('a check for arrears that does not move is given up, and told so', async () => {
  using told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  using _out = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  let checked = 0;
  // Two people a look, as long as it moves.
  const source = (end: number, finished: number): RowSource => ({
    rows: async <R>() => {
      checked = Math.min(end, checked + 2);
      return [{ checked, people: 4, finished: checked === end ? finished : 0 }] as R[];
    },
  });
  const how = { checkId: 'c', shards: 1, json: true, stallMs: 300 };
  expect(await watch(source(4, 0), how)).toBe(1);
  expect(told.mock.calls.flat().join()).toMatch(/Nothing moved for 0.3 s: is the sharing worker running/);
  checked = 0;
  expect(await watch(source(10, 1), how)).toBe(0);
  expect(ARREARS_STALL_MS).toBe(60_000);
});

test('tables that others read are tried for again until the limit, other failures once', async () => {
  let tries = 0;
  const failing = (code: string) => async () => {
    tries += 1;
    throw Object.assign(new Error('busy'), { code });
  };
  expect(await patiently(failing('55P03'), { withinMs: 100, retryMs: 10 })).toBe(false);
  expect(tries).toBeGreaterThan(2);
  expect(await patiently(async () => undefined)).toBe(true);
  tries = 0;
  await expect(patiently(failing('42501'))).rejects.toThrow('busy');
  expect(tries).toBe(1);
  expect(LOCKS_WITHIN_MS).toBe(30_000);
});

test('a stop that does not end is told of, and ends the process', async () => {
  const exited = Promise.withResolvers<unknown>();
  using _exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    exited.resolve(code);
    return undefined as never;
  });
  using told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  void stopInTime(() => new Promise(() => undefined), 50);
  expect(await exited.promise).toBe(1);
  expect(told.mock.calls.flat().join()).toContain('Not stopped within 0.05 s');
  await stopInTime(async () => undefined);
  expect(STOP_WITHIN_MS).toBe(60_000);
});

test('the demo waits half a minute for an answer', () => {
  expect(DEMO_STALL_MS).toBe(30_000);
});

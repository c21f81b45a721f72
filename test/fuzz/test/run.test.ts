import { describe, expect, test } from 'vitest';
import { Dice } from '../src/dice.ts';
import { hostileRecord } from '../src/events.ts';
import { policyFile } from '../src/policy-files.ts';
import { runInThread } from '../src/run.ts';

const feed = (target: string, over: { inputs: number; slowMs?: number; hangMs?: number }) => {
  const module = new URL(`./fixture/${target}.ts`, import.meta.url);
  return runInThread({ target, module, seed: 1, from: 0, slowMs: 60_000, hangMs: 60_000, ...over });
};

describe('a run', () => {
  test('tells what an input threw, leaves one that never ends behind, and goes on after both', async () => {
    const { findings, inputs } = await feed('breaks', { inputs: 8, hangMs: 3_000 });
    expect(inputs).toBe(8);
    expect(findings).toEqual([
      { target: 'breaks', input: 2, what: expect.stringMatching(/^TypeError: cannot read it at .*breaks\.ts/) },
      { target: 'breaks', input: 4, what: 'hangs: no answer within 3 s' },
      // The thread that goes on counts anew.
      { target: 'breaks', input: 7, what: expect.stringMatching(/^TypeError/) },
    ]);
  });

  test('tells which inputs take more processor time than they may', async () => {
    const { findings, slowest, slowestMs } = await feed('slow', { inputs: 12, slowMs: 30 });
    expect(findings.length).toBeGreaterThan(0);
    for (const { what } of findings) expect(what).toMatch(/^takes \d+ ms, more than 30$/);
    expect(slowestMs).toBeGreaterThanOrEqual(50);
    expect(findings.map(({ input }) => input)).toContain(slowest);
    expect((await feed('slow', { inputs: 12 })).findings).toEqual([]);
  });
});

test('an input follows from the seed and its number alone', () => {
  const made = (seed: number, input: number) => {
    const dice = new Dice(seed, 'decoders', input);
    return JSON.stringify([hostileRecord(dice, 'claims'), policyFile(dice).toString('base64')]);
  };
  expect(made(7, 3)).toBe(made(7, 3));
  const inputs = Array.from({ length: 50 }, (_, input) => made(7, input));
  expect(new Set(inputs).size).toBeGreaterThan(45);
  expect(made(8, 3)).not.toBe(made(7, 3));
});

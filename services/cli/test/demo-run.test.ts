import { describe, expect, test } from 'vitest';
import type { DayMessage } from '../src/demo/day.ts';
import { play, readSize } from '../src/demo/play.ts';
import { type DemoOptions, type DemoSystem, runDemo, WAITING_MAX } from '../src/demo/run.ts';
import { createSettler } from './demo-settle.fixture.ts';

/** The system's place taken by the rules alone, in memory; `lose` and `repeat` name claims it answers wrongly often. */
function memorySystem(faults: { readonly lose?: string; readonly repeat?: string; readonly clean?: boolean } = {}) {
  const log: string[] = [];
  const start = async (): Promise<DemoSystem> => {
    const settler = await createSettler();
    let on: Parameters<DemoSystem['tail']>[0] | undefined;
    return {
      loadMembers: async (rows) => settler.load(rows),
      tail: async (handlers) => {
        on = handlers;
      },
      send: async (messages) => {
        for (const message of messages) {
          const { outcome, dead } = settler.answer(message);
          const times = message.claimId === faults.lose ? 0 : message.claimId === faults.repeat ? 2 : 1;
          for (let time = 0; outcome && time < times; time += 1) on?.settlement(Buffer.from(JSON.stringify(outcome)));
          if (dead) on?.deadLetter();
        }
      },
      audit: async () => ({ clean: faults.clean ?? true, findings: ['a finding'] }),
      [Symbol.asyncDispose]: async () => void log.push('stopped'),
    };
  };
  return { start, log };
}

function printer(tty = false) {
  const written: string[] = [];
  const size = tty ? { isTTY: true, columns: 100, rows: 30 } : {};
  return { written, paper: { ...size, write: (text: string | Uint8Array) => written.push(String(text)) > 0 } };
}

const options = (start: DemoOptions['start'], paper: DemoOptions['paper']): DemoOptions => ({
  people: 2_000,
  claims: 2_000,
  seed: 3,
  dayTakesMs: 300,
  stallMs: 100,
  paper,
  colour: false,
  signal: new AbortController().signal,
  start,
});

describe('the demo', () => {
  test('settles its day, is audited, stops the system and exits 0', async () => {
    const { start, log } = memorySystem();
    const { paper, written } = printer();
    expect(await runDemo(options(start, paper))).toBe(0);
    expect(log).toEqual(['stopped']);
    expect(written.join('')).toContain('Every claim was answered exactly once.');
    expect(written.join('')).toContain('Audit: clean.');
  });

  test('exits 1 when a claim is never answered, and says how many', async () => {
    const { paper, written } = printer();
    expect(await runDemo(options(memorySystem({ lose: 'C00000100' }).start, paper))).toBe(1);
    expect(written.join('')).toContain('1 without an answer');
  });

  test('exits 1 when a claim is answered twice, or the audit is not clean', async () => {
    const { paper, written } = printer();
    expect(await runDemo(options(memorySystem({ repeat: 'C00000100' }).start, paper))).toBe(1);
    expect(written.join('')).toContain('1 answers too many');
    expect(await runDemo(options(memorySystem({ clean: false }).start, paper))).toBe(1);
  });

  test('on a terminal it paints the alternate screen in place, gives it back, and then prints the summary', async () => {
    const { paper, written } = printer(true);
    await runDemo(options(memorySystem().start, paper));
    const summaryAt = written.length - 1;
    expect(written[0]).toContain('\u001b[?1049h');
    expect(written[summaryAt - 1]).toContain('\u001b[?1049l');
    // A frame that ended its last line would scroll the screen by one.
    for (const frame of written.slice(1, summaryAt - 1)) {
      expect(frame).toContain('\u001b[?2026h\u001b[H');
      expect(frame.split('\n').length).toBeLessThanOrEqual(30);
    }
  });

  test('the hospital waits while too many claims have no answer', async () => {
    const { start } = memorySystem();
    const { paper } = printer();
    let mostWaiting = 0;
    const slow: DemoOptions['start'] = async () => {
      const system = await start();
      let waiting: DayMessage[] = [];
      const answer = () => {
        const due = waiting;
        waiting = [];
        return system.send(due);
      };
      let answering: NodeJS.Timeout | undefined;
      return {
        ...system,
        send: async (messages) => {
          waiting.push(...messages);
          mostWaiting = Math.max(mostWaiting, waiting.length);
          if (mostWaiting >= WAITING_MAX) answering ??= setInterval(answer, 200);
        },
        [Symbol.asyncDispose]: async () => clearInterval(answering),
      };
    };
    expect(await runDemo({ ...options(slow, paper), claims: 7_500, dayTakesMs: 1, stallMs: 5_000 })).toBe(0);
    expect(mostWaiting).toBeGreaterThanOrEqual(WAITING_MAX);
    expect(mostWaiting).toBeLessThanOrEqual(WAITING_MAX + 1_000);
    expect(WAITING_MAX).toBe(6_000);
  });

  test('Ctrl-C stops the system while a claim is still unanswered', async () => {
    const { start, log } = memorySystem({ lose: 'C00000000' });
    const { paper } = printer();
    const abort = new AbortController();
    const exit = play(
      { people: 50, claims: 10, seed: 1 },
      {
        start: async () => {
          const system = await start();
          return { ...system, send: async (messages) => system.send(messages).then(() => abort.abort()) };
        },
        paper,
        colour: false,
        signal: abort.signal,
      },
    );
    expect(await exit).toBeNull();
    expect(log).toEqual(['stopped']);
  });

  test('a system that breaks down ends the demo with its error, and is stopped', async () => {
    const { start, log } = memorySystem();
    const { paper } = printer();
    const broken = new Error('the broker is gone');
    const breaking: DemoOptions['start'] = async () => {
      const system = await start();
      return { ...system, tail: async ({ failure }) => failure(broken) };
    };
    await expect(runDemo(options(breaking, paper))).rejects.toBe(broken);
    expect(log).toEqual(['stopped']);
  });
});

describe('the command line', () => {
  test('has defaults, takes whole numbers, and says what it does not understand', () => {
    expect(readSize([])).toEqual({ people: 300_000, claims: 150_000, seed: 1 });
    expect(readSize(['--claims', '10', '--people=5', '--seed', '0'])).toEqual({ people: 5, claims: 10, seed: 0 });
    expect(readSize(['-h'])).toBe('help');
    expect(readSize(['--claims', '0'])).toEqual({ problem: '--claims is a whole number from 1 to 10000000' });
    expect(readSize(['--people', '1e3'])).toHaveProperty('problem');
    expect(readSize(['--speed', '3'])).toHaveProperty('problem', expect.stringContaining('--speed'));
  });
});

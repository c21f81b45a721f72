import { parseArgs } from 'node:util';
import { argumentProblem } from '../arguments.ts';
import { type DemoOptions, runDemo } from './run.ts';

export type Size = Pick<DemoOptions, 'people' | 'claims' | 'seed'>;

export const DEFAULTS = { people: 300_000, claims: 150_000, seed: 1 };
const LIMITS = { people: [1, 5_000_000], claims: [1, 10_000_000], seed: [0, 2 ** 31 - 1] } as const;
/** Average claims per second the day is squeezed to; a day with fewer claims ends earlier, but never takes less than `SHORTEST_MS`. */
const PACE = 2_000;
const SHORTEST_MS = 10_000;
export const STALL_MS = 30_000;

/** Plays the day of that size. Answers the exit code, or null where it was aborted. */
export async function play(
  size: Size,
  how: Pick<DemoOptions, 'start' | 'signal' | 'paper' | 'colour'>,
): Promise<0 | 1 | null> {
  const dayTakesMs = Math.max(SHORTEST_MS, (size.claims / PACE) * 1000);
  try {
    return await runDemo({ ...size, ...how, dayTakesMs, stallMs: STALL_MS });
  } catch (error) {
    if (how.signal.aborted) return null;
    throw error;
  }
}

/** The city and day asked for, `help`, or what is not understood. */
export function readSize(args: string[]): Size | 'help' | { readonly problem: string } {
  const text = { type: 'string' } as const;
  const options = { people: text, claims: text, seed: text, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values } = parseArgs({ args, options });
    if (values.help) return 'help';
    const size = { ...DEFAULTS };
    for (const name of ['people', 'claims', 'seed'] as const) {
      const [least, most] = LIMITS[name];
      const given = values[name] ?? String(DEFAULTS[name]);
      const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
      if (!(number >= least && number <= most))
        return { problem: `--${name} is a whole number from ${least} to ${most}` };
      size[name] = number;
    }
    return size;
  } catch (error) {
    return { problem: argumentProblem(error) };
  }
}

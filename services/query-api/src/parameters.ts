import { parse } from 'node:querystring';
import { parseInstant } from '@repo/contracts';
import { z } from 'zod';
import { Problem } from './problem.ts';

const ID_LENGTH_MAX = 200;
const ID_PROBLEM = `expected a text of 1 to ${ID_LENGTH_MAX} characters`;
const MOMENT_PROBLEM = 'expected an ISO 8601 date and time with an offset or Z';

/** A name given twice comes as a list. */
const orOnce = (problem: string) => ({
  error: ({ input }: { input?: unknown }) => (Array.isArray(input) ? 'expected once' : problem),
});

/** An identifier, as the events have them. */
export const idParameter = (description: string) =>
  z
    .string(orOnce(ID_PROBLEM))
    .min(1, ID_PROBLEM)
    .max(ID_LENGTH_MAX, ID_PROBLEM)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), ID_PROBLEM)
    .describe(description);

/** A moment; in a query a bare "+" stands for a space, and an offset such as +08:00 is often sent bare. */
export const momentParameter = (description: string) =>
  z
    .string(orOnce(MOMENT_PROBLEM))
    .transform((text, context) => {
      const moment = parseInstant(text.replace(' ', '+'));
      if (moment !== null) return moment;
      context.addIssue(MOMENT_PROBLEM);
      return z.NEVER;
    })
    .meta({ description, format: 'date-time' });

/** One of a few words; the first where the parameter is absent. */
export const choiceParameter = <const T extends readonly [string, ...string[]]>(words: T, description: string) =>
  z
    .enum(words, orOnce(`expected one of ${words.join(', ')}`))
    .default(words[0] as never)
    .describe(description);

/** What a request gives after `?`; an empty value counts as absent. */
export function parseQuery(text: string): Record<string, unknown> {
  const given = Object.entries(parse(text)).filter(([, value]) => value !== '');
  return Object.fromEntries(given);
}

/** A parameter that is not as expected, as a problem: 400, named by the first. */
export function parameterProblem({ issues: [first] }: z.ZodError): Problem {
  return new Problem(400, `${first?.path.join('.')}: ${first?.message}`);
}

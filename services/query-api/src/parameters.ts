import { parseInstant } from '@repo/contracts';
import type { Instant } from '@repo/domain';
import { Problem } from './problem.ts';

/** What a request gives in its path or after `?`, as text by name; a name given twice comes as a list. */
export type Given = Readonly<Record<string, unknown>>;

const ID_LENGTH_MAX = 200;

/** The text of a parameter, undefined where it is absent or empty. */
function textOf(given: Given, name: string): string | undefined {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new Problem(400, `${name}: expected once`);
  return value;
}

/** An identifier, as the events have them. */
export function idOf(given: Given, name: string): string | undefined {
  const text = textOf(given, name);
  if (text !== undefined && (text.length > ID_LENGTH_MAX || text.includes('\0') || !text.isWellFormed())) {
    throw new Problem(400, `${name}: expected a text of 1 to ${ID_LENGTH_MAX} characters`);
  }
  return text;
}

export function requiredId(given: Given, name: string): string {
  const id = idOf(given, name);
  if (id === undefined) throw new Problem(400, `${name}: expected a text of 1 to ${ID_LENGTH_MAX} characters`);
  return id;
}

/** The moment of `?at=`; `now` where it is absent. */
export function momentOf(given: Given, now: Instant): Instant {
  const text = textOf(given, 'at');
  if (text === undefined) return now;
  // In a query a bare "+" stands for a space, and an offset such as +08:00 is often sent bare.
  const moment = parseInstant(text.replace(' ', '+'));
  if (moment === null) throw new Problem(400, 'at: expected an ISO 8601 date and time with an offset or Z');
  return moment;
}

/** One of a few words; the first where the parameter is absent. */
export function choiceOf<const T extends readonly [string, ...string[]]>(
  given: Given,
  name: string,
  words: T,
): T[number] {
  const text = textOf(given, name) ?? words[0];
  const chosen = words.find((word) => word === text);
  if (chosen === undefined) throw new Problem(400, `${name}: expected one of ${words.join(', ')}`);
  return chosen;
}

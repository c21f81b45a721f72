import { type Issue, readJson } from '@repo/contracts';
import type { z } from 'zod';
import { Problem } from './problem.ts';

export const malformed = (issues: readonly Issue[]) =>
  new Problem('bad-body', 'expected a body as described', { code: 'EVENT_MALFORMED', issues });

/** The fields of a JSON body; none where there is no body. Throws the problem to answer. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  const bytes = (body as Buffer | undefined) ?? Buffer.alloc(0);
  const given = bytes.length === 0 ? {} : readJson(bytes);
  if (given === null) throw malformed([{ path: '', problem: 'expected a JSON object in UTF-8' }]);
  return given;
}

/** A body as its schema defines it. Throws the problem to answer. */
export function bodyOf<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const { success, data, error } = schema.safeParse(fieldsOf(body));
  if (success) return data;
  throw malformed(error.issues.map(({ path, message }) => ({ path: path.join('.'), problem: message })));
}

import { isDeepStrictEqual } from 'node:util';

type Json = Readonly<Record<string, unknown>>;

/** Says nothing about which values there are. */
const WORDS = new Set(['description', 'title', '$id', '$schema', 'properties', 'required', 'enum', 'items', 'anyOf']);

/**
 * What in a schema of events that are sent goes beyond what its earlier version promised to readers. More fields, and fewer values, do not;
 * a list of codes with room for others (`anyOf` with any text) is open.
 */
export function narrowed(today: Json, before: Json, at = ''): string[] {
  const problems: string[] = [];
  const [fields, fieldsBefore] = [objectOf(today.properties), objectOf(before.properties)];
  const required = new Set(listOf(today.required));
  for (const [name, schema] of Object.entries(fieldsBefore)) {
    const field = fields[name];
    if (field === undefined) problems.push(`${at}/${name}: gone`);
    else problems.push(...narrowed(field, schema, `${at}/${name}`));
  }
  for (const name of listOf(before.required))
    if (!required.has(name)) problems.push(`${at}/${name}: no longer always there`);
  const values = new Set(listOf(before.enum));
  if (before.enum !== undefined && listOf(today.enum ?? [today.const as string]).some((value) => !values.has(value)))
    problems.push(`${at}: new values in a closed list`);
  if (before.items !== undefined) problems.push(...narrowed(today.items as Json, before.items as Json, `${at}/[]`));
  const [choices, choicesBefore] = [listOf<Json>(today.anyOf), listOf<Json>(before.anyOf)];
  if (choicesBefore.length !== choices.length) problems.push(`${at}: other choices`);
  else if (!choicesBefore.some((choice) => choice.type === 'string' && choice.enum === undefined))
    choicesBefore.forEach((choice, i) => {
      problems.push(...narrowed(choices[i] ?? {}, choice, at));
    });
  for (const keyword of new Set([...Object.keys(today), ...Object.keys(before)]))
    if (!WORDS.has(keyword) && !(keyword === 'const' && before.enum !== undefined))
      if (!isDeepStrictEqual(today[keyword], before[keyword])) problems.push(`${at}/${keyword}: changed`);
  return problems;
}

const objectOf = (value: unknown): Readonly<Record<string, Json>> => (value ?? {}) as Readonly<Record<string, Json>>;
const listOf = <T = string>(value: unknown): readonly T[] => (value ?? []) as readonly T[];

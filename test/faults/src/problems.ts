import type { TopicName } from './evidence.ts';
import type { LogRecord } from './reader.ts';
import type { Meaning } from './script.ts';

/** Something that exactly once, in order, to the fen does not allow. `what` names ids and places, never a person. */
export interface Problem {
  readonly kind: 'lost' | 'duplicated' | 'altered' | 'order' | 'money' | 'stuck' | 'personal';
  readonly what: string;
  /** The claim or refund that was lost or doubled, where it is one. */
  readonly about?: string | undefined;
}

/** An input record with what its sender meant by it. */
export interface Input {
  readonly record: LogRecord<TopicName>;
  readonly meaning: Meaning;
  /** The same message lies before it in the log: it must change nothing. Of a bad message, which takes no id, always false. */
  readonly isRepeat: boolean;
}

/** Compares what must be told with what was; each list may name a thing more than once. `aboutOf`: which claim or refund a thing is of. */
export function compareLists(
  where: string,
  expected: readonly string[],
  found: readonly string[],
  aboutOf: (what: string) => string | undefined = () => undefined,
): Problem[] {
  const surplus = new Map<string, number>();
  for (const what of found) surplus.set(what, (surplus.get(what) ?? 0) + 1);
  for (const what of expected) surplus.set(what, (surplus.get(what) ?? 0) - 1);
  const known = new Set(expected);
  const problems = [...surplus].flatMap(([what, count]): Problem[] => {
    if (count === 0) return [];
    const kind = count < 0 ? 'lost' : known.has(what) ? 'duplicated' : 'altered';
    return [{ kind, what: `${where}: ${what}`, about: aboutOf(what) }];
  });
  if (problems.length > 0) return problems;
  const at = expected.findIndex((what, index) => what !== found[index]);
  return at < 0 ? [] : [{ kind: 'order', what: `${where}: ${found[at]} where ${expected[at]} was due` }];
}

/** The fields of a record's value. */
export const fieldsOf = (record: { readonly value: string | null }): Record<string, unknown> =>
  JSON.parse(record.value ?? 'null') as Record<string, unknown>;

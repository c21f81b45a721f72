import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PersonalData } from '@repo/testkit/personal';
import type { Problem } from './problems.ts';
import type { Sent } from './script.ts';

/** Logs of services and servers that name anyone the load was about; the name itself is not told. */
export function judgeLogs(directory: string, sent: readonly Sent[]): Problem[] {
  const people = new PersonalData();
  for (const { value } of sent) people.note(value);
  return readdirSync(directory).flatMap((name): Problem[] => {
    const found = people.foundIn(readFileSync(join(directory, name), 'utf8'));
    return found.length === 0 ? [] : [{ kind: 'personal', what: `${name} names ${found.length} people of the load` }];
  });
}

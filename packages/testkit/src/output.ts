import type { ChildProcessByStdio } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PersonalData } from './personal.ts';

/** Shows what a process prints and keeps it in a file; resolves when both are done. */
export async function keepOutput(
  { stdout, stderr }: ChildProcessByStdio<null, Readable, Readable>,
  file: string,
): Promise<void> {
  const kept = createWriteStream(file);
  stdout.pipe(process.stdout, { end: false });
  stderr.pipe(process.stderr, { end: false });
  for (const stream of [stdout, stderr]) stream.pipe(kept, { end: false });
  await Promise.all([finished(stdout), finished(stderr)]);
  await finished(kept.end());
}

/** Which lines of the output of all tests hold a name or a number of a person that they made up, from 1, and how many people were looked for. */
export function searchOutput(
  peopleFile: string,
  outputFile: string,
): { readonly people: number; readonly lines: readonly number[] } {
  const people = PersonalData.ofRun(peopleFile);
  const lines = readFileSync(outputFile, 'utf8').split('\n');
  return { people: people.size, lines: lines.flatMap((line, at) => (people.foundIn(line).length > 0 ? [at + 1] : [])) };
}

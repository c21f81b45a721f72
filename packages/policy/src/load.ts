import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PackFile, parsePacks } from './packs.ts';
import { createPolicies, type Policies } from './policies.ts';

export type LoadedPolicies = { readonly policies: Policies } | { readonly problems: readonly string[] };

const SHIPPED = fileURLToPath(new URL('../packs', import.meta.url));

/** Reads the shipped packs and, over them, those of the folder `dir`. Unreadable files are problems like any other. */
export async function loadPolicies({ dir }: { readonly dir?: string | undefined } = {}): Promise<LoadedPolicies> {
  const shipped = await readFolder(SHIPPED, 'shipped');
  const added = dir === undefined ? { files: [], problems: [] } : await readFolder(dir, dir);
  const parsed = parsePacks(shipped.files, added.files);
  const problems = [...shipped.problems, ...added.problems, ...('problems' in parsed ? parsed.problems : [])];
  return 'packs' in parsed && problems.length === 0 ? { policies: createPolicies(parsed.packs) } : { problems };
}

/** The policy files directly in a folder, by name. Hidden ones are left out: editors and mounted volumes keep copies there. */
async function readFolder(dir: string, shownAs: string): Promise<{ files: PackFile[]; problems: string[] }> {
  const files: PackFile[] = [];
  const problems: string[] = [];
  const unreadable = (path: string, error: unknown): unknown =>
    problems.push(`${path}: expected to be readable; found ${(error as NodeJS.ErrnoException).code}`);
  const names = await readdir(dir).catch((error: unknown) => {
    unreadable(shownAs, error);
    return [];
  });
  for (const name of names.filter((candidate) => /^[^.].*\.(yaml|yml|json)$/i.test(candidate)).sort()) {
    const path = join(shownAs, name);
    await readFile(join(dir, name), 'utf8').then(
      (text) => files.push({ name: path, text }),
      (error: unknown) => unreadable(path, error),
    );
  }
  return { files, problems };
}

import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FILE_BYTES_MAX } from './document.ts';
import { type PackFile, parsePacks } from './packs.ts';
import { createPolicies, type Policies } from './policies.ts';

export type LoadedPolicies = { readonly policies: Policies } | { readonly problems: readonly string[] };

const SHIPPED = fileURLToPath(new URL('../packs', import.meta.url));

/**
 * Reads the shipped packs and, over them, those of the folder `dir` and the file `file`, for a look at what it would change. Unreadable files
 * are problems like any other.
 */
export async function loadPolicies({
  dir,
  file,
}: {
  readonly dir?: string | undefined;
  readonly file?: string | undefined;
} = {}): Promise<LoadedPolicies> {
  const shipped = await readFolder(SHIPPED, 'shipped');
  const added = dir === undefined ? { files: [], problems: [] } : await readFolder(dir, dir);
  const alone = file === undefined ? { files: [], problems: [] } : await readFile(file);
  const parsed = parsePacks(shipped.files, [...added.files, ...alone.files]);
  const problems = [
    ...shipped.problems,
    ...added.problems,
    ...alone.problems,
    ...('problems' in parsed ? parsed.problems : []),
  ];
  return 'packs' in parsed && problems.length === 0 ? { policies: createPolicies(parsed.packs) } : { problems };
}

/** The shipped packs alone. Rejects with their problems: that of a defect, since our own packs have none. */
export async function shippedPolicies(): Promise<Policies> {
  const loaded = await loadPolicies();
  if ('problems' in loaded) throw new Error(`the shipped packs do not load: ${loaded.problems.join('; ')}`);
  return loaded.policies;
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
    await readText(join(dir, name)).then(
      ({ text, problem }) =>
        text === undefined ? problems.push(`${path}: ${problem}`) : files.push({ name: path, text }),
      (error: unknown) => unreadable(path, error),
    );
  }
  return { files, problems };
}

async function readFile(path: string): Promise<{ files: PackFile[]; problems: string[] }> {
  const { text, problem } = await readText(path).catch((error: NodeJS.ErrnoException) => ({
    text: undefined,
    problem: `expected to be readable; found ${error.code}`,
  }));
  return text === undefined
    ? { files: [], problems: [`${path}: ${problem}`] }
    : { files: [{ name: path, text }], problems: [] };
}

/**
 * The text of a file, or what was expected of it. Whatever else may have the name of a file (a pipe nobody writes to, a device
 * without an end) is not waited for, and no more is read than a policy may have.
 */
async function readText(path: string): Promise<{ text?: string; problem?: string }> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) return { problem: 'expected a regular file' };
  const { buffer, bytesRead } = await file.read(Buffer.alloc(FILE_BYTES_MAX + 1));
  if (bytesRead > FILE_BYTES_MAX) return { problem: `expected at most ${FILE_BYTES_MAX} bytes` };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead)) };
  } catch {
    return { problem: 'expected UTF-8' };
  }
}

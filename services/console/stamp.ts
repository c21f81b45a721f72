import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the built files depend on: the sources, the way of building, and the libraries' versions. */
export const PARTS = [
  'src',
  'public',
  'index.html',
  'vite.config.ts',
  'antd-styles.ts',
  'build.ts',
  'package.json',
  '../../packages/contracts/src/problem-words.ts',
  '../../package-lock.json',
];

export const stampFile = (dir: string): string => join(dir, 'dist', '.built-from');

/** A name for the sources as they are: equal names mean equal sources. */
export async function stampOf(dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const part of PARTS) {
    for (const path of await filesOf(join(dir, part))) hash.update(path.slice(dir.length)).update(await readFile(path));
  }
  return hash.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return null;
      throw error;
    },
  );
  if (entries === null) return [path];
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}

/** What `dist/` was built from; undefined where there is none. */
export const readStamp = (dir: string): Promise<string | undefined> =>
  readFile(stampFile(dir), 'utf8').catch(() => undefined);

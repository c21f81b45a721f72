import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'vite';
import { readStamp, stampFile, stampOf } from './stamp.ts';

/** Builds the console into `dist/` unless what is there was built from the same sources; `--force` builds in any case. */
const here = import.meta.dirname;
const stamp = await stampOf(here);
// Vite takes over what is set: under a test runner it would build what developers use, half as large again and slower.
process.env.NODE_ENV = 'production';
if (process.argv.includes('--force') || (await readStamp(here)) !== stamp) {
  await rm(stampFile(here), { force: true });
  await build({ root: here, logLevel: 'warn' });
  await compress(join(here, 'dist'));
  // Last, so that a build that was broken off is not taken for a whole one.
  await writeFile(stampFile(here), stamp);
}

/** Compressed once, here, and not for each reader: an old office line is slow. */
async function compress(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
    await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
  }
}

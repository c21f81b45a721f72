import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents } from '../src/documents.ts';

/** Writes `schemas/` anew from the schemas that decode. A test fails while they differ. */
const folder = join(import.meta.dirname, '../schemas');
rmSync(folder, { recursive: true, force: true });
const files = documents();
for (const [name, text] of files) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
console.log(`${files.size} files in ${folder}`);

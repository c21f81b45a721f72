import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PARTS } from '../stamp.ts';

const CONSOLE = join(import.meta.dirname, '..');
const ROOT = join(CONSOLE, '../..');

test('what the pages take from other packages makes them be built anew, and is in the image that builds them', () => {
  const sources = readdirSync(join(CONSOLE, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join(CONSOLE, 'src', name), 'utf8'));
  const taken = sources.flatMap((text) => [...text.matchAll(/^import (?!type )[^;]*? from '(@repo\/[^']+)';/gms)]);
  const files = [...new Set(taken.map(([, name = '']) => fileURLToPath(import.meta.resolve(name))))];
  expect(files.length).toBeGreaterThan(0);
  expect(files.map((file) => relative(CONSOLE, file)).filter((file) => !PARTS.includes(file))).toEqual([]);
  const copied = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8').match(/(?<=^COPY )packages\/\S+(?= )/gm) ?? [];
  const inRoot = files.map((file) => relative(ROOT, file));
  expect(inRoot.filter((file) => !copied.some((folder) => file.startsWith(`${folder}/`)))).toEqual([]);
});

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { HEADER, PARAMETER_NAMES, PARAMETERS, type ParameterName } from '../src/index.ts';
import { toPlain } from '../src/parameters.ts';

type Row = readonly string[];

function defaultOf(name: ParameterName): string {
  const { derived, fallback } = PARAMETERS[name];
  if (derived) return derived.text;
  const plain = toPlain(fallback);
  if (Array.isArray(plain)) return plain.join(', ');
  return typeof plain === 'object' && plain !== null ? 'no year' : String(plain);
}

function rowsOfCode(): Row[] {
  const header = Object.entries(HEADER).map(([name, { kind, en, zh }]) => [
    `\`${name}\``,
    kind.expected,
    name === 'extends' ? 'none' : 'required',
    en,
    zh,
  ]);
  const parameters = PARAMETER_NAMES.map((name) => {
    const { kind, en, zh } = PARAMETERS[name];
    return [`\`${name}\``, kind.expected, defaultOf(name), en, zh];
  });
  return [...header, ...parameters];
}

/** The rows of the table between the two marks, without its head; the formatter pads cells, so they are trimmed. */
function rowsOfReadme(readme: string): Row[] {
  const [, table = ''] = readme.split(/<!-- parameters: (?:begin|end) -->/);
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the table of parameters in the README is the one in the code', async () => {
  const written = rowsOfReadme(await readFile(new URL('../README.md', import.meta.url), 'utf8'));
  const print = (rows: readonly Row[]): string => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
  expect(print(written)).toBe(print(rowsOfCode()));
});

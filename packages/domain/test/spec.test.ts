import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const spec = readFileSync(new URL('../SPEC.md', import.meta.url), 'utf8');
const folder = new URL('./', import.meta.url);

/** The cells of every row of SPEC.md with this many columns; the formatter pads cells, so they are trimmed. */
const rows = (columns: number): string[][] =>
  spec
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.length === columns);

/** Every test whose name ends with the numbers of what it proves, `… (I5, C1)`. */
const named = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts') && file !== 'spec.test.ts')
  .flatMap((file) => {
    const source = readFileSync(new URL(file, folder), 'utf8');
    return [...source.matchAll(/(['"`])((?:(?!\1)[^\n])*?) \(((?:[IC]\d+)(?:, [IC]\d+)*)\)\1/g)].map((found) => [
      `\`${file}\``,
      found[2],
      found[3],
    ]);
  });

const statements = rows(3).filter(([number = '']) => /^[IC]\d+$/.test(number));
const proofs = rows(3).filter(([file = '']) => file.startsWith('`') && file.endsWith('.test.ts`'));
const numbersOf = (proof: readonly (string | undefined)[]) => (proof[2] ?? '').split(', ');

test('the tests named in SPEC.md are the tests there are', () => {
  const inOrder = (list: readonly (readonly (string | undefined)[])[]) =>
    list.map((row) => row.join(' | ').replaceAll('\\|', '|')).sort();
  expect(inOrder(proofs)).toEqual(inOrder(named));
});

test('every number has its statement once, and every statement the files that prove it', () => {
  const expected = ['I', 'C'].flatMap((kind) =>
    statements.filter(([number = '']) => number.startsWith(kind)).map((_, i) => `${kind}${i + 1}`),
  );
  expect(statements.map(([number]) => number)).toEqual(expected);
  for (const [number = '', , files = ''] of statements) {
    const proving = new Set(proofs.filter((proof) => numbersOf(proof).includes(number)).map(([file]) => file));
    expect([...proving].sort(), number).toEqual(
      files
        .split(' ')
        .filter((file) => file !== '')
        .sort(),
    );
    expect(proving.size, number).toBeGreaterThan(0);
  }
  expect(proofs.flatMap(numbersOf).filter((number) => !expected.includes(number))).toEqual([]);
});

import { readFile } from 'node:fs/promises';
import {
  BIND_REFUSAL_CODES,
  CLAIM_REFUSAL_CODES,
  CLAIM_REJECTION_CODES,
  DEAD_LETTER_CODES,
  OWN_SKIP_CODES,
  PREMIUM_REFUSAL_CODES,
  REFUND_REFUSAL_CODES,
  RELATIVE_SKIP_CODES,
} from '@repo/domain';
import { expect, test } from 'vitest';
import { OUTCOME_CODES, PREMIUM_CODES } from '../src/index.ts';

const LISTS = [
  OWN_SKIP_CODES,
  RELATIVE_SKIP_CODES,
  CLAIM_REJECTION_CODES,
  CLAIM_REFUSAL_CODES,
  REFUND_REFUSAL_CODES,
  PREMIUM_REFUSAL_CODES,
  BIND_REFUSAL_CODES,
  DEAD_LETTER_CODES,
];
const entries = Object.entries(OUTCOME_CODES);

test('every code the domain can give has a text, and no text is for another', () => {
  expect(Object.keys(OUTCOME_CODES).sort()).toEqual([...new Set(LISTS.flat())].sort());
});

test('every text is one sentence in each language, said of one code only', () => {
  const texts = [...entries, ...Object.entries(PREMIUM_CODES)];
  for (const [code, { zh, en }] of texts) {
    expect(zh, code).toMatch(/^\p{Script=Han}[^。]*。$/u);
    expect(en, code).toMatch(/^[A-Z][^.]*\.$/);
  }
  expect(new Set(texts.map(([, { zh }]) => zh)).size).toBe(texts.length);
  expect(new Set(texts.map(([, { en }]) => en)).size).toBe(texts.length);
});

test('a code that a rule decides names the parameter', () => {
  const rules = entries.filter(([, { kind }]) => kind === 'RULE');
  expect(rules.filter(([, { parameter }]) => parameter === undefined)).toEqual([]);
});

test('the list of codes in the README is the one in the code', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, table = ''] = readme.split(/<!-- codes: (?:begin|end) -->/);
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  const written = rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const print = (all: readonly (readonly string[])[]) => all.map((row) => `| ${row.join(' | ')} |`).join('\n');
  const coded = entries.map(([code, { kind, zh, en, parameter }]) => [
    `\`${code}\``,
    kind,
    parameter === undefined ? '' : `\`${parameter}\``,
    zh,
    en,
  ]);
  expect(print(written)).toBe(print(coded));
});

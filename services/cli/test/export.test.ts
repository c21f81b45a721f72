import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { barChart } from '../src/chart/bars.ts';
import { TABLES } from '../src/export/tables.ts';

test('the README names every column with its type and words', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const listed = readme.slice(readme.indexOf('<!-- columns: begin -->'), readme.indexOf('<!-- columns: end -->'));
  for (const [table, columns] of Object.entries(TABLES)) {
    const line = listed.split('\n').find((each) => each.startsWith(`**${table}**`));
    const expected = Object.entries(columns).map(
      ([name, { type, words }]) => `\`${name}\`${type === 'VARCHAR' ? '' : ` (${type})`} ${words}`,
    );
    expect(line).toBe(`**${table}**: ${expected.join('; ')}.`);
  }
});

describe('a chart', () => {
  const bars = [
    { label: '门诊 <1>', series: 'own', value: 100 },
    { label: '门诊 <1>', series: 'cash', value: 300 },
    { label: '药店', series: 'own', value: -200 },
  ];
  const svg = barChart({ title: 'A & B', note: '', bars });
  const rects = [...svg.matchAll(/<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="18"/g)].map(([, x, y, width]) =>
    [x, y, width].map(Number),
  );

  test('draws each value as long as it is, one after the other, below zero to the left of the axis', () => {
    const [own, cash, less] = rects;
    expect(cash?.[2]).toBeCloseTo(3 * (own?.[2] ?? 0), 0);
    expect(less?.[2]).toBeCloseTo(2 * (own?.[2] ?? 0), 0);
    expect(cash?.[0]).toBeCloseTo((own?.[0] ?? 0) + (own?.[2] ?? 0), 0);
    expect((less?.[0] ?? 0) + (less?.[2] ?? 0)).toBeCloseTo(own?.[0] ?? 0, 0);
    expect([own?.[1], cash?.[1], less?.[1]]).toEqual([96, 96, 126]);
  });

  test('escapes what it is told, says it in words too, and stays a picture without data', () => {
    expect(svg).toContain('<title>A &amp; B</title>');
    expect(svg).toContain('<desc>门诊 &lt;1&gt;: 400.00; 药店: -200.00</desc>');
    expect(barChart({ title: 'T', note: '', bars: [] })).toContain('没有数据');
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PublishedEvent } from '@repo/contracts';
import { date } from '@repo/domain';
import { describe, expect, onTestFinished, test } from 'vitest';
import { barChart } from '../src/chart/bars.ts';
import { rowsOf, TABLES } from '../src/export/tables.ts';
import { Warehouse } from '../src/export/warehouse.ts';

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

test('a moment of settlement is exported however its sender wrote it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gongji-warehouse-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await using warehouse = await Warehouse.create(folder);
  const day = date('2026-03-11');
  const written = ['T07:30+08:00', 'T07:30:00+08', 'T07:30:00.123456789+0800', 'T12:29:00+12:59'];
  for (const [i, time] of written.entries()) {
    const moment = { claim_id: `C${i}`, med_type: '11', setl_time: `${day}${time}` };
    const value = { ...moment, allocation: [], skipped: [], policy: [] } as unknown as PublishedEvent['value'];
    const event = { type: 'settlement.settled', value } as PublishedEvent;
    for (const row of rowsOf(event, { from: day, to: day })) warehouse.add(row);
  }
  warehouse.finish();
  const rows = await warehouse.ask("select strftime(setl_time, '%d %H:%M') as at from settlements order by claim_id");
  expect(rows.map(({ at }) => at)).toEqual(written.map(() => '11 07:30'));
});

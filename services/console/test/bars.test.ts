import { expect, test } from 'vitest';
import { barsOf } from '../src/charts/bars.ts';
import { init } from '../src/charts/echarts.ts';

/** The bars that are drawn, by their colours, and how wide each is. */
function drawn(counts: readonly (readonly [color: string, count: number])[]): Map<string, number> {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 400, height: 150 });
  chart.setOption(
    barsOf(
      counts.map(([color, count], i) => ({ name: `kind ${i}`, count, color })),
      '#000000',
    ),
  );
  const svg = chart.renderToSVGString();
  chart.dispose();
  const paths = [...svg.matchAll(/<path d="M[\d.]+ [\d.]+l([\d.]+) 0[^"]*" fill="(#[0-9a-f]{6})"/g)];
  return new Map(paths.map(([, width, color = '']) => [color, Number(width)]));
}

test('a count of nothing has no bar, and one of many can still be seen', () => {
  const bars = drawn([
    ['#aa0000', 0],
    ['#00aa00', 1],
    ['#0000aa', 5_000],
  ]);
  expect([...bars.keys()].sort()).toEqual(['#0000aa', '#00aa00']);
  expect(bars.get('#00aa00')).toBeCloseTo(3, 0);
  expect(bars.get('#0000aa')).toBeGreaterThan(200);
});

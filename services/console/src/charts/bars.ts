import type { EChartsCoreOption } from 'echarts/core';

export interface Counted {
  readonly name: string;
  readonly count: number;
  readonly color: string;
}

/** A bar for each count, the first on top, its figure beside its name. Whatever there is one of is seen, and of what there is none no bar. */
export const barsOf = (counts: readonly Counted[], text: string): EChartsCoreOption => ({
  animation: false,
  grid: { left: 8, right: 16, top: 8, bottom: 8 },
  xAxis: { type: 'value', show: false },
  yAxis: {
    type: 'category',
    inverse: true,
    data: counts.map(({ name, count }) => `${name}  ${count}`),
    axisLabel: { color: text },
    axisTick: { show: false },
  },
  series: [
    {
      type: 'bar',
      barMaxWidth: 22,
      // A bar of 0 would be drawn with this height too: '-' is no bar at all.
      barMinHeight: 3,
      data: counts.map(({ count, color }) => ({ value: count === 0 ? '-' : count, itemStyle: { color } })),
    },
  ],
});

import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef } from 'react';

/** What is to be drawn; a function where places depend on the width, in pixels. */
type ChartOption = EChartsCoreOption | ((width: number) => EChartsCoreOption);

interface Props {
  readonly option: ChartOption;
  readonly height: number;
  readonly label: string;
  readonly onClick?: (name: string) => void;
}

const draw = (chart: EChartsType, option: ChartOption): void =>
  chart.setOption(typeof option === 'function' ? option(chart.getWidth()) : option, { notMerge: true });

/** Draws an ECharts option. `label` says in words what the picture shows, for who cannot see it; every page has its figures as text too. */
export function Chart({ option, height, label, onClick }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const latest = useRef({ option, onClick });
  latest.current = { option, onClick };
  useEffect(() => {
    let gone = false;
    const watcher = new ResizeObserver(() => {
      if (chart.current === null) return;
      chart.current.resize();
      if (typeof latest.current.option === 'function') draw(chart.current, latest.current.option);
    });
    // The library is large and comes after the figures.
    void import('./echarts.ts').then(({ init }) => {
      if (gone || place.current === null) return;
      chart.current = init(place.current, null, { renderer: 'svg' });
      draw(chart.current, latest.current.option);
      chart.current.on('click', ({ name }) => latest.current.onClick?.(name));
      watcher.observe(place.current);
    });
    return () => {
      gone = true;
      watcher.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    if (chart.current !== null) draw(chart.current, option);
  }, [option]);
  return <div ref={place} role="img" aria-label={label} style={{ height, width: '100%' }} />;
}

import { Card, Col, Flex, Row, Statistic, Tag, Typography } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import type { Live } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

interface Reading {
  readonly at: number;
  readonly answered: number;
}

const WINDOW_MS = 60_000;

/** The readings of the last minute; a rate is the difference of two of them. */
function useReadings({ at, answered }: Live): readonly Reading[] {
  const [readings, setReadings] = useState<readonly Reading[]>([]);
  useEffect(() => {
    const moment = Date.parse(at);
    setReadings((kept) => [
      ...kept.filter((each) => each.at > moment - WINDOW_MS && each.at < moment),
      { at: moment, answered },
    ]);
  }, [at, answered]);
  return readings;
}

const rateBetween = (one: Reading | undefined, other: Reading | undefined): number | null =>
  one === undefined || other === undefined || other.at <= one.at
    ? null
    : ((other.answered - one.answered) * 1_000) / (other.at - one.at);

/** What the system does at this moment. */
export function LiveFigures({ live }: { readonly live: Live }) {
  const { w } = usePreferences();
  const readings = useReadings(live);
  // Over five readings: a single second of a batching system is all or nothing.
  const rate = rateBetween(readings.at(-6) ?? readings[0], readings.at(-1));
  const seconds = (value: number) => (value < 1 ? `${Math.round(value * 1_000)} ms` : `${value} ${w.board.seconds}`);
  const figures = [
    [w.board.rate, rate === null ? '–' : rate.toFixed(rate < 10 ? 1 : 0)],
    [w.board.waiting, live.waiting === null ? w.board.unknown : live.waiting],
    [w.board.unpublished, live.unpublished],
    [w.board.latency, live.latency === null ? '–' : `${seconds(live.latency.p50)} / ${seconds(live.latency.p99)}`],
    [w.board.paused, live.paused_payers],
  ] as const;
  return (
    <Card>
      <Row gutter={[16, 16]}>
        {figures.map(([title, value]) => (
          <Col key={title} flex="1 1 180px">
            <Statistic title={title} value={value} styles={{ content: { whiteSpace: 'nowrap' } }} />
          </Col>
        ))}
        <Col flex="2 1 260px">
          <RateChart readings={readings} />
        </Col>
      </Row>
      <Flex gap="small" wrap style={{ marginTop: 8 }} align="center">
        <Typography.Text type="secondary">{w.board.pausedBy}</Typography.Text>
        {live.paused.map(({ reason, bindings }) => (
          <Tag key={reason}>
            {w.reasons[reason]} {bindings}
          </Tag>
        ))}
      </Flex>
    </Card>
  );
}

function RateChart({ readings }: { readonly readings: readonly Reading[] }) {
  const { w, appearance } = usePreferences();
  const color = PAYING[appearance].own;
  const option = useMemo(() => {
    const points = readings.slice(1).map((each, i) => [each.at, rateBetween(readings[i], each) ?? 0]);
    return {
      animation: false,
      grid: { left: 0, right: 0, top: 4, bottom: 4 },
      xAxis: { type: 'time', show: false },
      yAxis: { type: 'value', show: false, min: 0 },
      series: [
        {
          type: 'line',
          data: points,
          showSymbol: false,
          lineStyle: { color, width: 2 },
          areaStyle: { color, opacity: 0.15 },
        },
      ],
    };
  }, [readings, color]);
  return <Chart option={option} height={64} label={`${w.board.rate}, ${w.board.lastMinute}`} />;
}

import { Card, Segmented, Table } from 'antd';
import { useMemo, useState } from 'react';
import type { Totals } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { Yuan } from '../../parts/figure.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

/** Who paid, hour by hour of the day; as a picture or as figures. */
export function HoursChart({ totals: { hours } }: { readonly totals: Totals }) {
  const { w, appearance } = usePreferences();
  const colors = PAYING[appearance];
  const [asTable, setAsTable] = useState(false);
  const option = useMemo(() => {
    const parts = [
      { name: w.claim.own, field: 'acct_pay', color: colors.own },
      { name: w.claim.relatives, field: 'acct_mulaid_pay', color: colors.relative },
      { name: w.claim.cash, field: 'psn_cash_pay', color: colors.cash },
    ] as const;
    const text = { color: colors.text };
    return {
      animation: false,
      tooltip: { trigger: 'axis' },
      legend: { bottom: 0, textStyle: text },
      grid: { left: 8, right: 8, top: 16, bottom: 40 },
      xAxis: { type: 'category', data: hours.map(({ hour }) => `${hour}:00`), axisLabel: text },
      yAxis: { type: 'value', axisLabel: text, splitLine: { lineStyle: { color: colors.muted, opacity: 0.5 } } },
      series: parts.map(({ name, field, color }) => ({
        type: 'bar',
        name,
        stack: 'all',
        barMaxWidth: 36,
        data: hours.map((each) => Number(each[field])),
        itemStyle: { color },
      })),
    };
  }, [hours, w, colors]);
  const columns = [
    { title: w.board.hour, render: (_: unknown, { hour }: Totals['hours'][number]) => `${hour}:00` },
    { title: w.board.claims, dataIndex: 'claims', align: 'right' as const },
    ...(['acct_pay', 'acct_mulaid_pay', 'psn_cash_pay'] as const).map((field, i) => ({
      title: [w.claim.own, w.claim.relatives, w.claim.cash][i],
      align: 'right' as const,
      render: (_: unknown, row: Totals['hours'][number]) => <Yuan amount={row[field]} />,
    })),
  ];
  return (
    <Card
      title={w.board.byHour}
      extra={
        <Segmented
          size="small"
          aria-label={w.board.byHour}
          value={asTable}
          onChange={setAsTable}
          options={[
            { value: false, label: w.board.asPicture },
            { value: true, label: w.board.asTable },
          ]}
        />
      }
    >
      {asTable ? (
        <Table size="small" rowKey="hour" columns={columns} dataSource={hours} pagination={false} />
      ) : (
        <Chart option={option} height={280} label={w.board.byHour} />
      )}
    </Card>
  );
}

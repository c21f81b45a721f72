import { Card, Col, Row, Statistic } from 'antd';
import { useMemo } from 'react';
import type { Totals } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { fenOf, grouped } from '../../parts/fen.ts';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

/** The personal share of the day: own accounts, relatives, cash. */
export function WhoPaid({ totals }: { readonly totals: Totals }) {
  const { w, appearance } = usePreferences();
  const colors = PAYING[appearance];
  const parts = useMemo(
    () => [
      { name: w.claim.own, amount: totals.acct_pay, color: colors.own },
      { name: w.claim.relatives, amount: totals.acct_mulaid_pay, color: colors.relative },
      { name: w.claim.cash, amount: totals.psn_cash_pay, color: colors.cash },
    ],
    [totals, w, colors],
  );
  const share = (amount: string) => {
    const whole = fenOf(totals.psn_part_amt);
    return whole === 0n ? '' : `${Number((fenOf(amount) * 1000n) / whole) / 10} %`;
  };
  const option = useMemo(
    () => ({
      animation: false,
      grid: { left: 0, right: 0, top: 0, bottom: 0 },
      xAxis: { type: 'value', show: false, max: 'dataMax' },
      yAxis: { type: 'category', show: false, data: [''] },
      series: parts.map(({ name, amount, color }) => ({
        type: 'bar',
        name,
        stack: 'all',
        barWidth: 22,
        data: [Number(amount)],
        itemStyle: { color },
      })),
    }),
    [parts],
  );
  const label = parts.map(({ name, amount }) => `${name} ${amount} ${share(amount)}`).join(', ');
  return (
    <Card title={w.board.split} extra={`${w.claim.share} ${grouped(totals.psn_part_amt)}`}>
      <Chart option={option} height={26} label={label} />
      <Row gutter={[16, 8]} style={{ marginTop: 12 }}>
        {parts.map(({ name, amount, color }) => (
          <Col key={name} flex="1 1 140px">
            <Statistic
              title={`${name} ${share(amount)}`}
              value={grouped(amount)}
              styles={{ content: { color, fontWeight: 600 } }}
            />
          </Col>
        ))}
      </Row>
    </Card>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Alert, Card, Col, DatePicker, Descriptions, Flex, Row, Typography } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { codes, live, totals } from '../../api/queries.ts';
import type { Totals } from '../../api/types.ts';
import { timeOf, Yuan } from '../../parts/figure.tsx';
import { Failure, Loading, NoRows } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { AlertList } from './alert-list.tsx';
import { CodeCounts } from './code-counts.tsx';
import { HoursChart } from './hours-chart.tsx';
import { LiveFigures } from './live-figures.tsx';
import { WhoPaid } from './who-paid.tsx';

/** What the system does at this moment, and the day so far. */
export function BoardPage() {
  const { w } = usePreferences();
  const [day, setDay] = useState<string>();
  const now = useQuery(live());
  const sums = useQuery(totals(day));
  const error = now.error ?? sums.error;
  if (error !== null && !now.data)
    return <Failure error={error} retry={() => void Promise.all([now.refetch(), sums.refetch()])} />;
  if (!now.data || !sums.data) return <Loading />;
  return (
    <Flex vertical gap="middle">
      <Typography.Title level={1} style={{ fontSize: 24, margin: 0 }}>
        {w.board.title}
      </Typography.Title>
      {error === null ? null : <Alert type="error" showIcon title={`${w.board.stale} ${timeOf(now.data.at)}`} />}
      <AlertList />
      <LiveFigures live={now.data} />
      <Flex gap="middle" align="center" wrap>
        <Typography.Title level={2} style={{ fontSize: 18, margin: 0 }}>
          {w.board.today}
        </Typography.Title>
        <DatePicker
          aria-label={w.board.day}
          allowClear={false}
          value={dayjs(sums.data.day)}
          onChange={(chosen) => setDay(chosen?.format('YYYY-MM-DD'))}
        />
        {sums.data.complete ? null : <Typography.Text type="warning">{w.board.partial}</Typography.Text>}
      </Flex>
      {sums.data.statuses.length === 0 ? <NoDay totals={sums.data} choose={setDay} /> : <Day totals={sums.data} />}
    </Flex>
  );
}

/** Where nothing was settled, the days on which something was are a press away. */
function NoDay({ totals: { days }, choose }: { readonly totals: Totals; readonly choose: (day: string) => void }) {
  const { w } = usePreferences();
  return (
    <Card>
      <NoRows text={w.board.noClaims} />
      {days.length === 0 ? null : (
        <Flex gap="small" wrap justify="center">
          <Typography.Text type="secondary">{w.board.allDays}</Typography.Text>
          {days.slice(0, 10).map((day) => (
            <Typography.Link key={day} onClick={() => choose(day)} href={location.hash}>
              {day}
            </Typography.Link>
          ))}
        </Flex>
      )}
    </Card>
  );
}

function Day({ totals: day }: { readonly totals: Totals }) {
  const { w, lang } = usePreferences();
  const { data } = useQuery(codes());
  const sentences = new Map(data?.codes.map(({ code, ...text }) => [code, text[lang]]));
  const counts = [
    ...day.statuses.map(({ status, count }) => ({
      label: w.statuses[status] ?? status,
      children: <span className="figure">{count}</span>,
    })),
    { label: w.board.refunded, children: <Yuan amount={day.refunded} /> },
    { label: w.board.premiums, children: <Yuan amount={day.premiums} /> },
  ];
  return (
    <Row gutter={[16, 16]}>
      <Col xs={24} lg={14}>
        <Flex vertical gap="middle">
          <WhoPaid totals={day} />
          <HoursChart totals={day} />
        </Flex>
      </Col>
      <Col xs={24} lg={10}>
        <Flex vertical gap="middle">
          <Card title={w.board.counts}>
            <Descriptions size="small" column={{ xs: 1, sm: 2 }} items={counts} />
          </Card>
          <CodeCounts title={w.board.skips} counts={day.skipped} sentences={sentences} />
          <CodeCounts title={w.board.refusals} counts={day.refused} sentences={sentences} />
        </Flex>
      </Col>
    </Row>
  );
}

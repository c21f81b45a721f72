import { useQuery } from '@tanstack/react-query';
import { Card, Progress, Table, type TableColumnsType } from 'antd';
import { arrearsChecks } from '../../api/queries.ts';
import type { ArrearsChecks } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { ListPage } from './list-page.tsx';

type Check = ArrearsChecks['checks'][number];

/** The nightly checks for missed contributions, and how far they have come. */
export function ArrearsPage() {
  const w = useWords();
  const { data, error, isPending, refetch } = useQuery(arrearsChecks());
  const number = (title: string, field: 'checked' | 'marked' | 'paused') => ({
    title,
    align: 'right' as const,
    render: (_: unknown, row: Check) => <span className="figure">{row[field].toLocaleString('en-US')}</span>,
  });
  const columns: TableColumnsType<Check> = [
    { title: w.staff.check, dataIndex: 'check_id' },
    { title: w.staff.on, dataIndex: 'on' },
    {
      title: w.staff.progress,
      width: 220,
      render: (_, { finished, shards }) => (
        <Progress
          percent={Math.round((finished * 100) / shards)}
          size="small"
          // Done is no reason for green figures, which are hard to read.
          status="normal"
          format={() => w.staff.shards(finished, shards)}
          aria-label={w.staff.shards(finished, shards)}
        />
      ),
    },
    number(w.staff.checked, 'checked'),
    number(w.staff.marked, 'marked'),
    number(w.staff.pausedCount, 'paused'),
    { title: w.staff.began, render: (_, { started_at: at }) => <span className="figure">{timeOf(at)}</span> },
    {
      title: w.staff.took,
      align: 'right',
      render: (_, each) =>
        `${((Date.parse(each.moved_at) - Date.parse(each.started_at)) / 1_000).toFixed(1)} ${w.board.seconds}`,
    },
  ];
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <ListPage title={w.staff.arrearsTitle} hint={w.staff.arrearsHint}>
      <Card>
        <Table
          loading={isPending}
          rowKey={(row) => `${row.check_id}${row.on}`}
          columns={columns}
          dataSource={data?.checks ?? []}
          pagination={{ pageSize: 20, hideOnSinglePage: true }}
          scroll={{ x: true }}
          // Nothing in a row leads anywhere, and what scrolls must be within the keyboard's reach.
          onRow={() => ({ tabIndex: 0 })}
          locale={{ emptyText: <NoRows text={w.staff.arrearsNone} /> }}
        />
      </Card>
    </ListPage>
  );
}

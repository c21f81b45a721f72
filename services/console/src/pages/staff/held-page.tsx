import { useQuery } from '@tanstack/react-query';
import { Card, Table, type TableColumnsType, Typography } from 'antd';
import { heldRefunds } from '../../api/queries.ts';
import type { HeldRefunds } from '../../api/types.ts';
import { personLink, Yuan } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { ListPage } from './list-page.tsx';

/** What refunds owe to owners of closed accounts, to be paid out by hand. */
export function HeldPage() {
  const w = useWords();
  const { data, error, isPending, refetch } = useQuery(heldRefunds());
  const columns: TableColumnsType<HeldRefunds['held'][number]> = [
    { title: w.person.date, render: (_, { on }) => <span className="figure">{on}</span> },
    {
      title: w.staff.person,
      render: (_, { psn_no: no }) => <Typography.Link href={personLink(no)}>{no}</Typography.Link>,
    },
    {
      title: w.staff.refund,
      render: (_, { refund_id: id }) => <Typography.Text copyable={{ tooltips: w.copy }}>{id}</Typography.Text>,
    },
    { title: w.staff.owed, align: 'right', render: (_, { amount }) => <Yuan amount={amount} /> },
    { title: w.staff.paidOut, align: 'right', render: (_, { paid_out: paid }) => <Yuan amount={paid} /> },
    { title: w.staff.open, align: 'right', render: (_, { open }) => <Yuan amount={open} strong /> },
  ];
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <ListPage title={w.staff.heldTitle} hint={w.staff.heldHint}>
      <Card>
        <Table
          loading={isPending}
          rowKey={(row) => `${row.psn_no}${row.refund_id}`}
          columns={columns}
          dataSource={data?.held ?? []}
          pagination={{ pageSize: 20, hideOnSinglePage: true }}
          scroll={{ x: true }}
          locale={{ emptyText: <NoRows text={w.staff.heldNone} /> }}
        />
        {data?.next === undefined ? null : <Typography.Text type="secondary">{w.more}</Typography.Text>}
      </Card>
    </ListPage>
  );
}

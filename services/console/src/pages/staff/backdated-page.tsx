import { useQuery } from '@tanstack/react-query';
import { Card, Flex, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { backdated, codes } from '../../api/queries.ts';
import type { Backdated } from '../../api/types.ts';
import { claimLink, dayOf, personLink, Yuan } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { ListPage } from './list-page.tsx';

type Payer = Backdated['payers'][number];
type Draw = Payer['draws'][number];

/** Draws that stand although facts known later speak against them, payer by payer. */
export function BackdatedPage() {
  const { w } = usePreferences();
  const { data, error, isPending, refetch } = useQuery(backdated());
  const draws = useDrawColumns();
  const columns: TableColumnsType<Payer> = [
    {
      title: w.staff.payer,
      render: (_, { payer }) => <Typography.Link href={personLink(payer)}>{payer}</Typography.Link>,
    },
    { title: w.staff.draws, dataIndex: 'count', align: 'right' },
    { title: w.staff.drawn, align: 'right', render: (_, { amount }) => <Yuan amount={amount} /> },
    { title: w.staff.refunded, align: 'right', render: (_, { refunded }) => <Yuan amount={refunded} /> },
    { title: w.staff.net, align: 'right', render: (_, { net }) => <Yuan amount={net} strong /> },
  ];
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <ListPage title={w.staff.backdatedTitle} hint={w.staff.backdatedHint}>
      <Card>
        <Table
          loading={isPending}
          rowKey="payer"
          columns={columns}
          dataSource={data?.payers ?? []}
          pagination={{ pageSize: 20, hideOnSinglePage: true }}
          locale={{ emptyText: <NoRows text={w.staff.backdatedNone} /> }}
          expandable={{
            expandedRowRender: ({ draws: rows }) => (
              <Table
                size="small"
                rowKey={(row) => `${row.setl_id}${row.binding_id}${row.on}`}
                columns={draws}
                dataSource={rows}
                pagination={false}
              />
            ),
            defaultExpandAllRows: true,
          }}
          key={isPending ? 'pending' : 'read'}
        />
        {data?.next === undefined ? null : <Typography.Text type="secondary">{w.more}</Typography.Text>}
      </Card>
    </ListPage>
  );
}

function useDrawColumns(): TableColumnsType<Draw> {
  const { w, lang } = usePreferences();
  const { data } = useQuery(codes());
  const sentenceOf = (code: string) => data?.codes.find((each) => each.code === code)?.[lang] ?? code;
  return [
    { title: w.person.date, render: (_, { on }) => <span className="figure">{on}</span> },
    {
      title: w.claim.settlementId,
      render: (_, { claim_id: claim, premium_id: premium }) => {
        const id = claim ?? premium ?? '';
        return <Typography.Link href={claimLink(id)}>{id}</Typography.Link>;
      },
    },
    {
      title: w.claim.beneficiary,
      render: (_, each) => (
        <Flex gap="small" wrap>
          <Tag>{w.relations[each.relation]}</Tag>
          <Typography.Link href={personLink(each.beneficiary)}>{each.beneficiary}</Typography.Link>
        </Flex>
      ),
    },
    { title: w.staff.net, align: 'right', render: (_, { net }) => <Yuan amount={net} strong /> },
    {
      title: w.staff.why,
      render: (_, { reasons }) =>
        reasons.map(({ code, since, cause, known_at: known }) => (
          <div key={`${code}${since}`}>
            {sentenceOf(code)}{' '}
            <Typography.Text type="secondary">
              {w.staff.since} {since} · {w.staff.cause} {cause.ce_type} · {w.staff.known} {dayOf(known)}
            </Typography.Text>
          </div>
        )),
    },
  ];
}

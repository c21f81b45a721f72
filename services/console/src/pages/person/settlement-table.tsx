import { useQuery } from '@tanstack/react-query';
import { Card, Flex, Switch, Table, type TableColumnsType, Typography } from 'antd';
import { useState } from 'react';
import { settlementsOf } from '../../api/queries.ts';
import type { Summary } from '../../api/types.ts';
import { claimLink, timeOf, Yuan } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { StatusTag } from '../claim/heading.tsx';

/** What was settled for a person, the last first; each leads to the page that explains it. */
export function SettlementTable({ personNo }: { readonly personNo: string }) {
  const w = useWords();
  const [cashOnly, setCashOnly] = useState(false);
  const { data, error, isPending, refetch } = useQuery(settlementsOf(personNo));
  const columns = useColumns();
  const rows = (data?.settlements ?? []).filter((row) => !cashOnly || leavesCash(row));
  const extra = (
    <Flex gap="small" align="center" component="label">
      <Switch size="small" checked={cashOnly} onChange={setCashOnly} aria-label={w.person.cashOnly} />
      {w.person.cashOnly}
    </Flex>
  );
  return (
    <Card title={w.person.settlements} extra={extra}>
      {error === null ? (
        <Table
          size="small"
          loading={isPending}
          rowKey={(row) => `${row.kind}${row.refund_id ?? row.claim_id}${row.setl_time}`}
          columns={columns}
          dataSource={rows}
          pagination={{ pageSize: 8, hideOnSinglePage: true, showSizeChanger: false }}
          scroll={{ x: true }}
          locale={{ emptyText: <NoRows text={w.person.noSettlements} /> }}
        />
      ) : (
        <Failure error={error} retry={() => void refetch()} />
      )}
    </Card>
  );
}

const leavesCash = ({ kind, psn_cash_pay: cash }: Summary): boolean =>
  kind === 'CLAIM' && cash !== null && cash !== '0.00';

function useColumns(): TableColumnsType<Summary> {
  const w = useWords();
  const amount = (title: string, of: (row: Summary) => string | null, strong = false) => ({
    title,
    align: 'right' as const,
    render: (_: unknown, row: Summary) => <Yuan amount={of(row)} strong={strong && leavesCash(row)} />,
  });
  const whatOf = ({ kind, service_class: serviceClass }: Summary) =>
    kind === 'CLAIM' && serviceClass !== null ? w.classes[serviceClass] : w.kinds[kind];
  return [
    {
      title: w.person.date,
      render: (_, { setl_time: time }) => <span className="figure">{time === null ? '–' : timeOf(time)}</span>,
    },
    {
      title: w.claim.settlementId,
      render: (_, { kind, claim_id: id }) =>
        kind === 'REJECTED' ? id : <Typography.Link href={claimLink(id)}>{id}</Typography.Link>,
    },
    { title: w.person.what, render: (_, row) => whatOf(row) },
    { title: w.person.status, render: (_, { status }) => <StatusTag status={status} /> },
    amount(w.claim.share, (row) => row.psn_part_amt),
    // A tablet has room for what was left in cash; what the accounts paid stands on the claim's page.
    { ...amount(w.claim.own, (row) => row.acct_pay), responsive: ['lg'] },
    { ...amount(w.claim.relatives, (row) => row.acct_mulaid_pay), responsive: ['lg'] },
    amount(w.claim.cash, (row) => row.psn_cash_pay, true),
  ];
}

import { useQuery } from '@tanstack/react-query';
import { Alert, Card, DatePicker, Flex, Input, Table, type TableColumnsType, Typography } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { reconciliation } from '../../api/queries.ts';
import type { Reconciliation } from '../../api/types.ts';
import { grouped, sumOf } from '../../parts/fen.ts';
import { dayOf, Yuan } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { ListPage } from '../staff/list-page.tsx';
import { CompareCard } from './compare-card.tsx';

type Total = Reconciliation['totals'][number];
const AMOUNTS = ['medfee_sumamt', 'fund_pay_sumamt', 'acct_pay', 'acct_mulaid_pay', 'cash_payamt'] as const;

/** Reconciliation (对账) of a day: its totals, whether its books are closed, and what differs from the other side's file. */
export function BooksPage({ day = dayOf(new Date().toISOString()) }: { readonly day?: string | undefined }) {
  const { books: w } = useWords();
  const [, navigate] = useLocation();
  const [institution, setInstitution] = useState<string>();
  const { data, error, isPending, refetch } = useQuery(reconciliation(day, institution));
  return (
    <ListPage title={w.title} hint={w.hint}>
      <Flex gap="middle" wrap align="center">
        <DatePicker
          aria-label={w.day}
          allowClear={false}
          value={dayjs(day)}
          onChange={(chosen) => navigate(`/books/${chosen?.format('YYYY-MM-DD')}`)}
        />
        <Input.Search
          aria-label={w.institution}
          placeholder={w.institution}
          allowClear
          style={{ width: 260 }}
          onSearch={(text) => setInstitution(text.trim() || undefined)}
        />
      </Flex>
      {error === null ? null : <Failure error={error} retry={() => void refetch()} />}
      {data === undefined ? null : <Books books={data.books} />}
      <Card title={w.totals}>
        <Totals totals={data?.totals ?? []} loading={isPending && error === null} />
      </Card>
      <CompareCard day={day} institution={institution} />
    </ListPage>
  );
}

/** Whether the books of the day are closed, and that both sides are equal. */
function Books({ books }: { readonly books: Reconciliation['books'] }) {
  const { books: w } = useWords();
  if (books === null) return <Alert type="info" showIcon title={w.none} />;
  const { closed, entries, debits, credits, balanced } = books;
  return (
    <Alert
      showIcon
      type={balanced ? (closed ? 'success' : 'info') : 'error'}
      title={closed ? w.closed : w.open}
      description={balanced ? w.balanced(entries, grouped(debits)) : w.unbalanced(grouped(debits), grouped(credits))}
    />
  );
}

function Totals({ totals, loading }: { readonly totals: readonly Total[]; readonly loading: boolean }) {
  const { books: w, claim, insurances } = useWords();
  const titles = [claim.total, claim.fund, claim.own, claim.relatives, claim.cash];
  const columns: TableColumnsType<Total> = [
    { title: claim.institution, dataIndex: 'fixmedins_code' },
    { title: w.insurance, render: (_, { insutype }) => insurances[insutype] ?? insutype },
    { title: w.class, render: (_, { clr_type: type }) => w.classes[type] ?? type },
    { title: w.count, align: 'right', dataIndex: 'fixmedins_setl_cnt' },
    ...AMOUNTS.map((name, i) => ({
      title: titles[i],
      align: 'right' as const,
      render: (_: unknown, row: Total) => <Yuan amount={row[name]} />,
    })),
  ];
  return (
    <Table
      size="small"
      loading={loading}
      rowKey={(row) => `${row.fixmedins_code} ${row.insutype} ${row.clr_type}`}
      columns={columns}
      dataSource={[...totals]}
      pagination={{ pageSize: 20, hideOnSinglePage: true }}
      scroll={{ x: true }}
      // Nothing in a row leads anywhere, and what scrolls must be within the keyboard's reach.
      onRow={() => ({ tabIndex: 0 })}
      locale={{ emptyText: <NoRows text={w.noTotals} /> }}
      summary={() =>
        totals.length === 0 ? null : (
          <Table.Summary.Row>
            <Table.Summary.Cell index={0} colSpan={3}>
              <Typography.Text strong>{w.all}</Typography.Text>
            </Table.Summary.Cell>
            <Table.Summary.Cell index={3} align="right">
              {totals.reduce((sum, { fixmedins_setl_cnt: count }) => sum + count, 0)}
            </Table.Summary.Cell>
            {AMOUNTS.map((name, i) => (
              <Table.Summary.Cell key={name} index={4 + i} align="right">
                <Yuan strong amount={sumOf(totals.map((row) => row[name]))} />
              </Table.Summary.Cell>
            ))}
          </Table.Summary.Row>
        )
      }
    />
  );
}

import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Card, DatePicker, Flex, Input, Segmented, Table, type TableColumnsType, Typography } from 'antd';
import { useState } from 'react';
import { download } from '../../api/client.ts';
import { usageOf } from '../../api/queries.ts';
import type { Account, UsageRow } from '../../api/types.ts';
import { claimLink, personLink, timeOf, Yuan } from '../../parts/figure.tsx';
import { Failure } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { PerPerson } from './per-person.tsx';

type Side = 'payer' | 'beneficiary';

/** The usage details (共济使用明细): what left this person's account, or what relatives paid for them, to look through and to export. */
export function UsageCard({ personNo, account }: { readonly personNo: string; readonly account: Account }) {
  const w = useWords();
  const { message } = App.useApp();
  const [side, setSide] = useState<Side>(account.balance === null ? 'beneficiary' : 'payer');
  const [filter, setFilter] = useState<{ from?: string; to?: string; name?: string }>({});
  const asked = { [side]: personNo, ...filter };
  const { data, error, isPending, refetch } = useQuery(usageOf(asked));
  const columns = useColumns(side);
  const save = (form: 'csv' | 'xlsx') =>
    download(`/v1/usage.${form}`, asked, `usage.${form}`).catch(() => message.error(w.unreachable));
  return (
    <Card
      title={w.person.usage}
      extra={
        <Flex gap="small">
          {(['csv', 'xlsx'] as const).map((form) => (
            <Button key={form} size="small" icon={<DownloadOutlined />} onClick={() => void save(form)}>
              {form === 'csv' ? w.person.exportCsv : w.person.exportXlsx}
            </Button>
          ))}
        </Flex>
      }
    >
      <Flex gap="small" wrap style={{ marginBottom: 12 }}>
        <Segmented<Side>
          value={side}
          onChange={setSide}
          options={[
            { value: 'payer', label: w.person.usagePaid },
            { value: 'beneficiary', label: w.person.usageGot },
          ]}
        />
        <DatePicker.RangePicker
          aria-label={w.person.from}
          allowEmpty={[true, true]}
          onChange={(_, dates) => setFilter({ ...filter, from: dates?.[0] ?? '', to: dates?.[1] ?? '' })}
        />
        <Input.Search
          aria-label={w.person.name}
          placeholder={w.person.name}
          allowClear
          style={{ width: 220 }}
          onSearch={(name) => setFilter({ ...filter, name: name.trim() })}
        />
      </Flex>
      {error === null ? (
        <>
          <PerPerson rows={data?.rows ?? []} side={side} personNo={personNo} />
          <Table
            size="small"
            loading={isPending}
            rowKey={(row) => `${row.claim_id}${row.payer}${row.binding_id}`}
            columns={columns}
            dataSource={data?.rows ?? []}
            pagination={{ pageSize: 10, hideOnSinglePage: true, showSizeChanger: false }}
            scroll={{ x: 'max-content' }}
            {...(filter.name ? { locale: { emptyText: w.person.noSuchName } } : {})}
          />
          {data?.next === undefined ? null : <Typography.Text type="secondary">{w.more}</Typography.Text>}
          {side === 'beneficiary' ? (
            <Typography.Text type="secondary">{w.person.beneficiarySees}</Typography.Text>
          ) : null}
        </>
      ) : (
        <Failure error={error} retry={() => void refetch()} />
      )}
    </Card>
  );
}

function useColumns(side: Side): TableColumnsType<UsageRow> {
  const w = useWords();
  const other = side === 'payer' ? 'beneficiary' : 'payer';
  const amount = (title: string, of: (row: UsageRow) => string | null, strong = false) => ({
    title,
    align: 'right' as const,
    render: (_: unknown, row: UsageRow) => <Yuan amount={of(row)} strong={strong} />,
  });
  return [
    { title: w.person.date, render: (_, { setl_time: time }) => <span className="figure">{timeOf(time)}</span> },
    {
      title: w.claim.settlementId,
      render: (_, { claim_id: id }) => <Typography.Link href={claimLink(id)}>{id}</Typography.Link>,
    },
    {
      title: w.claim[other],
      render: (_, row) => <Typography.Link href={personLink(row[other])}>{row[other]}</Typography.Link>,
    },
    {
      title: w.person.relation,
      render: (_, { relation }) =>
        relation === null ? w.sources.OWN : side === 'payer' ? w.relations[relation] : w.payerAs[relation],
    },
    {
      title: w.person.what,
      responsive: ['lg'],
      render: (_, { kind, service_class: serviceClass }) =>
        serviceClass === null ? w.kinds[kind] : w.classes[serviceClass],
    },
    { title: w.claim.institution, responsive: ['lg'], render: (_, row) => row.fixmedins_code ?? '–' },
    amount(w.claim.amount, (row) => row.amount, true),
    amount(w.person.refunded, (row) => (row.refunded === '0.00' ? null : row.refunded)),
    ...(side === 'payer'
      ? [
          amount(w.person.balanceAfter, (row) => row.balance_after ?? null),
          amount(w.person.headroom, (row) => row.daily_headroom ?? null),
        ]
      : []),
  ];
}

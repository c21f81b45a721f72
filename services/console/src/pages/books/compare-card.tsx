import { UploadOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Table, type TableColumnsType, Typography, Upload } from 'antd';
import { useMemo } from 'react';
import { upload } from '../../api/client.ts';
import type { Comparison } from '../../api/types.ts';
import { barsOf } from '../../charts/bars.ts';
import { Chart } from '../../charts/chart.tsx';
import { Yuan } from '../../parts/figure.tsx';
import { ProblemAlert } from '../../parts/problem.tsx';
import { usePreferences, useWords } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

type Difference = Comparison['differences'][number];
interface Of {
  readonly day: string;
  readonly institution: string | undefined;
}

/** Holds the other side's file against ours, on the server; nothing is kept of it. */
export function CompareCard({ day, institution }: Of) {
  const { books: w } = useWords();
  const compare = useMutation({
    mutationFn: (file: Blob) => upload<Comparison>('/v1/reconciliation/compare', { day, institution }, file),
  });
  return (
    <Card title={w.compare}>
      <Flex vertical gap="middle">
        <Upload
          accept=".csv,text/csv"
          maxCount={1}
          showUploadList={false}
          beforeUpload={(file) => {
            compare.mutate(file);
            return false;
          }}
        >
          <Button icon={<UploadOutlined />} loading={compare.isPending}>
            {w.choose}
          </Button>
        </Upload>
        <Typography.Text type="secondary">{w.fileHint}</Typography.Text>
        {compare.error === null ? null : <ProblemAlert error={compare.error} />}
        {compare.data === undefined ? null : <Compared comparison={compare.data} />}
      </Flex>
    </Card>
  );
}

function Compared({ comparison: { of, compared, same, kinds, differences } }: { readonly comparison: Comparison }) {
  const { w: words, appearance } = usePreferences();
  const { books: w } = words;
  const colors = PAYING[appearance];
  const counts = useMemo(
    () => [
      { name: w.same, count: same, color: colors.own },
      ...kinds.map(({ kind, count }) => ({ name: w.kinds[kind], count, color: colors.cash })),
    ],
    [same, kinds, w, colors],
  );
  const option = useMemo(() => barsOf(counts, colors.text), [counts, colors]);
  const label = `${w.picture}: ${counts.map(({ name, count }) => `${name} ${count}`).join(', ')}`;
  return (
    <Flex vertical gap="middle">
      <Typography.Text strong role="status">
        {w.compared[of](compared)}: {counts.map(({ name, count }) => `${name} ${count}`).join(' · ')}
      </Typography.Text>
      <Chart option={option} height={150} label={label} />
      <Differences differences={differences} />
    </Flex>
  );
}

function Differences({ differences }: { readonly differences: readonly Difference[] }) {
  const { books: w, claim, insurances } = useWords();
  const names: Readonly<Record<string, string>> = {
    medfee_sumamt: claim.total,
    fund_pay_sumamt: claim.fund,
    acct_pay: claim.own,
    acct_mulaid_pay: claim.relatives,
    cash_payamt: claim.cash,
    fixmedins_setl_cnt: w.count,
  };
  if (differences.length === 0) return <Alert type="success" showIcon title={w.noDifference} />;
  const columns: TableColumnsType<Difference> = [
    { title: w.kind, render: (_, { kind }) => w.kinds[kind] },
    ...columnsOf(differences, [
      [
        w.settlement,
        ({ setl_id: id, refd_setl_flag: flag }) => (id !== undefined && flag === '1' ? w.refundOf(id) : id),
      ],
      [w.day, (row) => row.day],
      [claim.institution, (row) => row.fixmedins_code],
      [w.insurance, ({ insutype: kind }) => (kind === undefined ? kind : (insurances[kind] ?? kind))],
      [w.class, ({ clr_type: type }) => (type === undefined ? type : (w.classes[type] ?? type))],
    ]),
    { title: w.column, render: (_, { column }) => (column === null ? claim.total : (names[column] ?? column)) },
    { title: w.here, align: 'right', render: (_, { here }) => <Said said={here} /> },
    { title: w.there, align: 'right', render: (_, { there }) => <Said said={there} /> },
  ];
  return (
    <>
      <Table
        size="small"
        rowKey={({ here: _, there: __, ...key }) => JSON.stringify(key)}
        columns={columns}
        dataSource={[...differences]}
        pagination={{ pageSize: 20, hideOnSinglePage: true }}
        scroll={{ x: true }}
        onRow={() => ({ tabIndex: 0 })}
      />
      {differences.length < SHOWN_MAX ? null : <Typography.Text type="secondary">{w.shown(SHOWN_MAX)}</Typography.Text>}
    </>
  );
}

/** A column for each thing that the file tells its rows apart by. */
const columnsOf = (
  rows: readonly Difference[],
  all: readonly (readonly [title: string, of: (row: Difference) => string | undefined])[],
): TableColumnsType<Difference> =>
  all
    .filter(([, of]) => rows.some((row) => of(row) !== undefined))
    .map(([title, of]) => ({ title, render: (_: unknown, row: Difference) => of(row) }));

/** An amount, or how many. */
const Said = ({ said }: { readonly said: Difference['here'] }) =>
  typeof said === 'number' ? <span className="figure">{said}</span> : <Yuan amount={said} />;

/** How many the API lists. */
const SHOWN_MAX = 1_000;

import { Button, Flex, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { useState } from 'react';
import { useCommand, useOffered } from '../../api/commands.ts';
import type { Binding } from '../../api/types.ts';
import { personLink, Yuan } from '../../parts/figure.tsx';
import { NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { BindingActions } from './binding-actions.tsx';
import { HistoryButton } from './history-button.tsx';
import { reordered } from './order.ts';
import { DragHandle, SortableRow, SortableRows } from './sortable-rows.tsx';

/** The bindings of a person, `side` being who is shown; those who pay can be put in another order where the API takes that. */
export function BindingTable({
  bindings,
  side,
}: {
  readonly bindings: readonly Binding[];
  readonly side: 'payer' | 'beneficiary';
}) {
  const w = useWords();
  const offered = useOffered('patch', '/v1/bindings/{binding_id}');
  const sortable = offered === true && side === 'payer' && bindings.length > 1;
  const [order, setOrder] = useState<readonly string[] | null>(null);
  const rows =
    order === null ? bindings : order.flatMap((id) => bindings.find(({ binding_id }) => binding_id === id) ?? []);
  const columns = useColumns(side, sortable);
  if (bindings.length === 0) return <NoRows text={side === 'payer' ? w.person.noPayers : w.person.noBeneficiaries} />;
  const table = (
    <Table
      size="small"
      rowKey="binding_id"
      columns={columns}
      dataSource={[...rows]}
      pagination={false}
      scroll={{ x: 'max-content' }}
      {...(sortable ? { components: { body: { row: SortableRow } } } : {})}
    />
  );
  if (!sortable) return table;
  return (
    <>
      <Typography.Paragraph type="secondary">{w.commands.reorder}</Typography.Paragraph>
      <SortableRows ids={rows.map(({ binding_id }) => binding_id)} onMove={setOrder}>
        {table}
      </SortableRows>
      <SaveOrder rows={rows} changed={order !== null} undo={() => setOrder(null)} />
    </>
  );
}

function SaveOrder({ rows, changed, undo }: { rows: readonly Binding[]; changed: boolean; undo: () => void }) {
  const w = useWords();
  const send = useCommand();
  if (!changed) return null;
  const save = () =>
    send.mutate(
      reordered(rows).map(({ bindingId, priority }) => ({
        method: 'PATCH',
        path: `/v1/bindings/${encodeURIComponent(bindingId)}`,
        body: { priority },
      })),
      { onSuccess: undo },
    );
  return (
    <Flex gap="small" style={{ marginTop: 12 }}>
      <Button type="primary" onClick={save} loading={send.isPending}>
        {w.commands.saveOrder}
      </Button>
      <Button onClick={undo}>{w.commands.undoOrder}</Button>
    </Flex>
  );
}

function useColumns(side: 'payer' | 'beneficiary', sortable: boolean): TableColumnsType<Binding> {
  const w = useWords();
  const order = {
    title: w.person.order,
    width: 70,
    render: (_: unknown, __: Binding, place: number) => <span className="figure">{place + 1}</span>,
  };
  const handle = { title: '', key: 'drag', width: 48, render: () => <DragHandle label={w.commands.reorder} /> };
  return [
    ...(sortable ? [handle] : []),
    ...(side === 'payer' ? [order] : []),
    {
      title: w.person.who,
      render: (_, each) => <Typography.Link href={personLink(each[side])}>{each[side]}</Typography.Link>,
    },
    {
      title: w.person.relation,
      render: (_, { relation }) => (side === 'payer' ? w.payerAs[relation] : w.relations[relation]),
    },
    { title: w.person.state, render: (_, each) => <BindingState binding={each} /> },
    {
      title: w.person.limit,
      // A tablet has room for what may be done about a binding; its limits stand in the dialog that sets them.
      responsive: ['lg'],
      align: 'right',
      render: (_, { daily_limit: limit }) =>
        limit === null ? (
          <Typography.Text type="secondary">{w.person.noLimit}</Typography.Text>
        ) : (
          <Yuan amount={limit} />
        ),
    },
    {
      title: w.person.authorised,
      responsive: ['lg'],
      align: 'right',
      render: (_, { authorised_amount: amount }) => <Yuan amount={amount} />,
    },
    {
      title: w.person.period,
      responsive: ['lg'],
      render: (_, each) => (
        <span className="figure">
          {each.effective_from} – {each.effective_to ?? w.person.openEnd}
        </span>
      ),
    },
    {
      title: '',
      key: 'actions',
      // Where the table is wider than its place, this stays in reach, and its shadow shows that there is more.
      fixed: 'end',
      align: 'right',
      render: (_, each) => (
        <Flex gap="small" justify="end">
          <HistoryButton binding={each} />
          <BindingActions binding={each} />
        </Flex>
      ),
    },
  ];
}

const COLORS: Readonly<Record<string, string>> = { ACTIVE: 'green', PAUSED: 'orange', PENDING: 'blue' };

/** A binding's state, and why it is paused. */
function BindingState({ binding: { state, pause_reasons: reasons, type } }: { readonly binding: Binding }) {
  const w = useWords();
  return (
    <Flex gap={4} align="center" wrap>
      <Tag color={COLORS[state] ?? 'default'}>{w.states[state]}</Tag>
      {reasons.map((reason) => (
        <Typography.Text key={reason} type="secondary">
          {w.reasons[reason]}
        </Typography.Text>
      ))}
      {type === 'KINSHIP_CODE' ? <Typography.Text type="secondary">{w.person.kinship}</Typography.Text> : null}
    </Flex>
  );
}

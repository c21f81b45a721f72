import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Flex, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { useState } from 'react';
import { heldAt } from '../../api/queries.ts';
import type { HeldMessages as Held } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { MessageContent } from './message-content.tsx';
import { DropButton } from './order-dialog.tsx';

type Message = Held['messages'][number];

/** What is held of a key, in order; each message may be given up by itself. */
export function HeldMessages({ place }: { readonly place: string }) {
  const { repair: w } = useWords();
  const [whole, setWhole] = useState(false);
  const { data, error, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery(heldAt(place, whole));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  const columns: TableColumnsType<Message> = [
    { title: w.place, render: (_, row) => <span className="figure">{row.place}</span> },
    { title: w.sent, render: (_, { at }) => <span className="figure">{timeOf(at)}</span> },
    { title: w.type, render: (_, { is_work: isWork, type }) => (isWork ? <Tag>{w.work}</Tag> : (type ?? '–')) },
    { title: w.id, render: (_, { id }) => id ?? '–' },
    {
      title: w.failed,
      render: (_, { failure }) => failure ?? <Typography.Text type="secondary">{w.waits}</Typography.Text>,
    },
    { title: '', fixed: 'end', render: (_, row) => (row.is_work ? null : <DropButton place={row.place} />) },
  ];
  return (
    <Flex vertical gap="small">
      <Flex gap="small" align="center" wrap>
        <Typography.Text strong>{w.messages}</Typography.Text>
        {whole ? null : (
          <Button size="small" onClick={() => setWhole(true)}>
            {w.content}
          </Button>
        )}
        <Typography.Text type="secondary">{w.contentHint}</Typography.Text>
      </Flex>
      <Table
        size="small"
        loading={isPending}
        rowKey="place"
        columns={columns}
        dataSource={data?.pages.flatMap((page) => page.messages) ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        expandable={{
          expandedRowRender: (message) => <MessageContent message={message} />,
          rowExpandable: ({ headers }) => headers !== undefined,
          ...(whole ? {} : { showExpandColumn: false }),
        }}
      />
      {hasNextPage ? <Button onClick={() => void fetchNextPage()}>{w.more}</Button> : null}
    </Flex>
  );
}

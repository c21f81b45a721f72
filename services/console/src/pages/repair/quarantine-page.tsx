import { useInfiniteQuery } from '@tanstack/react-query';
import { Alert, Button, Card, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { useState } from 'react';
import type { Parameters } from '../../api/client.ts';
import { useOffered } from '../../api/commands.ts';
import { quarantine } from '../../api/queries.ts';
import type { Quarantine } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { ListPage } from '../staff/list-page.tsx';
import { HeldMessages } from './held-messages.tsx';
import { ReleaseButton } from './order-dialog.tsx';
import { SetAsideFilter } from './set-aside-filter.tsx';

type Row = Quarantine['quarantined'][number];

/** The people whose messages are held since a worker failed on one; released or given up by order. */
export function QuarantinePage() {
  const { repair: w } = useWords();
  const offered = useOffered('post', '/v1/quarantine/{place}/release');
  return (
    <ListPage title={w.quarantineTitle} hint={w.quarantineHint}>
      {offered === false ? <Alert type="info" showIcon title={w.notOffered} /> : <Keys />}
    </ListPage>
  );
}

function Keys() {
  const { repair: w } = useWords();
  const [filter, setFilter] = useState<Parameters>({});
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    quarantine(filter),
  );
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  const columns: TableColumnsType<Row> = [
    { title: w.place, render: (_, { place }) => <span className="figure">{place}</span> },
    { title: w.since, render: (_, { since }) => <span className="figure">{timeOf(since)}</span> },
    { title: w.count, align: 'right', dataIndex: 'messages' },
    {
      title: w.failed,
      render: (_, { failed, failure }) => (
        <>
          <span className="figure">{failed ?? '–'}</span>
          <br />
          <Typography.Text type="secondary">{failure}</Typography.Text>
        </>
      ),
    },
    {
      title: '',
      fixed: 'end',
      render: (_, row) =>
        row.ordered === null ? (
          <ReleaseButton place={row.place} messages={row.messages} />
        ) : (
          <Tag>{w.ordered[row.ordered]}</Tag>
        ),
    },
  ];
  return (
    <>
      <Card>
        <SetAsideFilter when={w.since} onFilter={setFilter} />
      </Card>
      <Card>
        <Table
          size="small"
          loading={isPending}
          rowKey="place"
          columns={columns}
          dataSource={data?.pages.flatMap((page) => page.quarantined) ?? []}
          pagination={{ pageSize: 20, hideOnSinglePage: true }}
          scroll={{ x: 'max-content' }}
          locale={{ emptyText: <NoRows text={w.quarantineNone} /> }}
          expandable={{ expandedRowRender: ({ place }) => <HeldMessages place={place} /> }}
        />
        {hasNextPage ? (
          <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {w.more}
          </Button>
        ) : null}
      </Card>
    </>
  );
}

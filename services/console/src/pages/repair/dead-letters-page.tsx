import { detailInChinese } from '@repo/contracts/problem-words';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button, Card, Flex, Table, type TableColumnsType, Typography } from 'antd';
import { useState } from 'react';
import type { Parameters } from '../../api/client.ts';
import { useOffered } from '../../api/commands.ts';
import { codes, deadLetters } from '../../api/queries.ts';
import type { ListedLetter } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure, NoRows } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { ListPage } from '../staff/list-page.tsx';
import { LetterDrawer } from './letter-drawer.tsx';
import { RedriveDialog } from './redrive-dialog.tsx';
import { SetAsideFilter } from './set-aside-filter.tsx';

/** Messages that could not be used: found, looked at, and sent again. */
export function DeadLettersPage() {
  const { w } = usePreferences();
  const [filter, setFilter] = useState<Parameters>({});
  const [selected, setSelected] = useState<readonly string[]>([]);
  const [shown, setShown] = useState<string>();
  const [sending, setSending] = useState<readonly string[]>();
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    deadLetters(filter),
  );
  const offered = useOffered('post', '/v1/dead-letters/redrive');
  const columns = useColumns(setShown);
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  const rows = data?.pages.flatMap((page) => page.dead_letters) ?? [];
  return (
    <ListPage title={w.repair.lettersTitle} hint={w.repair.lettersHint}>
      <Card>
        <SetAsideFilter
          withCode
          when={w.repair.sent}
          onFilter={(chosen) => {
            setFilter(chosen);
            setSelected([]);
          }}
        />
      </Card>
      <Card
        extra={
          offered ? (
            <Button type="primary" disabled={selected.length === 0} onClick={() => setSending(selected)}>
              {w.repair.redrive(selected.length)}
            </Button>
          ) : null
        }
        title={`${w.repair.lettersTitle} ${rows.length}${hasNextPage ? '+' : ''}`}
      >
        <Table
          size="small"
          loading={isPending}
          rowKey="dead_letter_id"
          columns={columns}
          dataSource={rows}
          pagination={{ pageSize: 20, hideOnSinglePage: true }}
          // Not made to scroll: the library would then repeat the box of the head in a row that is hidden from screen readers only.
          locale={{ emptyText: <NoRows text={w.repair.lettersNone} /> }}
          {...(offered && {
            rowSelection: {
              selectedRowKeys: [...selected],
              onChange: (keys: React.Key[]) => setSelected(keys.map(String)),
              getCheckboxProps: ({ place }: ListedLetter) => ({ 'aria-label': w.repair.select(place) }),
            },
          })}
        />
        {hasNextPage ? (
          <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {w.repair.more}
          </Button>
        ) : null}
      </Card>
      {shown === undefined ? null : <LetterDrawer letterId={shown} close={() => setShown(undefined)} />}
      {sending === undefined ? null : (
        <RedriveDialog
          letters={sending}
          close={() => {
            setSending(undefined);
            setSelected([]);
          }}
        />
      )}
    </ListPage>
  );
}

function useColumns(show: (letterId: string) => void): TableColumnsType<ListedLetter> {
  const { w, lang } = usePreferences();
  const { data } = useQuery(codes());
  const sentenceOf = (code: string) => data?.codes.find((each) => each.code === code)?.[lang];
  return [
    { title: w.repair.sent, render: (_, { at }) => <span className="figure">{timeOf(at)}</span> },
    {
      title: w.repair.why,
      render: (_, { code, detail }) => (
        <Flex vertical style={{ minWidth: 220 }}>
          <Typography.Text strong>{code}</Typography.Text>
          <Typography.Text>{sentenceOf(code)}</Typography.Text>
          <Typography.Text type="secondary">{lang === 'zh' ? detailInChinese(detail) : detail}</Typography.Text>
        </Flex>
      ),
    },
    { title: w.repair.type, responsive: ['lg'], render: (_, { type }) => type ?? '–' },
    { title: w.repair.id, render: (_, { id }) => id ?? '–' },
    { title: w.repair.place, render: (_, { place }) => <span className="figure">{place}</span> },
    {
      title: w.repair.bytes,
      align: 'right',
      responsive: ['lg'],
      render: (_, { bytes }) => <span className="figure">{w.repair.bytesOf(bytes)}</span>,
    },
    {
      title: '',
      render: (_, { dead_letter_id: id, place }) => (
        <Button size="small" onClick={() => show(id)} aria-label={`${w.repair.show} ${place}`}>
          {w.repair.show}
        </Button>
      ),
    },
  ];
}

import { detailInChinese } from '@repo/contracts/problem-words';
import { useQuery } from '@tanstack/react-query';
import { Button, Descriptions, Drawer, Flex, Typography } from 'antd';
import { useState } from 'react';
import { codes, deadLetterOf } from '../../api/queries.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { MessageContent } from './message-content.tsx';

/** One dead letter: why it is one, and what it holds where that is asked for. */
export function LetterDrawer({ letterId, close }: { readonly letterId: string; readonly close: () => void }) {
  const { w, lang } = usePreferences();
  const [whole, setWhole] = useState(false);
  const { data: letter, error, refetch } = useQuery(deadLetterOf(letterId, whole));
  const { data: told } = useQuery(codes());
  const items = letter && [
    { label: w.repair.code, children: letter.code },
    { label: w.repair.why, children: told?.codes.find(({ code }) => code === letter.code)?.[lang] ?? '–' },
    { label: w.repair.detail, children: lang === 'zh' ? detailInChinese(letter.detail) : letter.detail },
    { label: w.repair.place, children: letter.place },
    { label: w.repair.sent, children: timeOf(letter.at) },
    { label: w.repair.type, children: letter.type ?? '–' },
    { label: w.repair.id, children: letter.id ?? '–' },
    { label: w.repair.bytes, children: w.repair.bytesOf(letter.bytes) },
  ];
  return (
    <Drawer open title={`${w.repair.lettersTitle} ${letter?.place ?? ''}`} onClose={close} size="large">
      {error !== null ? <Failure error={error} retry={() => void refetch()} /> : null}
      {letter === undefined || items === undefined ? (
        <Loading />
      ) : (
        <Flex vertical gap="middle">
          <Descriptions size="small" column={1} bordered items={items} />
          {letter.headers === undefined ? (
            <Flex gap="small" align="center" wrap>
              <Button onClick={() => setWhole(true)}>{w.repair.content}</Button>
              <Typography.Text type="secondary">{w.repair.contentHint}</Typography.Text>
            </Flex>
          ) : (
            <MessageContent message={letter} />
          )}
        </Flex>
      )}
    </Drawer>
  );
}

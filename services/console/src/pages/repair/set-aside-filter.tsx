import { Button, DatePicker, Flex, Form, Input, Select } from 'antd';
import type { Dayjs } from 'dayjs';
import type { Parameters } from '../../api/client.ts';
import { useWords } from '../../shell/preferences.tsx';

interface Fields {
  readonly topic: '' | 'claims' | 'members';
  readonly code?: string;
  readonly key?: string;
  readonly id?: string;
  readonly when?: readonly [Dayjs | null, Dayjs | null] | null;
}

/** The days of Shanghai between which something was, as moments. */
const momentsOf = (when: Fields['when']): Parameters => {
  const [from, to] = when ?? [];
  return {
    since: from ? `${from.format('YYYY-MM-DD')}T00:00:00+08:00` : undefined,
    until: to ? `${to.add(1, 'day').format('YYYY-MM-DD')}T00:00:00+08:00` : undefined,
  };
};

/** What a list of messages that were set aside is narrowed to. */
export function SetAsideFilter({
  withCode = false,
  when,
  onFilter,
}: {
  readonly withCode?: boolean;
  readonly when: string;
  readonly onFilter: (filter: Parameters) => void;
}) {
  const { repair: w, find } = useWords();
  const apply = ({ when: chosen, topic, ...texts }: Fields) => {
    const trimmed = Object.entries(texts).map(([name, text]) => [name, text?.trim()] as const);
    onFilter({ topic, ...Object.fromEntries(trimmed), ...momentsOf(chosen) });
  };
  return (
    <Form layout="vertical" onFinish={apply} initialValues={{ topic: '' }}>
      <Flex gap="middle" wrap align="end">
        <Form.Item name="topic" label={w.topic} style={{ margin: 0, width: 150 }}>
          <Select
            options={[
              { value: '', label: w.allTopics },
              ...(['claims', 'members'] as const).map((value) => ({ value, label: w.topics[value] })),
            ]}
          />
        </Form.Item>
        {withCode ? (
          <Form.Item name="code" label={w.code} style={{ margin: 0, width: 200 }}>
            <Input allowClear autoComplete="off" spellCheck={false} />
          </Form.Item>
        ) : null}
        <Form.Item name="key" label={w.key} style={{ margin: 0, width: 190 }}>
          <Input allowClear autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item name="id" label={w.id} style={{ margin: 0, width: 170 }}>
          <Input allowClear autoComplete="off" spellCheck={false} />
        </Form.Item>
        <Form.Item name="when" label={when} style={{ margin: 0 }}>
          <DatePicker.RangePicker allowEmpty={[true, true]} />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {find.go}
        </Button>
      </Flex>
    </Form>
  );
}

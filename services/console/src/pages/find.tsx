import { SearchOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Form, Input, Typography } from 'antd';
import { useLocation } from 'wouter';
import { ApiProblem } from '../api/client.ts';
import { accountOf, settlementOf } from '../api/queries.ts';
import { sayProblem } from '../parts/problem.tsx';
import { usePreferences } from '../shell/preferences.tsx';

/** One field for a person number or the id of a claim: whoever asks need not know which they hold. */
export function FindPage() {
  const reader = usePreferences();
  const { w } = reader;
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const search = useMutation({
    mutationFn: async (text: string) => {
      // Some may see claims and no persons, or the other way round.
      const known = async (query: { queryKey: readonly unknown[] }) => {
        try {
          await client.fetchQuery(query as ReturnType<typeof accountOf>);
          return true;
        } catch (error) {
          if (error instanceof ApiProblem && [403, 404].includes(error.status)) return false;
          throw error;
        }
      };
      const place = encodeURIComponent(text);
      if (await known(accountOf(text))) navigate(`/people/${place}`);
      else if (await known(settlementOf(text))) navigate(`/claims/${place}`);
      else return w.find.none;
      return null;
    },
  });
  const problem = search.data ?? (search.error === null ? null : sayProblem(search.error, reader));
  return (
    <Flex justify="center" style={{ paddingTop: '10vh' }}>
      <Card style={{ width: 640 }}>
        <Typography.Title level={1} style={{ fontSize: 26, marginTop: 0 }}>
          {w.find.title}
        </Typography.Title>
        <Typography.Paragraph type="secondary">{w.find.hint}</Typography.Paragraph>
        <Form layout="vertical" onFinish={({ text }: { text: string }) => search.mutate(text.trim())}>
          <Form.Item
            name="text"
            label={w.find.label}
            rules={[{ required: true, whitespace: true, message: w.find.label }]}
          >
            <Input size="large" autoFocus autoComplete="off" spellCheck={false} maxLength={200} />
          </Form.Item>
          <Button type="primary" size="large" htmlType="submit" icon={<SearchOutlined />} loading={search.isPending}>
            {w.find.go}
          </Button>
        </Form>
        {problem === null ? null : (
          <Alert style={{ marginTop: 16 }} type="warning" showIcon title={problem} role="alert" />
        )}
      </Card>
    </Flex>
  );
}

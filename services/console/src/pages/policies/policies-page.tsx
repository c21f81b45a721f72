import { useQuery } from '@tanstack/react-query';
import { Button, Card, Col, DatePicker, Flex, Form, Input, Row, Table, type TableColumnsType, Typography } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useLocation } from 'wouter';
import { policies } from '../../api/queries.ts';
import type { Policies } from '../../api/types.ts';
import { dayOf } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { ListPage } from '../staff/list-page.tsx';
import { RulesBeside } from './rules-beside.tsx';

type Pack = Policies['packs'][number];
const NATION = '000000';

/** The rules of an area on one date beside those of another date or area, when they change, and the packs that they come from. */
export function PoliciesPage({
  area = NATION,
  on,
  other,
  otherArea = area,
}: {
  area: string | undefined;
  on: string | undefined;
  other: string | undefined;
  otherArea: string | undefined;
}) {
  const w = useWords();
  const [, navigate] = useLocation();
  const today = dayOf(new Date().toISOString());
  const first = on ?? today;
  const second = other ?? first;
  const show = (fields: { area: string; on: Dayjs; other: Dayjs; otherArea: string }) => {
    const days = [fields.on, fields.other].map((each) => each.format('YYYY-MM-DD'));
    navigate(['/policies', fields.area, ...days, fields.otherArea].join('/'));
  };
  return (
    <ListPage title={w.policies.title} hint={w.policies.hint}>
      <Card>
        <Form
          key={`${area}${first}${second}${otherArea}`}
          layout="inline"
          style={{ rowGap: 12 }}
          initialValues={{ area, on: dayjs(first), other: dayjs(second), otherArea }}
          onFinish={show}
        >
          <Form.Item
            name="area"
            label={w.policies.area}
            rules={[{ required: true, pattern: /^\d{6}$/, message: w.policies.area }]}
          >
            <Input maxLength={6} inputMode="numeric" style={{ width: 110 }} />
          </Form.Item>
          <Form.Item name="on" label={w.policies.on} rules={[{ required: true }]}>
            <DatePicker allowClear={false} />
          </Form.Item>
          <Form.Item
            name="otherArea"
            label={w.policies.otherArea}
            rules={[{ required: true, pattern: /^\d{6}$/, message: w.policies.area }]}
          >
            <Input maxLength={6} inputMode="numeric" style={{ width: 110 }} />
          </Form.Item>
          <Form.Item name="other" label={w.policies.other} rules={[{ required: true }]}>
            <DatePicker allowClear={false} />
          </Form.Item>
          <Button type="primary" htmlType="submit">
            {w.policies.show}
          </Button>
        </Form>
      </Card>
      <Row gutter={[16, 16]}>
        <Col xs={24} xl={16}>
          <RulesBeside area={area} on={first} other={second} otherArea={otherArea} open={navigate} />
        </Col>
        <Col xs={24} xl={8}>
          <Packs open={(region, from) => navigate(`/policies/${region}/${from ?? today}/${today}`)} />
        </Col>
      </Row>
    </ListPage>
  );
}

function Packs({ open }: { readonly open: (region: string, from: string | null) => void }) {
  const w = useWords();
  const { data, isPending } = useQuery(policies());
  const columns: TableColumnsType<Pack> = [
    {
      title: w.policies.region,
      render: (_, { region, from }) =>
        /^\d{6}$/.test(region) ? (
          <Button type="link" size="small" style={{ padding: 0 }} onClick={() => open(region, from)}>
            {region}
          </Button>
        ) : (
          `${region} ${w.policies.template}`
        ),
    },
    { title: w.policies.from, render: (_, { from }) => from ?? w.policies.always },
    { title: w.policies.to, render: (_, { to }) => to ?? w.policies.until },
  ];
  return (
    <Card title={w.policies.packs}>
      <Flex vertical gap="small">
        <Typography.Text type="secondary">
          {w.policies.changes}: {data?.changes.join(', ')}
        </Typography.Text>
        <Table
          size="small"
          loading={isPending}
          rowKey={(row) => `${row.region}${row.from}`}
          columns={columns}
          dataSource={data?.packs ?? []}
          pagination={false}
          scroll={{ y: 420 }}
        />
      </Flex>
    </Card>
  );
}

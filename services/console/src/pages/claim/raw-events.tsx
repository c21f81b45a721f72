import { useQuery } from '@tanstack/react-query';
import { Button, Col, Collapse, Descriptions, Flex, Row, Typography } from 'antd';
import { inputOf, refundInputOf } from '../../api/queries.ts';
import type { Input, Standing } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { HIDDEN, laidOutJson } from '../../parts/json-text.ts';
import { ProblemAlert } from '../../parts/problem.tsx';
import { Loading } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';

/** Nothing on this page says who the patient is by name or certificate. */
const HIDE: ReadonlySet<string> = new Set(['certno', 'psn_name']);

/** The messages of a claim or premium and its refunds as they came, each beside what was published of it. Read once they are opened. */
export function RawEvents({ standing }: { readonly standing: Standing }) {
  const w = useWords();
  const { refunds, refundable: _, ...published } = standing;
  const isClaim = 'claim_id' in standing;
  const claimId = isClaim ? standing.claim_id : standing.premium_id;
  const items = [
    {
      key: 'claim',
      label: isClaim ? w.claim.title(claimId) : w.claim.premiumTitle(claimId),
      children: <RawEvent asked={inputOf(claimId)} published={published} />,
    },
    ...refunds.map((refund) => ({
      key: `refund ${refund.refund_id}`,
      label: `${w.claim.refund} ${refund.refund_id}`,
      children: <RawEvent asked={refundInputOf(claimId, refund.refund_id)} published={refund} />,
    })),
  ];
  return <Collapse size="small" defaultActiveKey={['claim']} items={items} />;
}

type Asked = ReturnType<typeof inputOf>;

function RawEvent({ asked, published }: { readonly asked: Asked; readonly published: object }) {
  const { claim: w } = useWords();
  return (
    <Row gutter={[24, 16]}>
      <Col xs={24} md={12}>
        <Typography.Title level={5} style={{ marginTop: 0 }}>
          {w.came}
        </Typography.Title>
        <Came asked={asked} />
      </Col>
      <Col xs={24} md={12}>
        <Typography.Title level={5} style={{ marginTop: 0 }}>
          {w.raw}
        </Typography.Title>
        <pre className="message">{JSON.stringify(published, null, 2)}</pre>
      </Col>
    </Row>
  );
}

function Came({ asked }: { readonly asked: Asked }) {
  const { retry, claim, repair } = useWords();
  const { data: input, error, isFetching, refetch } = useQuery(asked);
  if (error !== null)
    return (
      <Flex vertical gap="small" align="start">
        <ProblemAlert error={error} type="warning" />
        <Button loading={isFetching} onClick={() => void refetch()}>
          {retry}
        </Button>
      </Flex>
    );
  if (input === undefined) return <Loading />;
  const text = (bytes: Input['key'] | undefined) =>
    typeof bytes === 'object' && bytes !== null ? `base64 ${bytes.base64}` : (bytes ?? '–');
  const came = text(input.value);
  const shown = laidOutJson(came, HIDE) ?? came;
  const items = [
    { label: repair.place, children: input.place },
    { label: repair.sent, children: timeOf(input.at) },
    { label: repair.key, children: text(input.key) },
    ...input.headers.map(([name, value], i) => ({ key: i, label: text(name), children: text(value) })),
  ];
  return (
    <Flex vertical gap="small">
      <Descriptions size="small" column={1} items={items} />
      <pre className="message">{shown}</pre>
      {shown.includes(HIDDEN) ? <Typography.Text type="secondary">{claim.hidden}</Typography.Text> : null}
    </Flex>
  );
}

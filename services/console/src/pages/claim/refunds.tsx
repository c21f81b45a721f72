import { Card, Flex, Tag, Typography } from 'antd';
import type { Explanation, Standing } from '../../api/types.ts';
import { timeOf, Yuan } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';

/** The refunds paid of a claim or premium: when, how much, and where each part went. */
export function Refunds({ standing, told }: { readonly standing: Standing; readonly told: Explanation }) {
  const w = useWords();
  const extra = (
    <Typography.Text type="secondary">
      {w.claim.refundable} <Yuan amount={standing.refundable} strong />
    </Typography.Text>
  );
  return (
    <Card title={w.claim.refunds} extra={extra}>
      {standing.refunds.length === 0 ? (
        <Typography.Text type="secondary">{w.claim.noRefunds}</Typography.Text>
      ) : (
        standing.refunds.map((refund) => (
          <Flex key={refund.refund_id} vertical gap={4} style={{ marginBottom: 16 }}>
            <Flex gap="small" align="baseline" wrap>
              <Typography.Text strong>{refund.refund_id}</Typography.Text>
              <Typography.Text type="secondary">{timeOf(refund.at)}</Typography.Text>
              <Yuan amount={refund.amount} strong />
              {refund.returned.some(({ manual }) => manual) ? <Tag color="orange">{w.claim.manual}</Tag> : null}
            </Flex>
            <Typography.Text>
              {told.refunds.find(({ refund_id }) => refund_id === refund.refund_id)?.sentences.join(' ')}
            </Typography.Text>
          </Flex>
        ))
      )}
    </Card>
  );
}

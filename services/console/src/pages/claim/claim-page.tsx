import { useQueries } from '@tanstack/react-query';
import { Card, Col, Collapse, Flex, Row, Typography } from 'antd';
import { useOffered } from '../../api/commands.ts';
import { explanationOf, settlementOf } from '../../api/queries.ts';
import type { ClaimStanding, Explanation, PremiumStanding, Standing } from '../../api/types.ts';
import { Failure, Loading } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { Cascade } from './cascade.tsx';
import { ClaimHeading, PremiumHeading } from './heading.tsx';
import { MoneyFlow } from './money-flow.tsx';
import { RawEvents } from './raw-events.tsx';
import { Refunds } from './refunds.tsx';
import { RulesUsed } from './rules-used.tsx';
import { CashReason, Sums } from './sums.tsx';

/** One claim or premium to the fen: what each account paid or why not, what was refunded, by which rules, and the outcome as published. */
export function ClaimPage({ claimId }: { readonly claimId: string }) {
  const { lang } = usePreferences();
  const [standing, explanation] = useQueries({ queries: [settlementOf(claimId), explanationOf(claimId, lang)] });
  const error = standing.error ?? explanation.error;
  if (error !== null) {
    const again = () => void Promise.all([standing.refetch(), explanation.refetch()]);
    return <Failure error={error} retry={again} />;
  }
  if (standing.data === undefined || explanation.data === undefined) return <Loading />;
  return isClaim(standing.data) ? (
    <ClaimView claim={standing.data} told={explanation.data} />
  ) : (
    <PremiumView premium={standing.data} told={explanation.data} />
  );
}

const isClaim = (standing: Standing): standing is ClaimStanding => 'setl_time' in standing;

function ClaimView({ claim, told }: { readonly claim: ClaimStanding; readonly told: Explanation }) {
  const { w } = usePreferences();
  return (
    <Flex vertical gap="middle">
      <ClaimHeading claim={claim} />
      <Sums claim={claim} />
      <CashReason claim={claim} told={told} />
      <Row gutter={[16, 16]}>
        <Col xs={24} xl={14}>
          <Flex vertical gap="middle">
            <Card title={w.claim.flow} extra={<Typography.Text type="secondary">{w.claim.asked}</Typography.Text>}>
              <Cascade steps={told.steps} total={claim.psn_part_amt} on={claim.setl_time} />
            </Card>
            <RulesUsed rules={claim.policy} on={claim.setl_time} />
          </Flex>
        </Col>
        <Col xs={24} xl={10}>
          <Flex vertical gap="middle">
            <MoneyFlow claim={claim} />
            <Aloud told={told} />
          </Flex>
        </Col>
      </Row>
      <Refunds standing={claim} told={told} />
      <Raw outcome={claim} />
    </Flex>
  );
}

function PremiumView({ premium, told }: { readonly premium: PremiumStanding; readonly told: Explanation }) {
  const { w } = usePreferences();
  return (
    <Flex vertical gap="middle">
      <PremiumHeading premium={premium} />
      <Card title={w.claim.flow}>
        <Cascade steps={told.steps} total={premium.amount ?? '0.00'} on={premium.at} />
      </Card>
      <Aloud told={told} />
      <RulesUsed rules={premium.policy ?? []} on={premium.at} />
      <Refunds standing={premium} told={told} />
      <Raw outcome={premium} />
    </Flex>
  );
}

function Aloud({ told }: { readonly told: Explanation }) {
  const { w } = usePreferences();
  return (
    <Card
      title={w.claim.aloud}
      extra={<Typography.Text copyable={{ text: told.sentences.join('\n'), tooltips: w.copy }} />}
    >
      {told.sentences.map((sentence) => (
        <Typography.Paragraph key={sentence} style={{ marginBottom: 8 }}>
          {sentence}
        </Typography.Paragraph>
      ))}
    </Card>
  );
}

function Raw({ outcome }: { readonly outcome: Standing }) {
  const { w } = usePreferences();
  const offered = useOffered('get', '/v1/settlements/{claim_id}/input');
  const text = JSON.stringify(outcome, null, 2);
  const children = (
    <Typography.Paragraph copyable={{ text, tooltips: w.copy }} style={{ marginBottom: 0 }}>
      <pre style={{ fontSize: 13, whiteSpace: 'pre-wrap' }}>{text}</pre>
    </Typography.Paragraph>
  );
  const raw = { key: 'raw', label: w.claim.raw, children };
  const came = { key: 'came', label: w.claim.rawEvents, children: <RawEvents standing={outcome} /> };
  return <Collapse items={offered ? [raw, came] : [raw]} />;
}

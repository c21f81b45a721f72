import { CheckCircleFilled, MinusCircleOutlined, WalletFilled } from '@ant-design/icons';
import { Flex, Tag, Timeline, Typography } from 'antd';
import type { Step } from '../../api/types.ts';
import { fenOf, grouped, yuanOf } from '../../parts/fen.ts';
import { dayOf, personLink } from '../../parts/figure.tsx';
import { ruleText } from '../../parts/rule-text.ts';
import { usePreferences } from '../../shell/preferences.tsx';
import { PAYING } from '../../shell/theme.ts';

/** The accounts in the order they were asked, each with what it paid or why not, and what was still to be paid after it. */
export function Cascade({
  steps,
  total,
  on,
}: {
  readonly steps: readonly Step[];
  readonly total: string;
  readonly on: string;
}) {
  const { appearance } = usePreferences();
  const colors = PAYING[appearance];
  let left = fenOf(total);
  const items = steps.map((step, place) => {
    left -= fenOf(step.amount ?? '0.00');
    const color =
      step.amount === undefined
        ? colors.muted
        : step.source === 'OWN'
          ? colors.own
          : step.source === 'CASH'
            ? colors.cash
            : colors.relative;
    return {
      key: place,
      icon: <StepIcon step={step} color={color} />,
      content: <StepText step={step} left={left} color={color} on={on} />,
    };
  });
  return <Timeline items={items} />;
}

function StepIcon({ step, color }: { readonly step: Step; readonly color: string }) {
  const style = { color, fontSize: 18 };
  if (step.amount === undefined) return <MinusCircleOutlined style={style} />;
  return step.source === 'CASH' ? <WalletFilled style={style} /> : <CheckCircleFilled style={style} />;
}

function StepText({ step, left, color, on }: { step: Step; left: bigint; color: string; on: string }) {
  const { w } = usePreferences();
  const paid = step.amount !== undefined;
  return (
    <Flex vertical gap={2} style={{ paddingBottom: 8 }}>
      <Flex justify="space-between" gap="middle" wrap>
        <Flex gap="small" align="baseline" wrap>
          <Typography.Text strong>{w.sources[step.source]}</Typography.Text>
          {step.relation === undefined ? null : <Tag>{w.payerAs[step.relation]}</Tag>}
          {step.account === undefined ? null : (
            <Typography.Link href={personLink(step.account)}>{step.account}</Typography.Link>
          )}
        </Flex>
        <Typography.Text
          strong={paid}
          {...(paid ? {} : { type: 'secondary' })}
          className="figure"
          style={paid ? { color } : {}}
        >
          {paid ? w.claim.paid(grouped(step.amount ?? '')) : w.claim.nothing}
        </Typography.Text>
      </Flex>
      <Flex justify="space-between" gap="middle" wrap={false}>
        <Typography.Text>{step.sentence}</Typography.Text>
        {paid && left > 0n ? (
          <Typography.Text type="secondary" className="figure">
            {w.claim.left(grouped(yuanOf(left)))}
          </Typography.Text>
        ) : null}
      </Flex>
      <Stopped step={step} />
      <Judged step={step} on={on} />
    </Flex>
  );
}

/** What kept an account that paid only a part from paying more: there where the reader may see that account. */
function Stopped({ step }: { readonly step: Step }) {
  const { w } = usePreferences();
  const { stopped_by: stops = [] } = step;
  return stops.map(({ by, sentence }) => (
    <Typography.Text key={by} type="secondary">
      {w.claim.stopped(sentence)}
    </Typography.Text>
  ));
}

/** The code and the rule by which an account was passed over. */
function Judged({ step, on }: { readonly step: Step; readonly on: string }) {
  const { w } = usePreferences();
  if (step.code === undefined) return null;
  const { policy } = step;
  return (
    <Flex gap="small" wrap align="baseline">
      <Tag style={{ fontFamily: 'monospace' }}>{step.code}</Tag>
      {policy?.parameter === undefined ? null : (
        <Typography.Link href={`#/policies/${policy.region}/${dayOf(on)}`} style={{ fontSize: 13 }}>
          {w.claim.rule} {policy.region} {policy.parameter} = {ruleText(policy.value ?? null, w)}
        </Typography.Link>
      )}
    </Flex>
  );
}

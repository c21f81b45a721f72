import { Card, Collapse, Descriptions, Flex, Typography } from 'antd';
import type { ClaimStanding } from '../../api/types.ts';
import { dayOf } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';
import { RuleValues } from './rule-values.tsx';

/** The exact rules that judged a claim, of every area involved, with their values on that day. */
export function RulesUsed({ rules, on }: { readonly rules: ClaimStanding['policy']; readonly on: string }) {
  const w = useWords();
  if (rules.length === 0) return null;
  const items = rules.map(({ region, version, payers }, place) => ({
    key: `${region}${version}`,
    label: `${place === 0 ? w.claim.patientRules : w.claim.payerRules}${payers === undefined ? '' : ` (${payers.join(', ')})`}`,
    children: (
      <>
        <Typography.Text code>
          {region} · {version}
        </Typography.Text>
        <Typography.Link href={`#/policies/${region}/${dayOf(on)}`}>{w.claim.open}</Typography.Link>
      </>
    ),
  }));
  return (
    <Card title={w.claim.rules}>
      <Flex vertical gap="small">
        <Descriptions size="small" layout="vertical" column={1} items={items} />
        <Collapse
          size="small"
          items={[{ key: 'values', label: w.claim.ruleValues, children: <RuleValues rules={rules} on={on} /> }]}
        />
      </Flex>
    </Card>
  );
}

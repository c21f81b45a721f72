import { Card, Descriptions, Typography } from 'antd';
import type { ClaimStanding, ParameterValue } from '../../api/types.ts';
import { dayOf } from '../../parts/figure.tsx';
import { useWords } from '../../shell/preferences.tsx';
import type { Words } from '../../words/zh.ts';

/** The exact rules that judged a claim, each leading to their values on that day. */
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
      <Descriptions size="small" layout="vertical" column={1} items={items} />
    </Card>
  );
}

/** The value of a parameter, as a person would write it. */
export function ruleText(value: ParameterValue, w: Words): string {
  if (value === null) return w.none;
  if (typeof value === 'boolean') return value ? w.policies.yes : w.policies.no;
  if (typeof value !== 'object') return wordOf(String(value), w);
  if (Array.isArray(value)) return value.map((each) => wordOf(each, w)).join(', ') || w.none;
  return (
    Object.entries(value)
      .map(([year, tiers]) => `${year}: ${tiers.join(', ')}`)
      .join('; ') || w.none
  );
}

const wordOf = (name: string, w: Words): string =>
  (w.relations as Readonly<Record<string, string>>)[name] ?? w.classes[name] ?? w.policies.values[name] ?? name;

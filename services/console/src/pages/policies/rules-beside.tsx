import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Switch, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { useState } from 'react';
import { rulesBeside } from '../../api/queries.ts';
import type { PolicyRules } from '../../api/types.ts';
import { RuleValue } from '../../parts/rule-value.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';

type Parameter = PolicyRules['parameters'][number];

/** Every parameter of an area on two dates, or of two areas; what differs stands out and comes first. Above, the days on which the area's rules change. */
export function RulesBeside({
  area,
  on,
  other,
  otherArea,
  open,
}: {
  readonly area: string;
  readonly on: string;
  readonly other: string;
  readonly otherArea: string;
  readonly open: (address: string) => void;
}) {
  const { w } = usePreferences();
  const { data, error, refetch } = useQuery(rulesBeside(area, on, other, otherArea));
  const beside = on !== other || area !== otherArea;
  const [onlyDiffers, setOnlyDiffers] = useState(false);
  const columns = useColumns(data, beside);
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const differing = data.parameters.filter(({ differs }) => differs).length;
  const rows = data.parameters
    .filter(({ differs }) => differs || !onlyDiffers)
    .toSorted((one, two) => Number(two.differs) - Number(one.differs));
  const extra = (
    <Flex gap="small" align="center" component="label">
      <Switch size="small" checked={onlyDiffers} onChange={setOnlyDiffers} aria-label={w.policies.onlyDiffers} />
      {w.policies.onlyDiffers}
    </Flex>
  );
  return (
    <Card title={area === otherArea ? area : w.policies.beside(area, otherArea)} extra={beside ? extra : null}>
      <Changes area={area} changes={data.changes} open={open} />
      {beside ? (
        <Alert
          style={{ marginBottom: 12 }}
          type={differing === 0 ? 'success' : 'info'}
          showIcon
          title={differing === 0 ? w.policies.same : w.policies.differs(differing)}
        />
      ) : null}
      <Table
        size="small"
        rowKey="parameter"
        columns={columns}
        dataSource={rows}
        pagination={false}
        tableLayout="fixed"
      />
    </Card>
  );
}

/** Each day on which the area's rules change leads to that day beside the day before. */
function Changes({
  area,
  changes,
  open,
}: {
  readonly area: string;
  readonly changes: PolicyRules['changes'];
  readonly open: (address: string) => void;
}) {
  const { w } = usePreferences();
  return (
    <Flex gap="small" wrap align="center" style={{ marginBottom: 12 }}>
      <Typography.Text type="secondary">{w.policies.changesOf(area)}</Typography.Text>
      {changes.length === 0 ? w.none : null}
      {changes.map(({ on, parameters }) => (
        <Button
          key={on}
          size="small"
          title={parameters.join(', ')}
          onClick={() => open(`/policies/${area}/${dayBefore(on)}/${on}/${area}`)}
        >
          {on} · {w.policies.differs(parameters.length)}
        </Button>
      ))}
    </Flex>
  );
}

const dayBefore = (day: string): string => new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);

function useColumns(rules: PolicyRules | undefined, beside: boolean): TableColumnsType<Parameter> {
  const { w, lang } = usePreferences();
  const version = (of: PolicyRules['rules'] | undefined) => (
    <>
      {of?.area} {of?.on} <Tag>{of?.version}</Tag>
    </>
  );
  const other = {
    title: version(rules?.other),
    render: (_: unknown, each: Parameter) => (
      <RuleValue value={each.other} setBy={each.other_set_by} marked={each.differs} />
    ),
  };
  return [
    {
      title: w.policies.parameter,
      render: (_, each) => (
        <div style={{ overflowWrap: 'anywhere' }}>
          {each[lang]}
          <br />
          <Typography.Text type="secondary" style={{ fontSize: 12 }}>
            {each.parameter}
          </Typography.Text>
        </div>
      ),
    },
    {
      title: version(rules?.rules),
      render: (_, each) => <RuleValue value={each.value} setBy={each.set_by} marked={false} />,
    },
    ...(beside ? [other] : []),
  ];
}

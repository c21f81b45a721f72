import { useQuery } from '@tanstack/react-query';
import { Alert, Card, Flex, Switch, Table, type TableColumnsType, Tag, Typography } from 'antd';
import { useState } from 'react';
import { rulesOf } from '../../api/queries.ts';
import type { ParameterValue, PolicyRules } from '../../api/types.ts';
import { Failure, Loading } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';
import { ruleText } from '../claim/rules-used.tsx';

type Parameter = PolicyRules['parameters'][number];

/** Every parameter of an area on two dates; what differs stands out and comes first. */
export function RulesBeside({
  area,
  on,
  other,
}: {
  readonly area: string;
  readonly on: string;
  readonly other: string;
}) {
  const { w } = usePreferences();
  const { data, error, refetch } = useQuery(rulesOf(area, on, other));
  const [onlyDiffers, setOnlyDiffers] = useState(false);
  const columns = useColumns(data, on !== other);
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
    <Card title={area} extra={on === other ? null : extra}>
      {on === other ? null : (
        <Alert
          style={{ marginBottom: 12 }}
          type={differing === 0 ? 'success' : 'info'}
          showIcon
          title={differing === 0 ? w.policies.same : w.policies.differs(differing)}
        />
      )}
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

function useColumns(rules: PolicyRules | undefined, beside: boolean): TableColumnsType<Parameter> {
  const { w, lang } = usePreferences();
  const cell = (value: ParameterValue, setBy: string | null, marked: boolean) => (
    <div style={{ overflowWrap: 'anywhere' }}>
      <Typography.Text strong={marked} mark={marked}>
        {ruleText(value, w)}
      </Typography.Text>
      <br />
      <Typography.Text type="secondary" style={{ fontSize: 12 }}>
        {setBy === null ? w.policies.byDefault : `${w.policies.setBy} ${setBy}`}
      </Typography.Text>
    </div>
  );
  const version = (date: string | undefined, name: string | undefined) => (
    <>
      {date} <Tag>{name}</Tag>
    </>
  );
  const other = {
    title: version(rules?.other.on, rules?.other.version),
    render: (_: unknown, each: Parameter) => cell(each.other, each.other_set_by, each.differs),
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
      title: version(rules?.rules.on, rules?.rules.version),
      render: (_, each) => cell(each.value, each.set_by, false),
    },
    ...(beside ? [other] : []),
  ];
}

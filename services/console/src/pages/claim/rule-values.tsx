import { useQueries } from '@tanstack/react-query';
import { Alert, Flex, Table, type TableColumnsType, Tag } from 'antd';
import { rulesOf } from '../../api/queries.ts';
import type { ClaimStanding, PolicyRules } from '../../api/types.ts';
import { dayOf } from '../../parts/figure.tsx';
import { RuleValue } from '../../parts/rule-value.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { usePreferences } from '../../shell/preferences.tsx';

type Rules = ClaimStanding['policy'];
type Parameter = PolicyRules['parameters'][number];

/**
 * The values of the rules that ruled, a column for each area: the patient's, then that of each payer who was asked. What some pack set
 * comes first, what is not the same everywhere is marked. Rules that are no longer loaded have no column, which is said.
 */
export function RuleValues({ rules, on }: { readonly rules: Rules; readonly on: string }) {
  const { w, lang } = usePreferences();
  const answers = useQueries({ queries: rules.map(({ region }) => rulesOf(region, dayOf(on))) });
  const failed = answers.find(({ error }) => error !== null);
  if (failed?.error) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const loaded = answers.flatMap(({ data }) => data ?? []);
  if (loaded.length < rules.length) return <Loading />;
  const isSame = (version: string, { rules: found }: PolicyRules) => version === `${found.region}@${found.version}`;
  const known = loaded.filter((each, place) => isSame(rules[place]?.version ?? '', each));
  const gone = rules.filter(({ version }, place) => loaded[place] && !isSame(version, loaded[place]));
  const valueIn = (of: PolicyRules, name: string) => of.parameters.find(({ parameter }) => parameter === name);
  const differs = ({ parameter }: Parameter) =>
    new Set(known.map((of) => JSON.stringify(valueIn(of, parameter)?.value))).size > 1;
  const isSet = ({ parameter }: Parameter) => known.some((of) => (valueIn(of, parameter)?.set_by ?? null) !== null);
  const columns: TableColumnsType<Parameter> = [
    { title: w.policies.parameter, width: 220, render: (_, each) => each[lang] },
    ...known.map((of) => ({
      key: of.rules.area,
      width: 200,
      title: (
        <>
          {of.rules.area} <Tag>{of.rules.version}</Tag>
        </>
      ),
      render: (_: unknown, { parameter, ...each }: Parameter) => {
        const found = valueIn(of, parameter);
        const marked = differs({ parameter, ...each });
        return <RuleValue value={found?.value ?? null} setBy={found?.set_by ?? null} marked={marked} />;
      },
    })),
  ];
  const rows = (known[0]?.parameters ?? []).toSorted((one, two) => Number(isSet(two)) - Number(isSet(one)));
  return (
    <Flex vertical gap="small">
      {gone.map(({ region, version }) => (
        <Alert key={region} type="warning" showIcon title={w.claim.rulesGone(region, version)} />
      ))}
      {known.length === 0 ? null : (
        <Table
          size="small"
          rowKey="parameter"
          columns={columns}
          dataSource={rows}
          pagination={false}
          scroll={{ x: 'max-content', y: 420 }}
          onRow={() => ({ tabIndex: 0 })}
        />
      )}
    </Flex>
  );
}

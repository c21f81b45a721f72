import { Typography } from 'antd';
import type { ParameterValue } from '../api/types.ts';
import { usePreferences } from '../shell/preferences.tsx';
import { ruleText } from './rule-text.ts';

/** The value of a parameter and which pack set it; marked where it is not as elsewhere. */
export function RuleValue({
  value,
  setBy,
  marked,
}: {
  readonly value: ParameterValue;
  readonly setBy: string | null;
  readonly marked: boolean;
}) {
  const { w } = usePreferences();
  return (
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
}

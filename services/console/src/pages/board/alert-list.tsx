import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Card, Flex, Typography } from 'antd';
import { alerts } from '../../api/queries.ts';
import type { Alerts } from '../../api/types.ts';
import { Failure } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';

/** Where what a rule tells of can be seen and mended. */
const PLACES: Readonly<Record<string, string>> = {
  GongjiQuarantine: '#/quarantine',
  GongjiConflict: '#/dead-letters',
  GongjiDeadLetters: '#/dead-letters',
};

/** What is to be looked at now, and what waits for a person. */
export function AlertList() {
  const { alerts: w } = useWords();
  const { data, error, refetch } = useQuery(alerts());
  if (error !== null && data === undefined) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return null;
  const { held_refunds: refunds, unfinished_checks: checks } = data.to_do;
  return (
    <Card title={w.title}>
      <Flex vertical gap="small">
        {data.alerts.length === 0 ? <Typography.Text>{w.none}</Typography.Text> : null}
        {data.alerts.map((each) => (
          <Told key={`${each.alert}${each.topic}`} alert={each} />
        ))}
        {refunds === 0 ? null : <ToDo text={w.heldRefunds(refunds)} place="#/held" />}
        {checks === 0 ? null : <ToDo text={w.unfinishedChecks(checks)} place="#/arrears" />}
        <Typography.Text type="secondary">{w.judged}</Typography.Text>
      </Flex>
    </Card>
  );
}

function Told({ alert: { alert, severity, topic, value, over } }: { readonly alert: Alerts['alerts'][number] }) {
  const { alerts: w } = useWords();
  const place = PLACES[alert];
  const title = [w.severities[severity], w.rules[alert] ?? alert, topic === null ? null : w.of(topic)];
  return (
    <Alert
      showIcon
      type={severity === 'page' ? 'error' : 'warning'}
      title={title.filter(Boolean).join(' · ')}
      description={`${alert} · ${w.value(value, over)}`}
      action={place === undefined ? null : <Look place={place} what={w.rules[alert] ?? alert} />}
    />
  );
}

const ToDo = ({ text, place }: { readonly text: string; readonly place: string }) => (
  <Alert showIcon type="info" title={text} action={<Look place={place} what={text} />} />
);

function Look({ place, what }: { readonly place: string; readonly what: string }) {
  const { alerts: w } = useWords();
  return (
    <Button size="small" href={place} aria-label={`${w.look}: ${what}`}>
      {w.look}
    </Button>
  );
}

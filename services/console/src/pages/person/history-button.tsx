import { useQuery } from '@tanstack/react-query';
import { Button, Drawer, Flex, Timeline, Typography } from 'antd';
import { useState } from 'react';
import { historyOf } from '../../api/queries.ts';
import type { Binding, BindingHistory } from '../../api/types.ts';
import { timeOf } from '../../parts/figure.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';

/** Shows what became of a binding since it was asked for. */
export function HistoryButton({ binding: { binding_id: id } }: { readonly binding: Binding }) {
  const { history: w } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)} aria-label={`${w.show} ${id}`}>
        {w.show}
      </Button>
      {open ? (
        <Drawer open title={w.title} onClose={() => setOpen(false)}>
          <History bindingId={id} />
        </Drawer>
      ) : null}
    </>
  );
}

const COLORS: Readonly<Record<string, string>> = {
  'binding.activated': 'green',
  'sharing.resumed': 'green',
  'sharing.paused': 'orange',
};

function History({ bindingId }: { readonly bindingId: string }) {
  const { history: w } = useWords();
  const { data, error, refetch } = useQuery(historyOf(bindingId));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  const begun = { key: 'bound', content: <Happened at={data.bound_at} what={w.bound} /> };
  const events = data.events.map((event, i) => ({
    key: i,
    color: COLORS[event.ce_type] ?? 'gray',
    content: <Event event={event} />,
  }));
  return (
    <Flex vertical gap="middle">
      <Typography.Text type="secondary">{bindingId}</Typography.Text>
      <Timeline items={[begun, ...events]} />
      {events.length === 0 ? <Typography.Text>{w.nothing}</Typography.Text> : null}
    </Flex>
  );
}

function Event({ event }: { readonly event: BindingHistory['events'][number] }) {
  const { history: w, reasons, none } = useWords();
  const { ce_type: type, at, reason, effective_on: on, cause, code, changes = [] } = event;
  const more = [
    ...changes.map(({ field, before, after }) =>
      w.changed(w.fields[field] ?? field, shownAs(before, none), shownAs(after, none)),
    ),
    reason === null ? null : (reasons[reason] ?? reason),
    on === null ? null : w.effective(on),
    code,
    cause === null ? null : w.cause(cause.ce_type, cause.id),
  ].filter((each) => each !== null);
  return <Happened at={at} what={w.events[type] ?? type} more={more.join(' · ')} />;
}

type Changed = NonNullable<BindingHistory['events'][number]['changes']>[number];

const shownAs = (value: Changed['before'], none: string): string =>
  value === null || value === false ? none : value === true ? '✓' : String(value);

const Happened = ({ at, what, more = '' }: { readonly at: string; readonly what: string; readonly more?: string }) => (
  <Flex vertical>
    <Flex gap="small" wrap>
      <span className="figure">{timeOf(at)}</span>
      <Typography.Text strong>{what}</Typography.Text>
    </Flex>
    {more === '' ? null : <Typography.Text type="secondary">{more}</Typography.Text>}
  </Flex>
);

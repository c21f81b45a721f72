import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Flex, Modal, Progress, Tag, Typography } from 'antd';
import { useRef, useState } from 'react';
import { command } from '../../api/client.ts';
import type { Redrive } from '../../api/types.ts';
import { ProblemAlert } from '../../parts/problem.tsx';
import { Loading } from '../../parts/states.tsx';
import { useWords } from '../../shell/preferences.tsx';

type Redriven = Redrive['redriven'][number];
interface Part {
  readonly letters: readonly string[];
  /** The same part keeps its key, however often it is sent. */
  readonly key: string;
}

const PATH = '/v1/dead-letters/redrive';
/** How many the API takes in one request. */
const ASKED_MAX = 100;
/** How many are sent at a time: few enough that progress is seen. */
const SENT_MAX = 10;

const partsOf = (letters: readonly string[], size: number): Part[] =>
  Array.from({ length: Math.ceil(letters.length / size) }, (_, i) => ({
    letters: letters.slice(i * size, (i + 1) * size),
    key: crypto.randomUUID(),
  }));

/** Sends dead letters again: what would be sent, then how far it has come, then what came of it. */
export function RedriveDialog({ letters, close }: { readonly letters: readonly string[]; readonly close: () => void }) {
  const { repair: w } = useWords();
  const client = useQueryClient();
  const parts = useRef(partsOf(letters, SENT_MAX));
  const [done, setDone] = useState<readonly Redriven[]>([]);
  const plan = useQuery({ queryKey: ['redrive', letters], queryFn: () => planned(letters), gcTime: 0 });
  const send = useMutation({
    mutationFn: async () => {
      for (let part = parts.current[0]; part !== undefined; part = parts.current[0]) {
        const { answer } = await command<Redrive>('POST', PATH, { dead_letters: part.letters }, part.key);
        parts.current.shift();
        setDone((before) => [...before, ...answer.redriven]);
      }
    },
    onSettled: () => client.invalidateQueries(),
  });
  const due = plan.data?.due.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const error = plan.error ?? send.error;
  return (
    <Modal
      open
      title={w.redriveTitle}
      onCancel={close}
      mask={{ closable: !send.isPending }}
      okText={send.isSuccess ? w.close : send.isError ? w.retry : w.go(due)}
      onOk={() => (send.isSuccess ? close() : send.mutate())}
      okButtonProps={{ disabled: due === 0, loading: send.isPending }}
      cancelText={w.cancel}
      cancelButtonProps={send.isSuccess ? { style: { display: 'none' } } : {}}
    >
      {plan.data === undefined && plan.error === null ? <Loading /> : null}
      <Flex vertical gap="middle">
        {plan.data === undefined ? null : <Plan plan={plan.data} due={due} />}
        {send.isIdle ? null : (
          <Progress
            percent={due === 0 ? 100 : Math.round((done.length * 100) / due)}
            status="normal"
            format={() => `${done.length} / ${due}`}
            aria-label={`${w.progress} ${done.length} / ${due}`}
          />
        )}
        {done.length === 0 ? null : <Outcome done={done} />}
        {error === null ? null : <ProblemAlert error={error} />}
      </Flex>
    </Modal>
  );
}

/** What would be sent, from as many answers as it takes. */
async function planned(letters: readonly string[]): Promise<Pick<Redrive, 'due' | 'foreign' | 'gone'>> {
  const counts = new Map<string, number>();
  let [foreign, gone] = [0, 0];
  for (const part of partsOf(letters, ASKED_MAX)) {
    const { answer } = await command<Redrive>('POST', PATH, { dead_letters: part.letters, dry_run: true }, part.key);
    for (const { code, count } of answer.due) counts.set(code, (counts.get(code) ?? 0) + count);
    foreign += answer.foreign;
    gone += answer.gone;
  }
  return { due: [...counts].map(([code, count]) => ({ code, count })), foreign, gone };
}

function Plan({ plan, due }: { readonly plan: Pick<Redrive, 'due' | 'foreign' | 'gone'>; readonly due: number }) {
  const { repair: w } = useWords();
  return (
    <div>
      <Typography.Paragraph>{w.redriveWill(due)}</Typography.Paragraph>
      <Flex gap="small" wrap style={{ marginBottom: 12 }}>
        {plan.due.map(({ code, count }) => (
          <Tag key={code}>
            {code} {count}
          </Tag>
        ))}
      </Flex>
      <Typography.Text type="secondary">{w.redriveSafe}</Typography.Text>
      {plan.foreign === 0 ? null : <Alert type="info" title={w.foreign(plan.foreign)} />}
      {plan.gone === 0 ? null : <Alert type="info" title={w.gone(plan.gone)} />}
    </div>
  );
}

/** What came of those that were sent, the codes of those that failed again with how often. */
function Outcome({ done }: { readonly done: readonly Redriven[] }) {
  const { repair: w } = useWords();
  const counts = new Map<string, number>();
  for (const { result, code } of done) {
    const name = `${w.results[result]}${code === null ? '' : ` ${code}`}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return (
    <Flex vertical gap={4} role="status">
      {[...counts].map(([name, count]) => (
        <Typography.Text key={name} strong>
          {name}: {count}
        </Typography.Text>
      ))}
    </Flex>
  );
}

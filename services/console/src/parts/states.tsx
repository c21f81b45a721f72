import { Button, Empty, Result, Skeleton } from 'antd';
import { ApiProblem } from '../api/client.ts';
import { usePreferences, useWords } from '../shell/preferences.tsx';
import { sayProblem } from './problem.tsx';

export function Loading() {
  const w = useWords();
  return (
    <div role="status" aria-label={w.loading}>
      <Skeleton active paragraph={{ rows: 6 }} />
    </div>
  );
}

export function Nothing({ text }: { readonly text: string }) {
  const w = useWords();
  return <Result status="404" title={text} extra={<Button href="#/">{w.back}</Button>} />;
}

/** Why something could not be read, and a way to try again. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  const reader = usePreferences();
  const { w } = reader;
  if (error instanceof ApiProblem && error.status === 404) return <Nothing text={w.notFound} />;
  return (
    <Result
      status="warning"
      title={w.failed}
      subTitle={sayProblem(error, reader)}
      extra={<Button onClick={retry}>{w.retry}</Button>}
    />
  );
}

export const NoRows = ({ text }: { readonly text: string }) => (
  <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={text} />
);

import { Button, Empty, Result, Skeleton } from 'antd';
import { ApiProblem } from '../api/client.ts';
import { useWords } from '../shell/preferences.tsx';

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

/** Why something could not be read, in the API's words, and a way to try again. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  const w = useWords();
  const reached = error instanceof ApiProblem;
  if (reached && error.status === 404) return <Nothing text={w.notFound} />;
  return (
    <Result
      status="warning"
      title={w.failed}
      subTitle={reached ? error.message : w.unreachable}
      extra={<Button onClick={retry}>{w.retry}</Button>}
    />
  );
}

export const NoRows = ({ text }: { readonly text: string }) => (
  <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={text} />
);

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert } from 'antd';
import { ApiProblem } from '../api/client.ts';
import { codes } from '../api/queries.ts';
import type { Codes } from '../api/types.ts';
import { usePreferences } from '../shell/preferences.tsx';

type Reader = Pick<ReturnType<typeof usePreferences>, 'w' | 'lang'>;

/**
 * Why something was not read or done, in the language of the reader: what went wrong, the sentence of the code that a rule or a worker
 * gave, and where it was. The API's own words are English, and follow there.
 */
export function sayProblem(error: Error, { w, lang }: Reader, known: Codes['codes'] = []): string {
  if (!(error instanceof ApiProblem)) return w.unreachable;
  const { code, issues, message, problem, status } = error;
  const what = (problem && w.problems[problem]) ?? w.otherProblem(status);
  const ruled = code === undefined ? undefined : (known.find((each) => each.code === code)?.[lang] ?? code);
  const where = issues.map(({ path }) => w.placeOf(path)).filter(Boolean);
  const detail = lang === 'en' ? [message, ...issues.map(({ path, problem: expected }) => `${path}: ${expected}`)] : [];
  const places = lang === 'en' || where.length === 0 ? [] : [w.problemAt([...new Set(where)].join('、'))];
  return [what, ruled, ...places, [...new Set(detail)].join(' · ')].filter(Boolean).join(' ');
}

/** Says a problem, once the sentences of the codes are there if it has one; without them where they cannot be read. */
export function useTelling(): (error: Error) => Promise<string> {
  const reader = usePreferences();
  const client = useQueryClient();
  return async (error) => {
    const needed = error instanceof ApiProblem && error.code !== undefined;
    const known = needed ? await client.fetchQuery(codes()).catch(() => null) : null;
    return sayProblem(error, reader, known?.codes);
  };
}

/** A problem where it was met. */
export function ProblemAlert({
  error,
  type = 'error',
}: {
  readonly error: Error;
  readonly type?: 'error' | 'warning';
}) {
  const reader = usePreferences();
  const { data } = useQuery({ ...codes(), enabled: error instanceof ApiProblem && error.code !== undefined });
  return <Alert type={type} showIcon title={sayProblem(error, reader, data?.codes)} role="alert" />;
}

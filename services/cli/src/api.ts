import type { Settings } from './config.ts';
import { runningHttp } from './system/addresses.ts';

/** The API's answer, or why there is none. */
export type Answer =
  | { readonly ok: true; readonly status: number; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: string; readonly isAway: boolean };

interface Asked {
  readonly path: string;
  /** JSON as it is to be sent; absent: a GET. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `API_WITHIN_MS`. */
  readonly withinMs?: number;
}

/** The exit code where the API could not answer. */
export const AWAY = 2;

export const API_WITHIN_MS = 30_000;

/** Asks the API of the running system, or of `GONGJI_HTTP_URL`. Failures are described in words: the API's own, where there are some. */
async function askApi(
  settings: Settings,
  { path, body, headers = {}, withinMs = API_WITHIN_MS }: Asked,
): Promise<Answer> {
  const base = runningHttp(settings);
  if (base === undefined)
    return away('No API here: start the system in this folder (npm start), or set GONGJI_HTTP_URL.');
  const { httpToken } = settings;
  let response: Response;
  try {
    // Behind a gateway the API may have a path of its own.
    response = await fetch(`${base.replace(/\/$/, '')}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(httpToken === undefined ? {} : { authorization: `Bearer ${httpToken}` }),
        ...headers,
      },
      signal: AbortSignal.timeout(withinMs),
    });
  } catch {
    return away('The API does not answer: see whether it runs, or whether GONGJI_HTTP_URL is right.');
  }
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return response.ok
    ? { ok: true, status: response.status, body: answer }
    : { ok: false, problem: told(response.status, answer), isAway: response.status >= 500 };
}

const away = (problem: string): Answer => ({ ok: false, problem, isAway: true });

/**
 * Asks the API and has the answer printed; prints failures. Answers the exit code: that of `print`, 1 for a refusal, 2 where the API could
 * not answer.
 */
export async function printAnswer(
  settings: Settings,
  asked: Asked,
  print: (answer: Extract<Answer, { ok: true }>) => number,
): Promise<number> {
  const answer = await askApi(settings, asked);
  if (answer.ok) return print(answer);
  console.error(answer.problem);
  return answer.isAway ? AWAY : 1;
}

/** A problem (RFC 9457) on one line, with its fields below. */
function told(status: number, { title, detail, code, issues }: Record<string, unknown>): string {
  const fields = Array.isArray(issues) ? (issues as { path: string; problem: string }[]) : [];
  const what = [`${status} ${title ?? ''}`.trim(), code, detail].filter((part) => part !== undefined && part !== '');
  return [what.join(': '), ...fields.map(({ path, problem }) => `  ${path}: ${problem}`)].join('\n');
}

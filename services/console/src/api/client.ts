import type { ProblemName } from '@repo/contracts';
import { readToken } from './token.ts';

/** A problem as it was answered. */
interface Told {
  readonly type?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly issues?: ApiProblem['issues'];
}

/** What the API answered instead of what was asked for (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  /** What went wrong, as the API names it; undefined where something on the way answered instead. */
  readonly problem: ProblemName | undefined;
  readonly code: string | undefined;
  /** Of a command that was not applied, each field that is not as expected. */
  readonly issues: readonly { readonly path: string; readonly problem: string }[];

  constructor(status: number, detail: string, more: Told = {}) {
    super(detail);
    this.status = status;
    this.problem = /^urn:problem-type:gongji:(.+)$/.exec(more.type ?? '')?.[1] as ProblemName | undefined;
    this.code = more.code;
    this.issues = more.issues ?? [];
  }
}

export type Parameters = Readonly<Record<string, string | undefined>>;

/** A path of the API with its parameters; those undefined or empty are left out. */
function pathOf(path: string, parameters: Parameters = {}): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const token = readToken();
  const headers = { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const answer = await fetch(path, { ...init, headers, credentials: 'omit' });
  if (answer.ok) return answer;
  const told = (await answer.json().catch(() => ({}))) as Told;
  throw new ApiProblem(answer.status, told.detail ?? answer.statusText, told);
}

/** Reads a JSON answer; throws `ApiProblem` for any other. The token travels in a header, never in the address. */
export const get = async <T>(path: string, parameters?: Parameters, signal?: AbortSignal): Promise<T> =>
  (await ask(pathOf(path, parameters), signal ? { signal } : {})).json() as Promise<T>;

/** The outcome of a command: `done`, or sent and not applied yet. */
export interface CommandAnswer<T> {
  readonly done: boolean;
  readonly answer: T;
}

/** Sends a command. The key makes a repetition harmless: the same key has no second effect. */
export async function command<T>(
  method: 'POST' | 'PATCH',
  path: string,
  body: object,
  idempotencyKey: string,
): Promise<CommandAnswer<T>> {
  const told = await ask(path, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
  });
  return { done: told.status !== 202, answer: (await told.json()) as T };
}

/** Hands a file to the API and reads its answer. */
export const upload = async <T>(path: string, parameters: Parameters, file: Blob): Promise<T> =>
  (
    await ask(pathOf(path, parameters), { method: 'POST', body: file, headers: { 'content-type': 'text/csv' } })
  ).json() as Promise<T>;

/** Saves a file that the API answers, so that the token need not stand in a link. */
export async function download(path: string, parameters: Parameters, name: string): Promise<void> {
  const content = await (await ask(pathOf(path, parameters))).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

import { STATUS_CODES } from 'node:http';
import { type Issue, type Missing, PROBLEM_NAMES, PROBLEMS, type ProblemName, problemType } from '@repo/contracts';
import { KEY_FILE_SETTING } from '@repo/sealing';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

/** What a caller gets instead of an answer (RFC 9457). `detail` says what was expected and repeats nothing that the caller sent. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly type: ProblemName;
  readonly status: number;
  readonly code: string | undefined;
  readonly issues: readonly Issue[] | undefined;
  /** After how many seconds the same request may succeed; undefined where waiting does not help. */
  readonly retryAfterS: number | undefined;

  constructor(
    type: ProblemName,
    detail: string,
    more: { code?: string | undefined; issues?: readonly Issue[]; retryAfterS?: number } = {},
  ) {
    super(detail);
    const status = PROBLEMS[type];
    this.type = type;
    this.status = status;
    this.code = more.code;
    this.issues = more.issues;
    this.retryAfterS = more.retryAfterS ?? (status === 503 ? 5 : undefined);
  }
}

/** The schema of a problem. */
export const problemAnswer = z.object({
  type: z.enum(PROBLEM_NAMES.map(problemType)).describe('what went wrong, for whoever puts it into words of their own'),
  title: z.string().describe('the status in words'),
  status: z.int().describe('as the status of the answer'),
  detail: z.string().describe('what was expected; it repeats nothing that was sent'),
  code: z.string().optional().describe('the outcome code of a claim that cannot be used'),
  issues: z
    .array(
      z.object({ path: z.string().describe('the field'), problem: z.string().describe('what was expected there') }),
    )
    .optional()
    .describe('every field that is not as expected'),
});

/** The `Idempotency-Key` already names another command. */
export const keyTaken = (): Problem =>
  new Problem('key-taken', 'idempotency-key: expected one that was not used for something else', {
    code: 'EVENT_CONFLICT',
  });

/** The same answer for what does not exist and for what the caller may not see. */
export const notFound = (what: Missing): Problem => new Problem(`no-such-${what}`, `no such ${what.replace('-', ' ')}`);

/** Messages are sealed, so they cannot be searched for an id. */
export const idIsSealed = (): Problem =>
  new Problem('bad-parameter', `id: expected none, since messages are sealed and ${KEY_FILE_SETTING} is not set here`);

/** The status in words. */
export const titleOf = ({ status }: Problem): string => STATUS_CODES[status] ?? '';

/** A problem as JSON text. */
export function problemText(problem: Problem): string {
  const { type, status, message: detail, code, issues } = problem;
  return JSON.stringify({ type: problemType(type), title: titleOf(problem), status, detail, code, issues });
}

/** Sends a problem as `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterS } = problem;
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS));
  return reply.code(status).type('application/problem+json').send(problemText(problem));
}

import { parse } from 'node:querystring';
import { parseInstant } from '@repo/contracts';
import { parseDate } from '@repo/domain';
import type { OutcomePlace, UsagePlace } from '@repo/ledger';
import { parsePlace, STREAMS } from '@repo/set-aside';
import { z } from 'zod';
import { Problem } from './problem.ts';

const ID_LENGTH_MAX = 200;
const ID_PROBLEM = `expected a text of 1 to ${ID_LENGTH_MAX} characters`;
const AREA_PROBLEM = 'expected an area of 6 digits';
const DATE_PROBLEM = 'expected a date YYYY-MM-DD';
const HELD_PROBLEM = 'expected a place as it is listed, such as claims/3@1042';
const PLACE_PROBLEM = 'expected the `next` of the answer before';
const PARTITION_PROBLEM = 'expected a partition’s number';
const MOMENT_PROBLEM = 'expected an ISO 8601 date and time with an offset or Z';

/** A name that is given twice arrives as a list. */
const orOnce = (problem: string) => ({
  error: ({ input }: { input?: unknown }) => (Array.isArray(input) ? 'expected once' : problem),
});

/** An identifier as in the events. */
export const idParameter = (description: string) =>
  z
    .string(orOnce(ID_PROBLEM))
    .min(1, ID_PROBLEM)
    .max(ID_LENGTH_MAX, ID_PROBLEM)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), ID_PROBLEM)
    .describe(description);

/** A moment. In a query an unencoded "+" means a space, and offsets such as +08:00 are often sent unencoded. */
export const momentParameter = (description: string) =>
  z
    .string(orOnce(MOMENT_PROBLEM))
    .transform((text, context) => {
      const moment = parseInstant(text.replace(' ', '+'));
      if (moment !== null) return moment;
      context.addIssue(MOMENT_PROBLEM);
      return z.NEVER;
    })
    .meta({ description, format: 'date-time' });

/** A calendar date of Asia/Shanghai. */
export const dateParameter = (description: string) =>
  z
    .string(orOnce(DATE_PROBLEM))
    .transform((text, context) => {
      const date = parseDate(text);
      if (date !== null) return date;
      context.addIssue(DATE_PROBLEM);
      return z.NEVER;
    })
    .meta({ description, format: 'date' });

/** A 医保区划. */
export const areaParameter = (description: string) =>
  z
    .string(orOnce(AREA_PROBLEM))
    .regex(/^\d{6}$/, AREA_PROBLEM)
    .describe(description);

/** The text form of a place in a person's outcomes, which the reader sends back as `after`. */
export const outcomePlaceText = ({ shardId, seq }: OutcomePlace): string => `${shardId}-${seq}`;

/** Parses what `outcomePlaceText` wrote. */
export const outcomePlaceParameter = (description: string, problem = PLACE_PROBLEM) =>
  z
    .string(orOnce(problem))
    .transform((text, context): OutcomePlace => {
      const [, shardId, seq] = /^(\d{1,9})-(\d{1,18})$/.exec(text) ?? [];
      if (shardId !== undefined && seq !== undefined) return { shardId: Number(shardId), seq };
      context.addIssue(problem);
      return z.NEVER;
    })
    .describe(description);

/** Where a list continues, as an opaque text that the reader sends back. */
const packedText = (parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** Parses what `packedText` wrote from parts of this form. */
const packedParameter = <Parts, Place>(form: z.ZodType<Parts>, placeOf: (parts: Parts) => Place, description: string) =>
  z
    .string(orOnce(PLACE_PROBLEM))
    .transform((text, context): Place => {
      const { success, data } = form.safeParse(jsonIn(Buffer.from(text, 'base64url').toString()));
      if (success) return placeOf(data);
      context.addIssue(PLACE_PROBLEM);
      return z.NEVER;
    })
    .describe(description);

/** A place in the list of dead letters. */
type DeadPlace = OutcomePlace & { readonly at: string };
export const deadPlaceText = ({ at, shardId, seq }: DeadPlace): string => packedText([at, shardId, seq]);
export const deadPlaceParameter = (description: string) =>
  packedParameter(deadPlace, ([at, shardId, seq]): DeadPlace => ({ at, shardId, seq }), description);
const deadPlace = z.tuple([
  z.string().regex(/^[\x21-\x7e]{1,40}$/),
  z.int().min(0).max(999_999_999),
  z.string().regex(/^\d{1,18}$/),
]);

/** A place in a list of usage. */
export const placeText = ({ on, payer, version }: UsagePlace): string => packedText([on, version, payer]);
export const placeParameter = (description: string) =>
  packedParameter(place, ([on, version, payer]): UsagePlace => ({ on, version, payer }), description);
const place = z.tuple([
  z.string().refine((text) => parseDate(text) !== null),
  z.string().regex(/^\d{1,18}$/),
  idParameter(''),
]);

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The header that names a command. Other headers must be kept, because the validated object replaces what came. */
export const keyHeader = z.looseObject({
  'idempotency-key': z
    .string('expected a text of 1 to 200 ASCII characters, new for each command')
    .describe('Names the command: the same key is the same command, once.'),
});

/** The place of a message, as the lists of messages set aside show it. */
export const messagePlaceParameter = (description: string) =>
  z
    .string(orOnce(HELD_PROBLEM))
    .transform((text, context) => {
      const place = parsePlace(text);
      if (place !== null) return place;
      context.addIssue(HELD_PROBLEM);
      return z.NEVER;
    })
    .describe(description);

/** The filters of a list of messages that were set aside. */
export const setAsideParameters = {
  topic: z
    .enum(STREAMS, orOnce(`expected one of ${STREAMS.join(', ')}`))
    .optional()
    .describe('which input topic'),
  partition: z
    .string(orOnce(PARTITION_PROBLEM))
    .regex(/^\d{1,6}$/, PARTITION_PROBLEM)
    .optional()
    .describe('which partition of it'),
  key: idParameter('whose: the key of the messages, a person’s number').optional(),
  id: idParameter('a claim, refund, premium, binding, change, credit, contribution or check id').optional(),
  since: momentParameter('at or after').optional(),
  until: momentParameter('before').optional(),
} as const;

/** The filters in the form that `packages/set-aside` takes. */
export function setAsideFilter<
  Query extends {
    readonly partition?: string | undefined;
    readonly since?: number | undefined;
    readonly until?: number | undefined;
  },
>({ partition, since, until, ...rest }: Query) {
  return {
    ...rest,
    partition: partition === undefined ? undefined : Number(partition),
    since: since === undefined ? undefined : new Date(since),
    until: until === undefined ? undefined : new Date(until),
  };
}

/** One of a few words; the first one is the default. */
export const choiceParameter = <const T extends readonly [string, ...string[]]>(words: T, description: string) =>
  z
    .enum(words, orOnce(`expected one of ${words.join(', ')}`))
    .default(words[0] as never)
    .describe(description);

/** Whether the answer includes the content of messages, which is personal data. */
export const contentParameter = choiceParameter(['false', 'true'], 'true: with key, headers and value');

/** The parameters of a query string; an empty value counts as absent. */
export function parseQuery(text: string): Record<string, unknown> {
  const given = Object.entries(parse(text)).filter(([, value]) => value !== '');
  return Object.fromEntries(given);
}

/** The problem (400) for invalid parameters, named after the first of them. */
export function parameterProblem({ issues: [first] }: z.ZodError): Problem {
  const [path, problem] = [first?.path.join('.') ?? '', first?.message ?? ''];
  return new Problem('bad-parameter', `${path}: ${problem}`, { issues: [{ path, problem }] });
}

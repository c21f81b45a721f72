import { parseInstant } from '@repo/contracts';
import type { HeldPlace } from '@repo/ledger';
import { type Filter, heldPlaceOf, parsePlace, STREAMS } from '@repo/set-aside';
import { z } from 'zod';
import { NotUnderstood, parseOptions } from '../arguments.ts';

/** The topic and place that a person named. Throws `NotUnderstood`. */
export function placeIn(prefix: string, text: string): HeldPlace {
  const place = parsePlace(text);
  if (place === null)
    throw new NotUnderstood(
      'a place is written claims/PARTITION@OFFSET or members/PARTITION@OFFSET, as `list` shows it',
    );
  return heldPlaceOf(prefix, place);
}

const FLAGS = {
  topic: { type: 'string' },
  partition: { type: 'string' },
  code: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  id: { type: 'string' },
  key: { type: 'string' },
  all: { type: 'boolean' },
  lang: { type: 'string' },
  value: { type: 'boolean' },
  why: { type: 'string' },
  by: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
type Flag = keyof typeof FLAGS;

/** In every form that events have it. */
const instant = z.string().transform((text, context) => {
  const moment = parseInstant(text);
  if (moment !== null) return new Date(moment);
  context.addIssue('must be an instant, such as 2026-03-10T08:00:00+08:00');
  return z.NEVER;
});
const schema = z.object({
  topic: z.enum(STREAMS, { error: 'must be claims or members' }).optional(),
  partition: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a partition number')
    .optional(),
  since: instant.optional(),
  until: instant.optional(),
  lang: z.enum(['zh', 'en'], { error: 'is zh or en' }).optional(),
});

/** Reads the arguments of a command with actions; `actions` lists the flags that each accepts. Throws `NotUnderstood`. */
export function readArguments<A extends string>(args: string[], actions: Readonly<Record<A, readonly Flag[]>>) {
  const { values, positionals } = parseOptions({ args, allowPositionals: true, options: FLAGS });
  const [action = '', ...rest] = positionals;
  if (values.help === true) return { isHelp: true } as const;
  if (!Object.hasOwn(actions, action)) throw new NotUnderstood(`expected one of ${Object.keys(actions).join(', ')}`);
  const allowed = new Set<string>([...actions[action as A], 'json']);
  const other = Object.keys(values).find((flag) => !allowed.has(flag));
  if (other !== undefined) throw new NotUnderstood(`${action} takes no --${other}`);
  const checked = schema.safeParse(values);
  if (!checked.success)
    throw new NotUnderstood(
      checked.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`).join('; '),
    );
  const { topic, partition, since, until } = checked.data;
  const filter = {
    topic,
    partition: partition === undefined ? undefined : Number(partition),
    code: values.code,
    since,
    until,
    id: values.id,
    key: values.key,
  };
  return { isHelp: false, action: action as A, places: rest, values, filter } as const;
}

export const isNarrowed = (filter: Filter): boolean => Object.values(filter).some((value) => value !== undefined);

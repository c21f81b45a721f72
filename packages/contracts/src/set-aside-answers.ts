import { z } from 'zod';

/*
 * What HTTP answers about messages that were set aside: dead letters, and what is held in quarantine. Lists name nobody: the key and the
 * content of a message are personal data, and stand only in the answer about one place, where they were asked for.
 */

const text = z.string();
const moment = z.string().meta({ format: 'date-time' });
const place = text.describe('topic, partition and offset of the message, as `claims/3@1042`');
const bytes = z
  .union([z.string(), z.object({ base64: z.string().describe('bytes that are no UTF-8') })])
  .nullable()
  .describe('as text where it is text');
/** Present only where the content was asked for. */
const content = {
  key: bytes.optional().describe('whose message it is; only where the content was asked for'),
  headers: z
    .array(z.array(bytes))
    .optional()
    .describe('each name with its value; only where the content was asked for'),
  value: bytes.optional().describe('only where the content was asked for'),
} as const;
const facts = {
  type: text.nullable().describe('the event’s type'),
  id: text.nullable().describe('the event’s own id; null where it has none'),
  bytes: z.int().describe('how large the value is'),
  unopened: text
    .optional()
    .describe('why type, id and content are not told: they are sealed, and no key at hand opens them'),
} as const;

const deadLetter = z.object({
  dead_letter_id: text.describe('names it here'),
  place,
  code: text.describe('why it could not be used'),
  detail: text.describe('the fields that are wrong, and what was expected there'),
  at: moment.describe('when the message was sent'),
  ...facts,
});
export const deadLettersAnswer = z.object({
  dead_letters: z.array(deadLetter).describe('the last sent first'),
  next: text.optional(),
});
export const deadLetterAnswer = deadLetter.extend(content);

/** An input message as it came, whatever became of it. */
export const inputAnswer = z.object({
  place,
  at: moment.describe('when the message was sent'),
  ...facts,
  key: bytes.describe('whose message it is'),
  headers: z.array(z.array(bytes)).describe('each name with its value'),
  value: bytes.describe('the event as its sender wrote it'),
});

const counts = z.array(z.object({ code: text, count: z.int().describe('how many') }));
export const redriveBody = z.object({
  dead_letters: z
    .array(z.string().regex(/^\d{1,9}-\d{1,18}$/, 'expected a dead_letter_id'))
    .min(1, 'expected at least one')
    .max(100, 'expected at most 100')
    .describe('which, by their dead_letter_id'),
  dry_run: z.boolean().optional().describe('true: says what would be sent, and sends nothing'),
});
export const redriveAnswer = z.object({
  dry_run: z.boolean().describe('whether nothing was sent'),
  due: counts.describe('what is, or would be, sent again, by the code of its dead letter'),
  foreign: z.int().describe('those that came from other topics, which are left alone'),
  gone: z.int().describe('those that are no dead letters'),
  unopened: z
    .int()
    .optional()
    .describe('those that are sealed and cannot be opened here, which are left alone; absent: none'),
  redriven: z
    .array(
      z.object({
        dead_letter_id: text.describe('which'),
        place: place.nullable().describe('where it is now; null: nothing was sent'),
        result: z
          .enum(['TAKEN', 'DEAD', 'HELD', 'WAITING', 'DUE'])
          .describe(
            'TAKEN: judged, now or before; DEAD: among the dead letters again; HELD: behind others of its key in quarantine; WAITING: not reached yet; DUE: would be sent',
          ),
        code: text.nullable().describe('why it is among the dead letters again'),
      }),
    )
    .describe('one by one, in the order in which they are sent'),
});

const quarantined = z.object({
  place: place.describe('of the first held message; below 0: work that no message asks for'),
  since: moment.describe('since when its key is held'),
  messages: z.int().describe('how many are held'),
  bytes: z.int().describe('how large they are together'),
  failed: text.nullable().describe('the place that the worker failed on'),
  failure: text.nullable().describe('what it met there: class, code and line of the code'),
  ordered: z.enum(['RELEASE', 'DROP']).nullable().describe('ordered, and not carried out yet'),
});
export const quarantineAnswer = z.object({
  quarantined: z.array(quarantined).describe('one for each key, by place'),
  next: text.optional(),
});
export const heldAnswer = z.object({
  messages: z
    .array(
      z.object({
        place,
        is_work: z.boolean().describe('work that no message asks for: it can be released, and not dropped'),
        at: moment.describe('when the message was sent'),
        held_at: moment.describe('when it was set aside'),
        failure: text.nullable().describe('what the worker met; null: it waits behind the one that failed'),
        ...facts,
        ...content,
      }),
    )
    .describe('in the order in which they came'),
  next: text.optional(),
});

const dryRun = z.boolean().optional().describe('true: says what would be done, and orders nothing');
const kept = 'the reason, kept for ever with the order; it must name nobody';
export const releaseBody = z.object({ reason: z.string().optional().describe(kept), dry_run: dryRun });
export const dropBody = z.object({
  reason: z.string('expected a reason').describe(kept),
  code: z
    .enum(['EVENT_UNREADABLE', 'EVENT_MALFORMED', 'CLAIM_MALFORMED'])
    .optional()
    .describe('of the dead letter; CLAIM_MALFORMED is told to the hospital too'),
  dry_run: dryRun,
});
export const quarantineOrderAnswer = z.object({
  order_id: text.nullable().describe('null: nothing was ordered'),
  action: z.enum(['RELEASE', 'DROP']).describe('what is ordered'),
  messages: z.int().describe('released or dropped so far; before the order, how many it is about'),
  result: z
    .enum(['DONE', 'FAILED', 'GONE'])
    .nullable()
    .describe(
      'FAILED: a message still fails, and those behind it stay held; GONE: nothing was held there any more; null: not yet',
    ),
});

import { deadLetterAnswer, deadLettersAnswer, redriveAnswer, redriveBody } from '@repo/contracts';
import { formatInstant } from '@repo/domain';
import { type DeadRow, findDead, findDeadAt, type OutcomePlace } from '@repo/ledger';
import { openIfPossible } from '@repo/sealing';
import { type Found, foundOf, isOurs, isWanted, placeName, topicOf, wholeOf } from '@repo/set-aside';
import { readDead } from '@repo/shard-worker';
import { z } from 'zod';
import { bodyOf } from '../body.ts';
import { idOf } from '../commands.ts';
import { type Api, responses } from '../openapi.ts';
import {
  contentParameter,
  deadPlaceParameter,
  deadPlaceText,
  idParameter,
  keyHeader,
  outcomePlaceParameter,
  outcomePlaceText,
  setAsideFilter,
  setAsideParameters,
} from '../parameters.ts';
import { idIsSealed, notFound } from '../problem.ts';
import { type Redriven, sendBack } from '../redrive.ts';
import { Repeats } from '../repeats.ts';
import type { ApiDeps } from '../server.ts';
import type { Slots } from '../slots.ts';

const LETTERS_MAX = 100;
/**
 * Rows, and bytes of them, read for one answer, at most 20 times: an id is somewhere inside a message, and no index leads to it. What is
 * listed is inside as well, and a dead letter may have 9 MiB.
 */
const READ_AT_ONCE = { limit: 500, bytesMax: 4 << 20 };
const READS_MAX = 20;

type Placed = Found & { readonly id: string };

const list = z.object({
  ...setAsideParameters,
  code: idParameter('why it could not be used').optional(),
  after: deadPlaceParameter('the `next` of the answer before').optional(),
});

/** Messages that could not be used: lists them, shows them, and sends them again. For operators only. */
export function deadLetterRoutes(
  app: Api,
  { ledger, prefix, commands, envelopes, underWay }: ApiDeps & { readonly underWay: { readonly commands: Slots } },
): void {
  const letterOf = ({ place, key, value, stamp, at }: DeadRow): Placed => {
    const { note, content } = readDead(stamp, value);
    const dead = { note, key, ...openIfPossible(envelopes, note, content) };
    return { id: outcomePlaceText(place), ...foundOf(dead, { prefix, atMs: Date.parse(at) }) };
  };
  const lettersOf = (rows: readonly DeadRow[]): Placed[] => rows.map(letterOf);

  app.get(
    '/v1/dead-letters',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'listDeadLetters',
        tags: ['Repair'],
        summary: 'The messages that could not be used',
        description: `Without their keys and values. At most ${LETTERS_MAX} at a time; with an \`id\`, or of large ones, a page may hold fewer, or none, although there are more.`,
        querystring: list,
        response: responses(
          { of: deadLettersAnswer, is: 'the last sent first' },
          { 400: 'a parameter is not as expected' },
        ),
      },
    },
    async ({ query: { after, ...query } }) => {
      if (query.id !== undefined && envelopes === null) throw idIsSealed();
      const { letters, next } = await search(query, after);
      return next === undefined ? { dead_letters: letters } : { dead_letters: letters, next: deadPlaceText(next) };
    },
  );

  async function search(
    query: Omit<z.output<typeof list>, 'after'>,
    after: (DeadRow['place'] & { at: string }) | undefined,
  ) {
    const { topic, since, until } = query;
    const filter = setAsideFilter(query);
    const stored = {
      ...{ ...filter, topic: topic && topicOf(prefix, topic) },
      since: since === undefined ? undefined : formatInstant(since),
      until: until === undefined ? undefined : formatInstant(until),
    };
    // Without what they came from, which would wait in memory with them.
    const letters: ({ dead_letter_id: string } & Found['letter'])[] = [];
    let before = after;
    for (let read = 0; read < READS_MAX; read++) {
      const { rows, more } = await findDead(ledger, stored, { before, ...READ_AT_ONCE });
      for (const row of rows) {
        const one = letterOf(row);
        if (!isWanted(one, filter, prefix)) continue;
        if (letters.length === LETTERS_MAX) return { letters, next: before };
        letters.push({ dead_letter_id: one.id, ...one.letter });
        before = { ...row.place, at: row.at };
      }
      const last = rows.at(-1);
      if (!more || last === undefined) return { letters, next: undefined };
      if (letters.length < LETTERS_MAX) before = { ...last.place, at: last.at };
    }
    return { letters, next: before };
  }

  app.get(
    '/v1/dead-letters/:dead_letter_id',
    {
      config: { scopes: ['operate'] },
      schema: {
        operationId: 'getDeadLetter',
        tags: ['Repair'],
        summary: 'One message that could not be used, and why',
        params: z.object({
          dead_letter_id: outcomePlaceParameter(
            'which, as it is listed',
            'expected an id as it is listed, such as 3-1042',
          ),
        }),
        querystring: z.object({ content: contentParameter }),
        response: responses(
          { of: deadLetterAnswer, is: 'the dead letter' },
          { 400: 'a parameter is not as expected', 404: 'no such dead letter' },
        ),
      },
    },
    async ({ params: { dead_letter_id: place }, query: { content } }) => {
      const [one] = lettersOf(await findDeadAt(ledger, [place]));
      if (one === undefined) throw notFound('dead-letter');
      const letter = { dead_letter_id: one.id, ...one.letter };
      return content === 'true' ? { ...letter, ...wholeOf(one.original) } : letter;
    },
  );

  if (commands === undefined) return;
  const { sendAgain, waitMs } = commands;
  const repeats = new Repeats<object>();
  app.post(
    '/v1/dead-letters/redrive',
    {
      config: { scopes: ['operate'], slow: true },
      schema: {
        operationId: 'redriveDeadLetters',
        tags: ['Repair'],
        summary: 'Send messages that could not be used again, to be judged afresh',
        description:
          'Each goes to the topic and partition it came from, as it came, behind whatever its sender has sent since. What was taken after all is not taken twice; what is rejected again is a dead letter again. The old dead letters stay.',
        headers: keyHeader,
        body: redriveBody,
        response: responses(
          { of: redriveAnswer, is: 'what was sent, and what came of each within the wait' },
          {
            400: 'the key is missing, or a parameter is not as expected',
            409: 'the key was used for something else',
            413: 'the body is larger than 1 MiB',
            415: 'the content is not application/json',
            422: 'the body is not as expected: `issues` say why',
          },
        ),
      },
    },
    async (request) => {
      const commandId = idOf(request);
      const { dead_letters: ids, dry_run: dryRun = false } = bodyOf(redriveBody, request.body);
      const asked = [...new Set(ids)];
      const found = lettersOf(await findDeadAt(ledger, asked.map(placeOf)));
      const ours = found.filter((one) => isOurs(one, prefix));
      // Only the place is known of a message that cannot be opened; sent again it would be another message.
      const due = ours.filter(({ letter }) => letter.unopened === undefined);
      const unopened = ours.length - due.length;
      const answer = {
        ...{ dry_run: dryRun, due: countsOf(due) },
        ...{ foreign: found.length - ours.length, gone: asked.length - found.length },
        ...(unopened > 0 && { unopened }),
      };
      if (dryRun) return { ...answer, redriven: due.map((one) => told(one, undefined, prefix)) };
      return repeats.once(commandId, JSON.stringify(asked), async () => {
        using _place = underWay.commands.take();
        const sent = await sendBack(due, { ledger, sendAgain, waitMs });
        return { ...answer, redriven: due.map((one, i) => told(one, sent[i], prefix)) };
      });
    },
  );
}

function placeOf(id: string): OutcomePlace {
  const [shardId = '', seq = ''] = id.split('-');
  return { shardId: Number(shardId), seq };
}

function countsOf(letters: readonly Found[]): { code: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { letter } of letters) counts.set(letter.code, (counts.get(letter.code) ?? 0) + 1);
  return [...counts].map(([code, count]) => ({ code, count })).sort((one, other) => other.count - one.count);
}

const told = ({ id }: Placed, sent: Redriven | undefined, prefix: string) => ({
  dead_letter_id: id,
  place: sent === undefined ? null : placeName(prefix, sent.topic, sent.partition, sent.offset),
  result: sent?.result ?? 'DUE',
  code: sent?.code ?? null,
});

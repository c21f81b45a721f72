import { type DeadLetterNote, readDeadLetterHeaders, topicsOf } from '@repo/contracts';
import { type Headers, readToEnd, Sender, sizeOf } from '@repo/messaging';
import type { Opened } from '@repo/sealing';
import type { KafkaAccess } from '@repo/transport';
import { factsOf, idsOf, type MessageFacts, printable } from './facts.ts';
import { type Filter, placeName, topicOf } from './place.ts';

/** A dead letter as it is listed. No personal data: not its key, not its value. */
export interface DeadLetter extends MessageFacts {
  /** Where the message was when it died. */
  readonly place: string;
  readonly code: string;
  readonly detail: string;
  /** When it came to the dead letters. */
  readonly at: string;
}

/** A message as it came, and where it goes to be judged again. */
export interface Original {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

/** A dead letter and what it takes to send the message again. */
export interface Found {
  readonly letter: DeadLetter;
  readonly original: Original;
}

interface Where {
  readonly brokers: readonly string[];
  readonly kafkaAccess?: KafkaAccess;
  readonly topicPrefix: string;
}

/** A dead letter from what its headers, or its stored row, say of it. */
export function foundOf(
  { note, headers, key, value, unopened }: { readonly note: DeadLetterNote; readonly key: Buffer | null } & Opened,
  { prefix, atMs }: { readonly prefix: string; readonly atMs: number },
): Found {
  const original = { topic: note.topic, partition: note.partition, key, value, headers };
  const letter = {
    place: printable(placeName(prefix, note.topic, note.partition, note.offset)),
    ...{ code: printable(note.code), detail: printable(note.detail) },
    at: new Date(atMs).toISOString(),
    ...factsOf({ ...original, ...(unopened && { unopened }) }),
  };
  return { letter, original };
}

/** Whether a dead letter is one of those that are looked for. */
export function isWanted({ letter, original }: Found, filter: Filter, prefix: string): boolean {
  const { since, until, key } = filter;
  const at = Date.parse(letter.at);
  if (filter.topic !== undefined && original.topic !== topicOf(prefix, filter.topic)) return false;
  if (filter.partition !== undefined && original.partition !== filter.partition) return false;
  if (filter.code !== undefined && letter.code !== filter.code) return false;
  if (since !== undefined && at < since.getTime()) return false;
  if (until !== undefined && at >= until.getTime()) return false;
  if (key !== undefined && !(original.key?.equals(Buffer.from(key)) ?? false)) return false;
  return filter.id === undefined || idsOf(original).has(filter.id);
}

/** Whether a dead letter came from an input topic of this system; what came from another is left alone. */
export function isOurs({ original }: Found, prefix: string): boolean {
  const { claims, members } = topicsOf(prefix);
  return original.topic === claims || original.topic === members;
}

/** Reads the topic of dead letters in order, partition by partition, and hands on those that are looked for. Records of others' are counted. */
export async function readDeadLetters(
  { brokers, kafkaAccess, topicPrefix: prefix }: Where,
  filter: Filter,
  { onFound, onProgress }: { onFound: (found: Found) => void | Promise<void>; onProgress: (share: number) => void },
): Promise<{ readonly others: number }> {
  let others = 0;
  await readToEnd({
    connection: { brokers, clientId: 'gongji-dead-letters', ...kafkaAccess },
    topics: [topicsOf(prefix).deadLetters],
    onProgress,
    onRecords: async (records) => {
      for (const record of records) {
        const read = readDeadLetterHeaders(record.headers);
        if (read === null) {
          others += 1;
          continue;
        }
        const headers = read.original.map(([name, value]) => [name, Buffer.from(value)] as const);
        const found = foundOf({ ...record, note: read.note, headers }, { prefix, atMs: record.timestampMs });
        if (isWanted(found, filter, prefix)) await onFound(found);
      }
    },
  });
  return { others };
}

/**
 * Sends dead letters back to the topics and partitions they came from, with their original key, value and headers, in the order in which
 * they died. At least once: after a failure it may be run again, since a message that was taken is not taken twice.
 */
export async function redrive(
  where: Where,
  filter: Filter,
  { onSent, onProgress }: { onSent: (found: Found) => void; onProgress: (share: number) => void },
): Promise<void> {
  const { claims, members } = topicsOf(where.topicPrefix);
  await using sender = await Sender.open({ brokers: where.brokers, clientId: 'gongji-redrive', ...where.kafkaAccess });
  let waiting: Found[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    const due = waiting;
    waiting = [];
    bytes = 0;
    for (const topic of [claims, members]) {
      const ofTopic = due.filter(({ original }) => original.topic === topic);
      await sender.sendAll(
        topic,
        ofTopic.map(({ original }) => original),
      );
      ofTopic.forEach(onSent);
    }
  };
  await readDeadLetters(where, filter, {
    onProgress,
    onFound: async (found) => {
      waiting.push(found);
      bytes += sizeOf(found.original);
      if (waiting.length >= AT_ONCE_MAX || bytes > AT_ONCE_BYTES_MAX) await send();
    },
  });
  await send();
}

const AT_ONCE_MAX = 500;
const AT_ONCE_BYTES_MAX = 1 << 20;

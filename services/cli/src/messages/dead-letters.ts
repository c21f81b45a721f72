import { readDeadLetterHeaders, topicsOf } from '@repo/contracts';
import { type Headers, readToEnd, Sender, type TailedRecord } from '@repo/messaging';
import type { KafkaAccess } from '@repo/transport';
import { type Filter, placeName, topicOf } from './asked.ts';
import { factsOf, idsOf, type MessageFacts, printable } from './facts.ts';

/** A dead letter as it is listed. No personal data: not its key, not its value. */
export interface DeadLetter extends MessageFacts {
  /** Where the message was when it died. */
  readonly place: string;
  readonly code: string;
  readonly detail: string;
  /** When it came to the dead letters. */
  readonly at: string;
}

/** A dead letter and what it takes to send the message again. */
export interface Found {
  readonly letter: DeadLetter;
  readonly topic: string;
  readonly record: TailedRecord;
  readonly message: {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Headers;
    readonly partition: number;
  };
}

interface Where {
  readonly brokers: readonly string[];
  readonly kafkaAccess?: KafkaAccess;
  readonly topicPrefix: string;
}

/** Reads the dead letters in order, partition by partition, and hands on those that are looked for. Records of others' are counted. */
export async function readDeadLetters(
  { brokers, kafkaAccess, topicPrefix }: Where,
  filter: Filter,
  { onFound, onProgress }: { onFound: (found: Found) => void | Promise<void>; onProgress: (share: number) => void },
): Promise<{ readonly others: number }> {
  let others = 0;
  await readToEnd({
    connection: { brokers, clientId: 'gongji-dead-letters', ...kafkaAccess },
    topics: [topicsOf(topicPrefix).deadLetters],
    onProgress,
    onRecords: async (records) => {
      for (const record of records) {
        const found = foundOf(record, topicPrefix);
        if (found === null) others += 1;
        else if (isWanted(found, filter, topicPrefix)) await onFound(found);
      }
    },
  });
  return { others };
}

function foundOf(record: TailedRecord, prefix: string): Found | null {
  const read = readDeadLetterHeaders(record.headers);
  if (read === null) return null;
  const { note } = read;
  const headers = read.original.map(([name, value]) => [name, Buffer.from(value)] as const);
  const message = { key: record.key, value: record.value, headers, partition: note.partition };
  const letter = {
    place: printable(placeName(prefix, note.topic, note.partition, note.offset)),
    ...{ code: printable(note.code), detail: printable(note.detail) },
    at: new Date(record.timestampMs).toISOString(),
    ...factsOf(message),
  };
  return { letter, topic: note.topic, record, message };
}

function isWanted({ letter, topic, record, message }: Found, filter: Filter, prefix: string): boolean {
  const { since, until, key } = filter;
  if (filter.topic !== undefined && topic !== topicOf(prefix, filter.topic)) return false;
  if (filter.partition !== undefined && message.partition !== filter.partition) return false;
  if (filter.code !== undefined && letter.code !== filter.code) return false;
  if (since !== undefined && record.timestampMs < since.getTime()) return false;
  if (until !== undefined && record.timestampMs >= until.getTime()) return false;
  if (key !== undefined && !(record.key?.equals(Buffer.from(key)) ?? false)) return false;
  return filter.id === undefined || idsOf(message).has(filter.id);
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
      const ofTopic = due.filter((found) => found.topic === topic);
      await sender.sendAll(
        topic,
        ofTopic.map(({ message }) => message),
      );
      ofTopic.forEach(onSent);
    }
  };
  await readDeadLetters(where, filter, {
    onProgress,
    onFound: async (found) => {
      waiting.push(found);
      bytes += found.letter.bytes;
      if (waiting.length >= AT_ONCE_MAX || bytes > AT_ONCE_BYTES_MAX) await send();
    },
  });
  await send();
}

const AT_ONCE_MAX = 500;
const AT_ONCE_BYTES_MAX = 1 << 20;

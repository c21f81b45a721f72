import { headerText } from './decode.ts';

/** The variable CloudEvents headers of an output; the others are constant or belong to the shard. */
export interface EventStamp {
  readonly type: string;
  /** Derived from the input that is answered, never from the attempt. */
  readonly id: string;
  readonly time: string;
  readonly traceparent?: string;
}

/** A trace context of version 00 has 55 characters; later versions may be somewhat longer. */
const TRACEPARENT_LENGTH_MAX = 256;

/** The message's trace context, to be passed on; undefined where it is absent or too long to be one. */
export function traceparentOf(message: Parameters<typeof headerText>[0]): string | undefined {
  const text = headerText(message, 'traceparent');
  return text === null || text.length > TRACEPARENT_LENGTH_MAX ? undefined : text;
}

/** The headers of an output, CloudEvents 1.0 in Kafka's binary mode, with the writer's dense sequence. */
export function outputHeaders(stamp: EventStamp, writer: { source: string; sequence: bigint }): [string, string][] {
  const headers: [string, string][] = [
    ['ce_specversion', '1.0'],
    ['ce_type', stamp.type],
    ['ce_id', stamp.id],
    ['ce_source', writer.source],
    ['ce_time', stamp.time],
    ['content-type', 'application/json'],
    ['ce_sequence', String(writer.sequence)],
  ];
  if (stamp.traceparent !== undefined) headers.push(['traceparent', stamp.traceparent]);
  return headers;
}

/** Where a dead letter came from and why; no personal data. */
export interface DeadLetterNote {
  readonly code: string;
  readonly detail: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly at: string;
}

/** The original headers followed by ours. Ours from an earlier dead letter are replaced, so that a redriven message has one set. */
export function deadLetterHeaders(
  original: readonly (readonly [string, Uint8Array])[],
  note: DeadLetterNote,
  sequence: bigint,
): [string, Buffer][] {
  const ours: [string, string][] = [
    ['gongji-code', note.code],
    ['gongji-detail', note.detail],
    ['gongji-topic', note.topic],
    ['gongji-partition', String(note.partition)],
    ['gongji-offset', note.offset],
    ['gongji-at', note.at],
    ['gongji-sequence', String(sequence)],
  ];
  const kept = original.filter(([name]) => !ours.some(([own]) => own === name));
  return [
    ...kept.map(([name, value]): [string, Buffer] => [name, Buffer.from(value)]),
    ...ours.map(([name, text]): [string, Buffer] => [name, Buffer.from(text)]),
  ];
}

const NOTE_HEADERS = ['code', 'detail', 'topic', 'partition', 'offset', 'at', 'sequence'] as const;

/**
 * The note and the original headers of a dead letter. Null where one of our headers is missing or malformed: it is none of our dead
 * letters.
 */
export function readDeadLetterHeaders(headers: readonly (readonly [string, Uint8Array])[]): {
  readonly note: DeadLetterNote;
  readonly original: readonly (readonly [string, Uint8Array])[];
} | null {
  const ours = new Map<string, string>();
  for (const [name, value] of headers) ours.set(name, Buffer.from(value).toString());
  const [code, detail, topic, partition, offset, at] = NOTE_HEADERS.map((name) => ours.get(`gongji-${name}`));
  if (code === undefined || detail === undefined || topic === undefined || at === undefined) return null;
  if (!/^\d{1,9}$/.test(partition ?? '') || offset === undefined || !/^\d{1,18}$/.test(offset)) return null;
  const original = headers.filter(([name]) => !NOTE_HEADERS.some((own) => name === `gongji-${own}`));
  return { note: { code, detail, topic, partition: Number(partition), offset, at }, original };
}

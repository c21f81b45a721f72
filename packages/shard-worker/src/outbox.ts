import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import {
  type Bad,
  type DeadLetterNote,
  deadLetterHeaders,
  type EventStamp,
  encodeRejected,
  type Outgoing,
  outputHeaders,
  traceparentOf,
} from '@repo/contracts';
import { assert, formatInstant } from '@repo/domain';
import type { OutcomeRow, PlacedOutcome } from '@repo/ledger';
import { type Headers, type InputRecord, type OutboxRow, type ShardId, TOPIC_BYTES_MAX } from '@repo/messaging';
import { type Envelopes, isSealed, type StoredContent } from '@repo/sealing';

/**
 * The stamp of a dead letter: the original's headers in base64, and our note. Where they are sealed, they are in the payload together with
 * the value, and `sealed` is the value's size in bytes. A version that cannot open seals finds no headers here and stops, instead of
 * publishing the seal.
 */
type DeadStamp =
  | { readonly headers: readonly (readonly [string, string])[]; readonly note: DeadLetterNote }
  | { readonly sealed: number; readonly note: DeadLetterNote };

/** The type of a result and the moment of what it reports, from its stored stamp. */
export function readResultStamp(stamp: string): Pick<EventStamp, 'type' | 'time'> {
  const { type, time } = JSON.parse(stamp) as EventStamp;
  return { type, time };
}

/** A dead letter's note from its stored stamp: why it is one, and where the message was. Never sealed. */
export const readNote = (stamp: string): DeadLetterNote => (JSON.parse(stamp) as DeadStamp).note;

/** A dead letter's note and the message's content, sealed or not, from its stored row. */
export function readDead(
  stamp: string,
  payload: Buffer | null,
): { readonly note: DeadLetterNote; readonly content: StoredContent } {
  const read = JSON.parse(stamp) as DeadStamp;
  const { note } = read;
  if ('sealed' in read) return { note, content: { sealed: payload ?? Buffer.alloc(0), bytes: read.sealed } };
  const headers = read.headers.map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const);
  return { note, content: { headers, value: payload } };
}

/** Seals the content of a dead letter, leaving its note readable. Any other row is returned as it is. */
export function sealRow(row: OutcomeRow, envelopes: Envelopes): OutcomeRow {
  if (row.dest === 'R') return row;
  const { note, content } = readDead(row.stamp, row.payload);
  if (isSealed(content)) return row;
  const { sealed, bytes } = envelopes.seal(note, content);
  return { ...row, stamp: JSON.stringify({ sealed: bytes, note } satisfies DeadStamp), payload: sealed };
}

/** Undoes `sealRow`, to the byte. Throws `Unopened`. */
export function openRow<R extends OutcomeRow>(row: R, envelopes: Envelopes): R {
  if (row.dest === 'R') return row;
  const { note, content } = readDead(row.stamp, row.payload);
  if (!isSealed(content)) return row;
  const { headers, value } = envelopes.open(note, content);
  return { ...row, stamp: deadStamp(headers, note), payload: value };
}

const deadStamp = (headers: Headers, note: DeadLetterNote): string =>
  JSON.stringify({
    headers: headers.map(([name, value]) => [name, value.toString('base64')] as const),
    note,
  } satisfies DeadStamp);

/** Where a worker's rows are published. */
export interface OutboxTargets {
  readonly results: string;
  readonly deadLetters: string;
  /** The dead-letter partition for this worker's partition 0: those of the claims topic come first, then those of the members topic. */
  readonly deadLetterBase: number;
  /** Names the writer of a shard's sequence, without the partition. */
  readonly source: string;
  /** Seals messages that the database keeps in their original form. */
  readonly envelopes: Envelopes;
}

/** A result as stored: at once the answer to its event and a row of the outbox. */
export const resultRow = ({ stamp, key, payload }: Outgoing): OutcomeRow => ({
  dest: 'R',
  key: key === null ? null : Buffer.from(key),
  stamp: JSON.stringify(stamp),
  payload: Buffer.from(JSON.stringify(payload)),
});

/** The rows for a bad message: the dead letter with its original bytes, and the rejection of a claim whose id could be read. */
export function badRows(shard: ShardId, record: InputRecord, bad: Bad): OutcomeRow[] {
  const detail = bad.issues.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`)).join('; ');
  const dead = deadRow(shard, record, { code: bad.code, detail });
  if (!bad.code.startsWith('CLAIM_') || bad.claimId === null) return [dead];
  const id = `${shard.topic}:${shard.partition}:${record.offset}`;
  const key = personOf(record);
  // Alone: no event's id leads to it, and the audit tells it by its stamp.
  const rejected = encodeRejected(bad, { id, at: record.timestampMs, key }, traceparentOf(record));
  return [{ ...resultRow(rejected), alone: true }, dead];
}

/** The person number that a record's key is; null where it can be none, which as text might be larger than any topic takes. */
export const personOf = ({ key }: Pick<InputRecord, 'key'>): string | null =>
  key !== null && key.length <= KEY_BYTES_MAX && isUtf8(key) ? key.toString() : null;

/** Bytes around one record in its own batch, and around one header, without the key, value and name. Kafka needs 61 to 90, and 10. */
const RECORD_BYTES = 200;
const HEADER_BYTES = 10;
/** Bytes of the headers that we add to a dead letter; the detail is the longest. */
const NOTE_BYTES_MAX = 8_192;
/** Longer than any person number. */
const KEY_BYTES_MAX = 1_024;

function bytesOf({ key, value, headers }: Pick<OutboxRow, 'key' | 'value' | 'headers'>): number {
  let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of headers) bytes += HEADER_BYTES + Buffer.byteLength(name) + Buffer.byteLength(header);
  return bytes;
}

/** A row larger than its topic accepts. It makes its message a defect to be set aside, instead of one that blocks everything behind it. */
class OutcomeTooLarge extends Error {
  override readonly name = 'OutcomeTooLarge';
}

/** Throws where the broker would refuse a row for its size. */
export function refuseTooLarge(row: OutboxRow, { deadLetters }: Pick<OutboxTargets, 'deadLetters'>): void {
  const limit = row.topic === deadLetters ? TOPIC_BYTES_MAX.deadLetters : TOPIC_BYTES_MAX.results;
  const bytes = bytesOf(row);
  if (bytes > limit) throw new OutcomeTooLarge(`a result of ${bytes} bytes, where its topic takes ${limit}`);
}

/**
 * A dead letter: original key, value, headers, and why. A compressed input may hold more than any topic accepts uncompressed: such a
 * message's dead letter has only its place, which leads to it as long as the input topic keeps it.
 */
export function deadRow(shard: ShardId, record: InputRecord, why: { code: string; detail: string }): OutcomeRow {
  const bytes = bytesOf(record);
  if (bytes + NOTE_BYTES_MAX > TOPIC_BYTES_MAX.deadLetters) {
    const detail = `${bytes} bytes, more than a dead letter may hold: see its place; ${why.detail}`;
    const key = (record.key?.length ?? 0) > KEY_BYTES_MAX ? null : record.key;
    return deadRow(shard, { ...record, key, value: null, headers: [] }, { ...why, detail });
  }
  const note: DeadLetterNote = {
    code: why.code,
    // Limited in length, because it becomes a header.
    detail: why.detail.slice(0, 1_000),
    topic: shard.topic,
    partition: shard.partition,
    offset: String(record.offset),
    // Must be last: the index of dead letters (`ix_outcome_dead`) expects it at the end of the stamp.
    at: formatInstant(record.timestampMs),
  };
  return { dest: 'D', key: record.key, stamp: deadStamp(record.headers, note), payload: record.value };
}

/** The record to publish for a row, which must not be sealed. */
export function toOutboxRow(row: PlacedOutcome, shard: ShardId, targets: OutboxTargets): OutboxRow {
  const { seq, destSeq, key, payload: value } = row;
  if (row.dest === 'R') {
    const writer = { source: `${targets.source}/${shard.partition}`, sequence: destSeq };
    const headers = outputHeaders(JSON.parse(row.stamp) as EventStamp, writer);
    return { seq, topic: targets.results, partition: shard.partition, key, value, headers };
  }
  const { note, content } = readDead(row.stamp, value);
  assert(!isSealed(content), 'what is published was opened');
  const headers = deadLetterHeaders(content.headers, note, destSeq);
  return { seq, topic: targets.deadLetters, partition: targets.deadLetterBase + shard.partition, key, value, headers };
}

/**
 * A hash that distinguishes contents: the first half of their SHA-256 (16 bytes), since one is kept for every event for ever. Asked for as
 * text, which takes half the time of a buffer.
 */
export const contentHash = (content: string): Buffer => Buffer.from(hash('sha256', content, 'hex').slice(0, 32), 'hex');

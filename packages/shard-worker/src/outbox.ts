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
 * How a dead letter's headers are kept: the original's bytes in base64, and our note. Of one that is sealed they are in the payload, with
 * the value: instead of them stands how many bytes that has. A version that cannot open finds no headers there and stops, instead of
 * publishing the seal.
 */
type DeadStamp =
  | { readonly headers: readonly (readonly [string, string])[]; readonly note: DeadLetterNote }
  | { readonly sealed: number; readonly note: DeadLetterNote };

/** Of which type a result is, and when what it tells happened, by its stored stamp. */
export function readResultStamp(stamp: string): Pick<EventStamp, 'type' | 'time'> {
  const { type, time } = JSON.parse(stamp) as EventStamp;
  return { type, time };
}

/** Why a dead letter is one, and where the message was, by its stored stamp: in clear always. */
export const readNote = (stamp: string): DeadLetterNote => (JSON.parse(stamp) as DeadStamp).note;

/** A stored dead letter: its note, and what the message says, sealed or not. */
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

/** A dead letter as it is stored: what the message says is sealed, the note stays readable. Any other row is stored as it is. */
export function sealRow(row: OutcomeRow, envelopes: Envelopes): OutcomeRow {
  if (row.dest === 'R') return row;
  const { note, content } = readDead(row.stamp, row.payload);
  if (isSealed(content)) return row;
  const { sealed, bytes } = envelopes.seal(note, content);
  return { ...row, stamp: JSON.stringify({ sealed: bytes, note } satisfies DeadStamp), payload: sealed };
}

/** The row that was sealed, to the byte. Throws `Unopened`. */
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

/** Where a worker's rows go. */
export interface OutboxTargets {
  readonly results: string;
  readonly deadLetters: string;
  /** The dead-letter partition of this worker's partition 0: claims come first, members after them. */
  readonly deadLetterBase: number;
  /** Names the writer of a shard's sequence, without its partition. */
  readonly source: string;
  /** Seals messages that the database keeps as they came. */
  readonly envelopes: Envelopes;
}

/** An outcome as it is stored: answer and outbox at once. */
export const resultRow = ({ stamp, key, payload }: Outgoing): OutcomeRow => ({
  dest: 'R',
  key: key === null ? null : Buffer.from(key),
  stamp: JSON.stringify(stamp),
  payload: Buffer.from(JSON.stringify(payload)),
});

/** What a bad message leaves: the dead letter with its original bytes, and the rejection of a claim whose id could be read. */
export function badRows(shard: ShardId, record: InputRecord, bad: Bad): OutcomeRow[] {
  const detail = bad.issues.map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`)).join('; ');
  const dead = deadRow(shard, record, { code: bad.code, detail });
  if (!bad.code.startsWith('CLAIM_') || bad.claimId === null) return [dead];
  const id = `${shard.topic}:${shard.partition}:${record.offset}`;
  const key = record.key?.toString() ?? null;
  // Alone: no event's id leads to it, and the audit tells it by its stamp.
  const rejected = encodeRejected(bad, { id, at: record.timestampMs, key }, traceparentOf(record));
  return [{ ...resultRow(rejected), alone: true }, dead];
}

/** Of a batch of one record, less its key, value and headers; and of one header, less its name and value. Kafka needs 61 to 90, and 10. */
const RECORD_BYTES = 200;
const HEADER_BYTES = 10;
/** Our own headers of a dead letter, whose detail is the longest. */
const NOTE_BYTES_MAX = 8_192;
/** No person number is longer. */
const KEY_BYTES_MAX = 1_024;

function bytesOf({ key, value, headers }: Pick<OutboxRow, 'key' | 'value' | 'headers'>): number {
  let bytes = RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of headers) bytes += HEADER_BYTES + Buffer.byteLength(name) + Buffer.byteLength(header);
  return bytes;
}

/** A row that its topic would not take. The message that asks for it is a defect to be set aside, not one that everybody waits behind. */
class OutcomeTooLarge extends Error {
  override readonly name = 'OutcomeTooLarge';
}

/** Throws where the broker would refuse to publish a row. */
export function refuseTooLarge(row: OutboxRow, { deadLetters }: Pick<OutboxTargets, 'deadLetters'>): void {
  const limit = row.topic === deadLetters ? TOPIC_BYTES_MAX.deadLetters : TOPIC_BYTES_MAX.results;
  const bytes = bytesOf(row);
  if (bytes > limit) throw new OutcomeTooLarge(`a result of ${bytes} bytes, where its topic takes ${limit}`);
}

/**
 * A dead letter: original key, value and headers, and why. A compressed input may hold more than any topic takes uncompressed: of such a
 * message only the place remains, which leads to it as long as the input topic keeps it.
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
    // Bounded, and free of control characters: it becomes a header.
    detail: why.detail.slice(0, 1_000),
    topic: shard.topic,
    partition: shard.partition,
    offset: String(record.offset),
    // Last: the ledger's index of dead letters looks for it at the end of the stamp.
    at: formatInstant(record.timestampMs),
  };
  return { dest: 'D', key: record.key, stamp: deadStamp(record.headers, note), payload: record.value };
}

/** A row, opened if it was sealed, as the record to publish. */
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
 * Tells same content from other content: the first half of its SHA-256, kept for every event for ever. By way of text, which is given
 * in half the time of a buffer.
 */
export const contentHash = (content: string): Buffer => Buffer.from(hash('sha256', content, 'hex').slice(0, 32), 'hex');

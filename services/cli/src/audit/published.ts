import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Topics } from '@repo/contracts';
import type { Snapshot } from '@repo/ledger';
import { findBounds, type TailedRecord, tail } from '@repo/messaging';
import type { Envelopes } from '@repo/sealing';
import type { KafkaAccess } from '@repo/transport';
import { LogStarts } from './log-starts.ts';
import { type OutboxStream, openStreams } from './outbox-stream.ts';
import type { Tally } from './tally.ts';

const RECORD_CHECKS = {
  'record-present': 'was published, up to where its shard says so',
  'record-sequence': 'has the next sequence of its partition: none is missing, none comes twice',
  'record-opened': 'could be compared: where its row is sealed, GONGJI_ENVELOPE_KEY_FILE has the key',
  'record-content': 'has the key, value and headers of its row, to the byte',
  'record-known': 'has a row in PostgreSQL',
} as const;

/** Records may come after the last expected one, if there are too many; after this silence, ms, there are none. */
const QUIET_MS = 500;
/** A running system keeps publishing and is never silent, so waiting ends after this long, ms. */
const AFTERWARDS_MAX_MS = 3_000;
/** How long to wait for a record that must have been published, ms; after that it counts as missing. */
export const STALLED_MS = 15_000;
const LOOK_EVERY_MS = 50;

/**
 * Compares the output topics with the outbox, partition by partition, from the first record that the topic still has. Records published
 * after the snapshot are not compared, but the database must know of them by now.
 */
export async function auditPublished(options: {
  readonly snapshot: Snapshot;
  readonly tally: Tally;
  readonly brokers: readonly string[];
  readonly kafkaAccess: KafkaAccess;
  readonly topics: Topics;
  readonly envelopes: Envelopes | null;
  /** Results and dead letters written by each shard up to now. */
  readonly writtenNow: () => Promise<ReadonlyMap<string, bigint>>;
  readonly onRecords: (count: number) => void;
  readonly stalledMs?: number | undefined;
}): Promise<void> {
  const { stalledMs = STALLED_MS } = options;
  const { snapshot, tally, brokers, kafkaAccess, topics, envelopes, writtenNow, onRecords } = options;
  tally.declare('records', RECORD_CHECKS);
  const streams = await openStreams(snapshot, topics, envelopes);
  const names = [topics.settlements, topics.sharing, topics.deadLetters];
  const connection = { brokers, clientId: 'gongji-audit', ...kafkaAccess };
  const starts = new LogStarts(() => findBounds({ connection, topics: names }));
  await starts.ask();
  const comparison: Comparison = { streams, starts, tally, gone: new Map(), onRecords };
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let lastMs = performance.now();
  await using _reading = await tail({
    connection,
    topics: names,
    from: 'start',
    onFailure: failed.reject,
    onRecords: async (records) => {
      for (const record of records) await compare(record, comparison);
      onRecords(records.length);
      lastMs = performance.now();
    },
  });
  const isComplete = (): boolean =>
    [...streams.values()].every((stream) => stream.isComplete || starts.isEmptied(stream.name));
  const waitFor = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await Promise.race([failed.promise, delay(LOOK_EVERY_MS)]);
  };
  lastMs = performance.now();
  await waitFor(() => isComplete() || performance.now() - lastMs > stalledMs);
  const completeMs = performance.now();
  await waitFor(
    () =>
      performance.now() - Math.max(lastMs, completeMs) > QUIET_MS || performance.now() - completeMs > AFTERWARDS_MAX_MS,
  );
  await settleEnds(comparison, await writtenNow());
  for (const [topic, count] of comparison.gone)
    tally.notes.push(`${topic} no longer has ${count} outcomes, which could not be compared with it`);
}

interface Comparison {
  readonly streams: ReadonlyMap<string, OutboxStream>;
  readonly starts: LogStarts;
  readonly tally: Tally;
  /** By topic, how many outcomes it no longer holds. */
  readonly gone: Map<string, number>;
  readonly onRecords: (count: number) => void;
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`;

async function compare(record: TailedRecord, comparison: Comparison): Promise<void> {
  const { streams, tally } = comparison;
  const stream = streams.get(placeOf(record));
  const where = `${placeOf(record)}@${record.offset}`;
  if (stream === undefined) {
    tally.expect('record-known', false, where);
    return;
  }
  const expected = stream.next;
  stream.next = record.offset + 1n;
  const sequence = sequenceOf(record);
  if (sequence === null || sequence <= stream.last) {
    tally.expect('record-sequence', false, where);
    return;
  }
  if (sequence > stream.last + 1n) await passDeleted(stream, expected, sequence, comparison);
  const { row, skipped } = await stream.take(sequence);
  // Rows that the log leaves out. Those within the published position must be there.
  for (const missing of skipped) tally.expect('record-present', false, `${stream.name} seq ${missing.seq}`);
  if (row === null) return;
  tally.checked('record-present');
  tally.checked('record-known');
  tally.expect('record-sequence', skipped.length === 0, where);
  const opened = await stream.opened(row);
  tally.expect('record-opened', opened !== null, where);
  if (opened === null) return;
  const isSame =
    (record.key?.toString('hex') ?? null) === row.key &&
    (record.value === null ? null : hash('sha256', record.value)) === opened.digest &&
    stream.hasHeaders(record.headers, opened);
  tally.expect('record-content', isSame, where);
}

/** Where the broker has deleted the records from this offset on, passes over the outcomes before this sequence. */
async function passDeleted(
  stream: OutboxStream,
  offset: bigint,
  sequence: bigint,
  { starts, gone, onRecords }: Comparison,
): Promise<void> {
  if (!(await starts.isAfter(stream.name, offset))) return;
  const passed = await stream.passTo(sequence);
  if (passed > 0) gone.set(stream.topic, (gone.get(stream.topic) ?? 0) + passed);
  onRecords(passed);
}

const SEQUENCES: ReadonlySet<string> = new Set(['ce_sequence', 'gongji-sequence']);

/** A dead letter has its original's headers before its own, so the last one counts. */
function sequenceOf({ headers }: TailedRecord): bigint | null {
  const text = headers.findLast(([name]) => SEQUENCES.has(name))?.[1].toString();
  return text !== undefined && /^\d{1,18}$/.test(text) ? BigInt(text) : null;
}

/** What remains when all records are read: rows not published (yet), and records that the database does not know. */
async function settleEnds(comparison: Comparison, writtenNow: ReadonlyMap<string, bigint>): Promise<void> {
  const { streams, tally } = comparison;
  let unpublished = 0n;
  for (const [place, stream] of streams) {
    if (!stream.isComplete) await passDeleted(stream, stream.next, stream.due + 1n, comparison);
    for await (const row of stream.rest()) {
      if (BigInt(row.seq) <= stream.publishedSeq)
        tally.expect('record-present', false, `${stream.name} seq ${row.seq}`);
      else unpublished += 1n;
    }
    const ahead = stream.last - (writtenNow.get(stream.writer) ?? 0n);
    if (ahead > 0n) {
      tally.checked('record-known', Number(ahead));
      tally.wrong('record-known', [`${place} ends with sequence ${stream.last}`], Number(ahead));
    }
  }
  if (unpublished > 0n) tally.notes.push(`${unpublished} outcomes had not been published when the audit began`);
}

import { DECODE_LIMITS, decodeClaims } from '@repo/contracts';
import { findPlace, type Ledger } from '@repo/ledger';
import type { InputRecord, RecordPlace } from '@repo/messaging';
import type { Logger } from '@repo/observability';
import { contentHash } from '@repo/shard-worker';
import { explainRefusal } from '@repo/transport';
import { Problem } from './problem.ts';
import type { Slots } from './slots.ts';

/** Reads the message at a place; null where the topic no longer holds one there. */
export type ReadInput = (place: RecordPlace, options: { readonly withinMs: number }) => Promise<InputRecord | null>;

export interface InputDeps {
  readonly ledger: Ledger;
  readonly readInput: ReadInput;
  readonly log: Logger;
  readonly underWay: { readonly inputs: Slots };
}

/** A broker answers within milliseconds; after this long, ms, the caller is told that it is away. */
const READ_WITHIN_MS = 5_000;
/** A message that a worker accepted once is not refused for its date, whatever that worker's limit was. */
const LIMITS = { ...DECODE_LIMITS, futureDaysMax: 100_000 };

/**
 * Finds the message of the claims topic that took an event's id. It is recognised by the content hash stored with the id, because a
 * recreated topic holds other messages at the same places. Throws the problem that says why it cannot be shown.
 */
export async function findInput(
  eventId: string,
  { ledger, readInput, log, underWay }: InputDeps,
): Promise<{ readonly place: RecordPlace; readonly record: InputRecord }> {
  const kept = await findPlace(ledger, eventId);
  if (kept === undefined || kept.offset === null)
    throw new Problem('input-place-unknown', 'where this message was read was not kept at the time it was taken');
  const place = { topic: kept.topic, partition: kept.partition, offset: kept.offset };
  using _place = underWay.inputs.take();
  const record = await readInput(place, { withinMs: READ_WITHIN_MS }).catch((error: unknown) => {
    log.warn({ error }, explainRefusal(error) ?? 'a message was not read from its topic');
    throw new Problem('input-not-read', 'the topic cannot be read at present');
  });
  if (record === null) throw new Problem('input-gone', 'the topic no longer holds this message');
  const event = decodeClaims(record, LIMITS);
  const isIt =
    event.kind !== 'BAD' && event.identity === eventId && contentHash(event.content).equals(kept.contentHash);
  if (!isIt) throw new Problem('input-gone', 'the topic no longer holds this message: another one is in its place');
  return { place, record };
}

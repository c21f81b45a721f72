import { booksOf, type HeldMessage, type LedgerTransaction, type OutcomeRow } from '@repo/ledger';
import type { Applied, InputRecord, ShardId } from '@repo/messaging';
import { describeError } from '@repo/observability';
import type { Envelopes } from '@repo/sealing';
import { writeApplied } from './commit.ts';
import type { BatchPlace, QuarantineDeps } from './core.ts';

/** A message that has a key. Only messages with a key are ordered among each other, so only they are held. */
export type KeyedRecord = InputRecord & { readonly key: Buffer };

/** Null where the message has no key. */
export const withKey = (record: InputRecord): KeyedRecord | null =>
  record.key === null ? null : { ...record, key: record.key };

/** The held form of a message, with its content sealed. */
export const toHeld = (shard: ShardId, record: KeyedRecord, envelopes: Envelopes): HeldMessage => {
  const { offset, key, timestampMs } = record;
  return { offset, key, timestampMs, content: envelopes.seal({ ...shard, offset }, record) };
};

/** The message of a held row, unsealed. Throws `Unopened`. */
export const toRecord = (shard: ShardId, held: HeldMessage, envelopes: Envelopes): KeyedRecord => {
  const { offset, key, timestampMs, content } = held;
  return { offset, key, timestampMs, ...envelopes.open({ ...shard, offset }, content) };
};

/**
 * A description of an error that may be stored and shown: name, code, constraint and the nearest frame of our code. Never its message,
 * which may contain personal data.
 */
export function failureOf(error: unknown): string {
  const { name, code, constraint, frames } = describeError(error);
  const ours = frames
    .find((frame) => !/node_modules|node:/.test(frame))
    ?.replace(/\S*\/(?=(?:packages|services)\/)/, '');
  return [name, code, constraint, ours]
    .filter((part) => part !== undefined)
    .join(' ')
    .slice(0, 300);
}

/** Writes outcomes that move no money, and moves the shard to `place.nextOffset`. */
export function writeRows(
  tx: LedgerTransaction,
  place: BatchPlace,
  outcomes: readonly OutcomeRow[],
  { policyOf, targets }: QuarantineDeps,
): Applied {
  return writeApplied(tx, place, { books: booksOf(policyOf, {}), outcomes, ids: [], facts: false }, targets);
}

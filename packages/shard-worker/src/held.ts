import { booksOf, type HeldMessage, type LedgerTransaction, type OutcomeRow } from '@repo/ledger';
import type { Applied, InputRecord, ShardId } from '@repo/messaging';
import { describeError } from '@repo/observability';
import type { Envelopes } from '@repo/sealing';
import { writeApplied } from './commit.ts';
import type { BatchPlace, QuarantineDeps } from './core.ts';

/** A message that has a key: only such a one is ordered with others, and held. */
export type KeyedRecord = InputRecord & { readonly key: Buffer };

/** The same message, null where it has no key. */
export const withKey = (record: InputRecord): KeyedRecord | null =>
  record.key === null ? null : { ...record, key: record.key };

/** A message as it is held: what it says is sealed. */
export const toHeld = (shard: ShardId, record: KeyedRecord, envelopes: Envelopes): HeldMessage => {
  const { offset, key, timestampMs } = record;
  return { offset, key, timestampMs, content: envelopes.seal({ ...shard, offset }, record) };
};

/** A held message as it came. Throws `Unopened`. */
export const toRecord = (shard: ShardId, held: HeldMessage, envelopes: Envelopes): KeyedRecord => {
  const { offset, key, timestampMs, content } = held;
  return { offset, key, timestampMs, ...envelopes.open({ ...shard, offset }, content) };
};

/** The error as it may be stored and shown: name, code, constraint and the nearest line of our own code, never its message. */
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

/** Writes outcomes that move no money, and moves the shard on. */
export function writeRows(
  tx: LedgerTransaction,
  place: BatchPlace,
  outcomes: readonly OutcomeRow[],
  { policyOf, targets }: QuarantineDeps,
): Applied {
  return writeApplied(tx, place, { books: booksOf(policyOf, {}), outcomes, ids: [], facts: false }, targets);
}

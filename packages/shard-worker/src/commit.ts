import {
  type BatchWrites,
  type BookWrites,
  type LedgerTransaction,
  type PlacedOutcome,
  type ShardWrites,
  writeBatches,
} from '@repo/ledger';
import type { Applied } from '@repo/messaging';
import type { BatchPlace } from './core.ts';
import { type OutboxTargets, refuseTooLarge, sealRow, toOutboxRow } from './outbox.ts';

/**
 * Writes what a batch leaves, with its dead letters sealed, and moves its shard to `nextOffset`. Answers what is to be published once the
 * transaction has committed. Throws, so that the transaction does not commit, where a row is larger than its topic accepts: once committed
 * it could never be published.
 */
export function writeApplied(
  tx: LedgerTransaction,
  place: BatchPlace,
  writes: BatchWrites,
  targets: OutboxTargets,
): Applied {
  const [applied] = writeAllApplied(tx, [{ place, writes }], writes, targets);
  return applied as Applied;
}

/** `writeApplied` for batches of several shards in one transaction, which share one set of books. */
export function writeAllApplied(
  tx: LedgerTransaction,
  parts: readonly { readonly place: BatchPlace; readonly writes: ShardWrites }[],
  writes: BookWrites,
  targets: OutboxTargets,
): Applied[] {
  const sealed = parts.map(({ place, writes: { outcomes, ...rest } }) => ({
    ...place,
    writes: { ...rest, outcomes: outcomes.map((row) => sealRow(row, targets.envelopes)) },
  }));
  const placed = writeBatches(tx, sealed, writes);
  return parts.map(({ place, writes: { outcomes } }, i) => toApplied(place, outcomes, placed[i] ?? [], targets));
}

function toApplied(
  { lease, shard, nextOffset }: BatchPlace,
  outcomes: ShardWrites['outcomes'],
  placed: readonly PlacedOutcome[],
  targets: OutboxTargets,
): Applied {
  const rows = placed.map((row, i) => {
    const { dest, seq, destSeq } = row;
    // A dead letter is published as it was before sealing.
    return toOutboxRow(dest === 'R' ? row : { ...row, ...outcomes[i], seq, destSeq }, lease.shard, targets);
  });
  for (const row of rows) refuseTooLarge(row, targets);
  return { nextOffset, outSeq: shard.outSeq + BigInt(placed.length), rows };
}

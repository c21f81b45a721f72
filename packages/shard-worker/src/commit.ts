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
 * Sends what a batch leaves, dead letters sealed, moves its shard to `nextOffset`, and answers what is to be published once the transaction
 * commits. Throws, which keeps it from committing, where a row is larger than its topic takes: once committed it could never be published.
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

/** The same for batches of several shards, which leave one set of books behind. */
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
    // Published is what was sealed, and not its seal.
    return toOutboxRow(dest === 'R' ? row : { ...row, ...outcomes[i], seq, destSeq }, lease.shard, targets);
  });
  for (const row of rows) refuseTooLarge(row, targets);
  return { nextOffset, outSeq: shard.outSeq + BigInt(placed.length), rows };
}

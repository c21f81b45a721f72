import { type BatchWrites, type LedgerTransaction, type LockedShard, writeShared } from '@repo/ledger';
import type { Applied, Lease } from '@repo/messaging';
import { type OutboxTargets, refuseTooLarge, sealRow, toOutboxRow } from './outbox.ts';

/** Where a batch stands in its shard: the lease it was begun with, the row it locked by it, and the offset it leaves behind. */
interface Place {
  readonly lease: Lease;
  readonly shard: LockedShard;
  readonly nextOffset: bigint;
}

/**
 * Sends what a batch leaves, dead letters sealed, moves its shard to `nextOffset`, and answers what is to be published once the transaction
 * commits. Throws, which keeps it from committing, where a row is larger than its topic takes: once committed it could never be published.
 */
export function writeApplied(
  tx: LedgerTransaction,
  place: Place,
  writes: BatchWrites,
  targets: OutboxTargets,
): Applied {
  const [applied] = writeAppliedTogether(tx, [{ ...place, outcomes: writes.outcomes.length }], writes, targets);
  return applied;
}

/** The same for a batch of several shards, whose outcomes follow each other: an answer for each. */
export function writeAppliedTogether(
  tx: LedgerTransaction,
  shares: readonly [Place & { readonly outcomes: number }, ...(Place & { readonly outcomes: number })[]],
  writes: BatchWrites,
  targets: OutboxTargets,
): [Applied, ...Applied[]] {
  const { outcomes: clear } = writes;
  const stored = clear.some(({ dest }) => dest === 'D') ? clear.map((row) => sealRow(row, targets.envelopes)) : clear;
  const placed = writeShared(tx, shares, { ...writes, outcomes: stored }).map((row, i) =>
    // Published is what was sealed, and not its seal.
    row.dest === 'R' ? row : { ...row, ...clear[i] },
  );
  let taken = 0;
  const applied = ({ lease, shard, nextOffset, outcomes }: Place & { readonly outcomes: number }): Applied => {
    const rows = placed.slice(taken, taken + outcomes).map((row) => toOutboxRow(row, lease.shard, targets));
    taken += outcomes;
    for (const row of rows) refuseTooLarge(row, targets);
    return { nextOffset, outSeq: shard.outSeq + BigInt(outcomes), rows };
  };
  const [first, ...others] = shares;
  return [applied(first), ...others.map(applied)];
}

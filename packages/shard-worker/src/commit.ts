import { type BatchWrites, type LedgerTransaction, type LockedShard, writeBatch } from '@repo/ledger';
import type { Applied, Lease } from '@repo/messaging';
import { type OutboxTargets, refuseTooLarge, toOutboxRow } from './outbox.ts';

/**
 * Sends what a batch leaves, moves its shard to `nextOffset`, and answers what is to be published once the transaction commits. Throws, which
 * keeps it from committing, where a row is larger than its topic takes: once committed it could never be published.
 */
export function writeApplied(
  tx: LedgerTransaction,
  { lease, shard, nextOffset }: { readonly lease: Lease; readonly shard: LockedShard; readonly nextOffset: bigint },
  writes: BatchWrites,
  targets: OutboxTargets,
): Applied {
  const placed = writeBatch(tx, lease, shard, nextOffset, writes);
  const rows = placed.map((row) => toOutboxRow(row, lease.shard, targets));
  for (const row of rows) refuseTooLarge(row, targets);
  return { nextOffset, outSeq: shard.outSeq + BigInt(placed.length), rows };
}

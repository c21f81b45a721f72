import { type BatchWrites, type LedgerTransaction, type LockedShard, writeBatch } from '@repo/ledger';
import type { Applied, Lease } from '@repo/messaging';
import { type OutboxTargets, refuseTooLarge, sealRow, toOutboxRow } from './outbox.ts';

/**
 * Sends what a batch leaves, dead letters sealed, moves its shard to `nextOffset`, and answers what is to be published once the transaction
 * commits. Throws, which keeps it from committing, where a row is larger than its topic takes: once committed it could never be published.
 */
export function writeApplied(
  tx: LedgerTransaction,
  { lease, shard, nextOffset }: { readonly lease: Lease; readonly shard: LockedShard; readonly nextOffset: bigint },
  writes: BatchWrites,
  targets: OutboxTargets,
): Applied {
  const { outcomes } = writes;
  const stored = outcomes.some(({ dest }) => dest === 'D')
    ? outcomes.map((row) => sealRow(row, targets.envelopes))
    : outcomes;
  const placed = writeBatch(tx, lease, shard, nextOffset, { ...writes, outcomes: stored });
  const rows = placed.map((row, i) => {
    const { dest, seq, destSeq } = row;
    // Published is what was sealed, and not its seal.
    return toOutboxRow(dest === 'R' ? row : { ...row, ...outcomes[i], seq, destSeq }, lease.shard, targets);
  });
  for (const row of rows) refuseTooLarge(row, targets);
  return { nextOffset, outSeq: shard.outSeq + BigInt(placed.length), rows };
}

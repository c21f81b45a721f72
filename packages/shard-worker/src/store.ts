import { Fenced, isTransient, isUnprepared, type Ledger } from '@repo/ledger';
import { classifyKafkaError, type Disposition, FencedError, HaltError, type ShardStore } from '@repo/messaging';
import { Unopened } from '@repo/sealing';
import { TokenError } from '@repo/transport';
import { type OutboxTargets, openRow, toOutboxRow } from './outbox.ts';

/** The ledger as the store of the processing primitive; turns its rows into records to publish. */
export const shardStore = (ledger: Ledger, targets: OutboxTargets): ShardStore => ({
  acquire: (shard, owner, partitions) => ledger.acquireShard(shard, owner, partitions),
  read: (shard) => ledger.readShard(shard),
  loadOutbox: async (shard, afterSeq, limit) => {
    const rows = await ledger.loadOutbox(shard, afterSeq, limit);
    try {
      return rows.map((row) => toOutboxRow(openRow(row, targets.envelopes), shard, targets));
    } catch (error) {
      // Rows are published in order, so nothing behind this one may be published before it.
      if (error instanceof Unopened) throw new HaltError('outbox-unopened', error.message, error);
      throw error;
    }
  },
  markPublished: (lease, seq) => ledger.markPublished(lease, seq),
  skipTo: (lease, nextOffset) => ledger.skipTo(lease, nextOffset),
});

/** What any error of the ledger, the broker or our own code means for a shard. Total: an unknown error is a defect. */
export function classify(error: unknown): Disposition {
  if (error instanceof Fenced || error instanceof FencedError) return 'fenced';
  // The next login fetches a new token.
  if (error instanceof TokenError) return 'transient';
  return classifyKafkaError(error) ?? (isTransient(error) || isUnprepared(error) ? 'transient' : 'defect');
}

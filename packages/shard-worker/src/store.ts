import { Fenced, isTransient, isUnprepared, type Ledger } from '@repo/ledger';
import { classifyKafkaError, type Disposition, FencedError, HaltError, type ShardStore } from '@repo/messaging';
import { Unopened } from '@repo/sealing';
import { TokenError } from '@repo/transport';
import { type OutboxTargets, openRow, toOutboxRow } from './outbox.ts';

/** The ledger as the processing primitive wants it: its rows become records here. */
export const shardStore = (ledger: Ledger, targets: OutboxTargets): ShardStore => ({
  acquire: (shard, owner, partitions) => ledger.acquireShard(shard, owner, partitions),
  read: (shard) => ledger.readShard(shard),
  loadOutbox: async (shard, afterSeq, limit) => {
    const rows = await ledger.loadOutbox(shard, afterSeq, limit);
    try {
      return rows.map((row) => toOutboxRow(openRow(row, targets.envelopes), shard, targets));
    } catch (error) {
      // Nothing behind it may be published before it, and what it was nobody else knows.
      if (error instanceof Unopened) throw new HaltError('outbox-unopened', error.message, error);
      throw error;
    }
  },
  markPublished: (lease, seq) => ledger.markPublished(lease, seq),
  skipTo: (lease, nextOffset) => ledger.skipTo(lease, nextOffset),
});

/** Total: what any error of the ledger, the broker or our own code means for the shard. */
export function classify(error: unknown): Disposition {
  if (error instanceof Fenced || error instanceof FencedError) return 'fenced';
  // The next login asks for a token again.
  if (error instanceof TokenError) return 'transient';
  return classifyKafkaError(error) ?? (isTransient(error) || isUnprepared(error) ? 'transient' : 'defect');
}

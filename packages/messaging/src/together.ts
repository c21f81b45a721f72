import { sizeOf, takeChunk } from './chunks.ts';
import { ensure } from './errors.ts';
import type { Limits } from './options.ts';
import type { Applied, Batch, BatchProcessor, ShardId } from './port.ts';

interface Asked extends Batch {
  readonly resolve: (applied: Applied | PromiseLike<Applied>) => void;
}

const BATCH = {
  count: ({ records }: Batch) => records.length,
  bytes: ({ records }: Batch) => records.reduce((sum, record) => sum + sizeOf(record), 0),
};

/**
 * Applies the batches that several shards of a process ask for in the same tick as one transaction, so that the fixed cost of a transaction
 * is paid once. Each shard has its own lease in it. If the transaction fails, each batch is applied by itself and answers with its own
 * success or failure, so one shard's failure does not affect the others.
 */
export class Together {
  readonly #processor: BatchProcessor;
  readonly #limits: Pick<Limits, 'batchRecordsMax' | 'batchBytesMax'>;
  readonly #onFailure: (shard: ShardId, error: unknown) => void;
  #asked: Asked[] = [];

  /** `onFailure` is called for each shard of a transaction that failed as a whole. */
  constructor(
    processor: BatchProcessor,
    limits: Pick<Limits, 'batchRecordsMax' | 'batchBytesMax'>,
    onFailure: (shard: ShardId, error: unknown) => void,
  ) {
    this.#processor = processor;
    this.#limits = limits;
    this.#onFailure = onFailure;
  }

  /** Answers, and rejects, as `BatchProcessor.apply` does. */
  apply(batch: Batch): Promise<Applied> {
    return new Promise((resolve) => {
      this.#asked.push({ ...batch, resolve });
      if (this.#asked.length === 1) process.nextTick(() => this.#begin());
    });
  }

  #begin(): void {
    // Always in the order of partitions, so that two processes cannot lock the same shards' rows in opposite orders.
    const asked = this.#asked.sort((one, other) => one.lease.shard.partition - other.lease.shard.partition);
    this.#asked = [];
    const { batchRecordsMax, batchBytesMax } = this.#limits;
    while (asked.length > 0) void this.#run(takeChunk(asked, BATCH, { count: batchRecordsMax, bytes: batchBytesMax }));
  }

  async #run(group: readonly Asked[]): Promise<void> {
    const alone = (asked: Asked): void => asked.resolve(this.#processor.apply(asked.lease, asked.records));
    const { applyTogether } = this.#processor;
    if (applyTogether === undefined || group.length === 1) return group.forEach(alone);
    try {
      const applied = await applyTogether.call(this.#processor, group);
      ensure(applied.length === group.length, 'defect', `${applied.length} answers to ${group.length} batches`);
      group.forEach(({ resolve }, i) => void resolve(applied[i] as Applied));
    } catch (error) {
      for (const { lease } of group) this.#onFailure(lease.shard, error);
      // Alone, each batch finds out whether it was the cause. If the transaction had committed after all, the compare-and-set fails and the
      // shard's row shows it.
      group.forEach(alone);
    }
  }
}

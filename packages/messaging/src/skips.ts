import { ensure, HaltError } from './errors.ts';
import type { WaitingRecord } from './port.ts';
import type { Tenure } from './tenure.ts';

/**
 * Stores as read the offsets behind the last record that hold no record: transaction markers, aborted records, records that compaction
 * removed. Batches do not include them, so where no record follows, the database would never advance past them, and once retention deleted
 * them it would look as if records had been lost. They are stored when no record has come for `skipAfterMs`, and when the shard is let go.
 * This costs one statement after a sender's transaction, none while records follow each other, and none where senders use no transactions.
 *
 * They count as read only while the log still holds everything from the next offset to its end. Where the log's start has passed the next
 * offset, records may be among what was deleted, which a person must look at.
 */
export class Skips {
  readonly #tenure: Tenure;
  #next: bigint;
  /** Offset of the last record that was delivered. */
  #lastOffset = -1n;
  #dueAt = 0;

  constructor(tenure: Tenure) {
    this.#tenure = tenure;
    this.#next = tenure.nextOffset;
  }

  /** Where the next fetch begins: every record below it has been delivered. */
  get readTo(): bigint {
    return this.#next;
  }

  /** Notes a fetch that delivered these records, or none, and ended before `next`. */
  read(records: readonly WaitingRecord[], next: bigint): void {
    if (records.length > 0 || !this.#isPending) this.#postpone();
    this.#lastOffset = records.at(-1)?.offset ?? this.#lastOffset;
    this.#next = next;
  }

  get dueInMs(): number {
    return this.#isPending ? this.#dueAt - this.#tenure.settings.clock.now() : Number.POSITIVE_INFINITY;
  }

  /**
   * True when every delivered record is applied and the offsets behind the last one hold no record. A batch that was given up is not
   * applied.
   */
  get #isPending(): boolean {
    const { nextOffset } = this.#tenure;
    return this.#lastOffset < nextOffset && nextOffset < this.#next;
  }

  /** Stores the skipped offsets, if any. No transaction of this shard may be under way in the database. */
  async store(): Promise<void> {
    const tenure = this.#tenure;
    const { settings, shard, lease } = tenure;
    const next = this.#next;
    this.#postpone();
    if (!this.#isPending || !(await this.#isAllThere(next))) return;
    try {
      await settings.store.skipTo(lease, next);
      tenure.nextOffset = next;
      tenure.session.progress(next);
    } catch (error) {
      settings.observer.failed(shard, { step: 'skip', disposition: settings.classify(error), error });
      // The outcome is unknown, and the next batch needs a known `nextOffset`: acquire afresh.
      if (tenure.isOpen) tenure.fail(error);
    }
  }

  /** The tenure's last step in the database, abandoned if the tenure ends first. */
  async storeAtEnd(): Promise<void> {
    if (!this.#tenure.isEnded) await Promise.race([this.store(), this.#tenure.ended]);
  }

  /** Whether the log holds everything from the next offset to its end, and the end is what was read (`next`). */
  async #isAllThere(next: bigint): Promise<boolean> {
    const tenure = this.#tenure;
    const { settings, shard, session, nextOffset } = tenure;
    try {
      const { start, end } = await session.bounds();
      ensure(start <= nextOffset, 'input-lost', `next is ${nextOffset}, the log starts at ${start}`);
      return end === next;
    } catch (error) {
      settings.observer.failed(shard, { step: 'skip', disposition: settings.classify(error), error });
      if (error instanceof HaltError && tenure.isOpen) tenure.fail(error);
      return false;
    }
  }

  #postpone(): void {
    const { clock, limits } = this.#tenure.settings;
    this.#dueAt = clock.now() + limits.skipAfterMs;
  }
}

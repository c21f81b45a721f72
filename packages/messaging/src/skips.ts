import { ensure, HaltError } from './errors.ts';
import type { WaitingRecord } from './port.ts';
import type { Tenure } from './tenure.ts';

/**
 * Offsets that were read behind the last record and hold none: markers of transactions, aborted records, what compaction took. Applying
 * leaves them out, so where no record follows, the database never hears of them, and once retention had taken them it would look as if it
 * had taken records. So when none has come for a while, and when we let go, they are stored as read: one statement after a transaction of a
 * sender's, none while records follow each other, none ever where senders use no transactions.
 *
 * Only what the log still held from the next offset to its end counts as read: where its beginning has passed the next offset, records may
 * be among what is gone, and that is for a person.
 */
export class Skips {
  readonly #tenure: Tenure;
  #next: bigint;
  /** Of the last record we were told. */
  #lastOffset = -1n;
  #dueAt = 0;

  constructor(tenure: Tenure) {
    this.#tenure = tenure;
    this.#next = tenure.nextOffset;
  }

  /** The next fetch begins here: whatever below it is a record, we were told. */
  get readTo(): bigint {
    return this.#next;
  }

  /** A fetch that held these records, maybe none, and ended before `next`. */
  read(records: readonly WaitingRecord[], next: bigint): void {
    if (records.length > 0 || !this.#isPending) this.#postpone();
    this.#lastOffset = records.at(-1)?.offset ?? this.#lastOffset;
    this.#next = next;
  }

  get dueInMs(): number {
    return this.#isPending ? this.#dueAt - this.#tenure.settings.clock.now() : Number.POSITIVE_INFINITY;
  }

  /** Every record we were told of is applied, and behind the last one there was something else. A batch that was given up is not applied. */
  get #isPending(): boolean {
    const { nextOffset } = this.#tenure;
    return this.#lastOffset < nextOffset && nextOffset < this.#next;
  }

  /** Stores them, where there are any. Nothing of the shard may be under way in the database. */
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
      // Whether it is stored is not known, and the next batch must know where it begins.
      if (tenure.isOpen) tenure.fail(error);
    }
  }

  /** The last thing a tenure does in the database, if it lasts so long. */
  async storeAtEnd(): Promise<void> {
    if (!this.#tenure.isEnded) await Promise.race([this.store(), this.#tenure.ended]);
  }

  /** Whether the log holds everything from the next offset to its end, which we have read. */
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

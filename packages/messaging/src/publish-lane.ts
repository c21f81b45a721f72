import { sizeOf, takeChunk } from './chunks.ts';
import { Alarm } from './clock.ts';
import { ensure, HaltError } from './errors.ts';
import { type Limits, pauseOf } from './options.ts';
import type { OutboxRow } from './port.ts';
import type { Tenure } from './tenure.ts';

const ROW = { count: () => 1, bytes: sizeOf };

/** Removes and answers the rows of the next Kafka transaction: as many as the limits allow, at least one. */
export const takeRows = (rows: OutboxRow[], { publishRowsMax, publishBytesMax }: Limits): OutboxRow[] =>
  takeChunk(rows, ROW, { count: publishRowsMax, bytes: publishBytesMax });

/**
 * Publishes a shard's committed rows in order, while the apply lane works on the next batch. All waiting rows go into one Kafka
 * transaction; nothing waits for more to come. After an error the outcome is unknown: `Publisher.recover` tells which rows the broker has,
 * and the shard's row whether we are still the owner.
 */
export class PublishLane {
  readonly #tenure: Tenure;
  readonly #alarm: Alarm;
  /** Committed and not known to be published, in order: `position + 1 … outSeq`. */
  #rows: OutboxRow[] = [];
  #roomMade: (() => void) | undefined;
  #failures = 0;
  #noMoreRows = false;
  #refreshedAt: number;
  #publishedAt = Number.NEGATIVE_INFINITY;
  #markDueAt = 0;

  constructor(tenure: Tenure) {
    this.#tenure = tenure;
    this.#alarm = new Alarm(tenure.settings.clock);
    this.#refreshedAt = tenure.settings.clock.now();
    tenure.onChange(() => {
      this.#alarm.ring();
      this.#roomMade?.();
    });
  }

  /** Takes the rows of a committed transaction, which continue the rows enqueued before. */
  enqueue(rows: readonly OutboxRow[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#rows.push(row);
    this.#alarm.ring();
  }

  /** Resolves when another batch may be committed, or the tenure has ended. */
  async room(): Promise<void> {
    while (!this.#tenure.isEnded && this.#isFull()) {
      await new Promise<void>((resolve) => {
        this.#roomMade = resolve;
      });
    }
  }

  /** Counts rows and not batches, since small batches must not wait for each other's Kafka transactions. */
  #isFull(): boolean {
    const { outSeq, position, settings } = this.#tenure;
    const { unpublishedRowsMax, unpublishedBytesMax } = settings.limits;
    if (outSeq - position >= BigInt(unpublishedRowsMax)) return true;
    let bytes = 0;
    for (const row of this.#rows) bytes += sizeOf(row);
    return bytes >= unpublishedBytesMax;
  }

  /** No more rows will come: the lane ends when all are published. */
  finish(): void {
    this.#noMoreRows = true;
    this.#alarm.ring();
  }

  async run(): Promise<void> {
    const tenure = this.#tenure;
    while (!tenure.isEnded) {
      try {
        if (this.#rows.length > 0) await this.#publishInTurn();
        else if (this.#noMoreRows) break;
        else await this.#rest();
      } catch (error) {
        await this.#recover(error);
      }
    }
    if (!tenure.isEnded && tenure.position > tenure.marked) await this.#mark();
  }

  async #publishInTurn(): Promise<void> {
    const { clock, limits, turns } = this.#tenure.settings;
    // The broker answers EndTxn before it has written the markers; a transaction begun at once would get CONCURRENT_TRANSACTIONS.
    const pause = this.#publishedAt + limits.publishPauseMs - clock.now();
    if (pause > 0) await new Promise<void>((resolve) => void clock.after(pause, resolve));
    const publish = async () => {
      if (!this.#tenure.isEnded) await this.#publish();
    };
    await (this.#rows.length >= limits.publishRowsMax ? publish() : turns.publish.run(publish));
  }

  async #publish(): Promise<void> {
    const { settings, shard } = this.#tenure;
    const { clock, limits, publisher, observer } = settings;
    const chunk = takeRows(this.#rows, limits);
    const first = chunk[0]?.seq ?? 0n;
    ensure(
      first === this.#tenure.position + 1n,
      'outbox-gap',
      `row ${first} follows position ${this.#tenure.position}`,
    );
    const startedAt = clock.now();
    try {
      this.#moveTo(await publisher.publish(shard.partition, chunk));
    } catch (error) {
      this.#rows.unshift(...chunk);
      throw error;
    }
    this.#failures = 0;
    this.#publishedAt = clock.now();
    this.#refreshedAt = this.#publishedAt;
    this.#markDueAt = this.#publishedAt + limits.markIntervalMs;
    this.#tenure.hasProgressed = true;
    const depth = Number(this.#tenure.outSeq - this.#tenure.position);
    observer.published(shard, { rows: chunk.length, ms: this.#publishedAt - startedAt, depth });
  }

  #moveTo(position: bigint): void {
    this.#tenure.position = position;
    this.#roomMade?.();
  }

  /** With nothing to publish: stores the position when due, or refreshes it at the broker when due, else sleeps. */
  async #rest(): Promise<void> {
    const { settings, shard, position, marked } = this.#tenure;
    const { clock, limits, publisher } = settings;
    const markDue = position > marked ? this.#markDueAt : Number.POSITIVE_INFINITY;
    const refreshDue = this.#refreshedAt + limits.refreshIntervalMs;
    const now = clock.now();
    if (markDue <= now) return this.#mark();
    if (refreshDue <= now) {
      await publisher.refresh(shard.partition, position);
      this.#refreshedAt = now;
      return;
    }
    await this.#alarm.wait(Math.min(markDue, refreshDue) - now);
  }

  /**
   * Stores the position. The database's copy is only a mirror, so a failure is retried later, unless it shows that another owner has the
   * shard, or the shard's row that the database has lost what was published.
   */
  async #mark(): Promise<void> {
    const tenure = this.#tenure;
    const { store, classify, observer, failpoint, clock, limits } = tenure.settings;
    const { position } = tenure;
    try {
      await store.markPublished(tenure, position);
      tenure.marked = position;
      await failpoint('after-mark');
    } catch (error) {
      const disposition = classify(error);
      observer.failed(tenure.shard, { step: 'mark', disposition, error });
      if (disposition === 'fenced') tenure.fail(error);
      this.#markDueAt = clock.now() + limits.markIntervalMs;
      if (disposition === 'defect') await this.#requireWritten();
    }
  }

  async #requireWritten(): Promise<void> {
    const { settings, shard, position } = this.#tenure;
    const { outSeq } = await settings.store.read(shard);
    ensure(position <= outSeq, 'position-ahead-of-database', `published ${position}, written ${outSeq}`);
  }

  async #recover(cause: unknown): Promise<void> {
    const tenure = this.#tenure;
    const { settings, shard } = tenure;
    const disposition = settings.classify(cause);
    const startedAt = settings.clock.now();
    settings.observer.failed(shard, { step: 'publish', disposition, error: cause });
    if (cause instanceof HaltError) return tenure.fail(cause);
    this.#failures += 1;
    if (this.#failures >= settings.limits.attemptsMax) {
      if (disposition !== 'defect') return tenure.fail(cause);
      return tenure.end({ kind: 'halted', reason: 'publish-refused', error: cause });
    }
    const pause = pauseOf(this.#failures - 1, settings.random);
    await new Promise<void>((resolve) => void settings.clock.after(pause, resolve));
    if (tenure.isEnded) return;
    try {
      const recovered = await settings.publisher.recover(shard.partition);
      const { epoch } = await settings.store.read(shard);
      if (epoch !== tenure.epoch) return tenure.fail(cause);
      let { position } = tenure;
      if (recovered > position) position = recovered;
      ensure(
        position <= tenure.outSeq,
        'position-ahead-of-database',
        `published ${position}, written ${tenure.outSeq}`,
      );
      const found = Number(position - tenure.position);
      this.#rows = this.#rows.filter((row) => row.seq > position);
      this.#moveTo(position);
      const depth = Number(tenure.outSeq - position);
      if (found > 0) settings.observer.published(shard, { rows: found, ms: settings.clock.now() - startedAt, depth });
    } catch (error) {
      await this.#recover(error);
    }
  }
}

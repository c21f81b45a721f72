import { takeChunk } from './chunks.ts';
import { Alarm } from './clock.ts';
import { ensure, HaltError } from './errors.ts';
import { pauseOf } from './options.ts';
import type { Applied, BatchContext, InputProgress, InputRecord, Lease, OutboxRow, WaitingRecord } from './port.ts';
import type { PublishLane } from './publish-lane.ts';
import { Skips } from './skips.ts';
import { loadRows, type Tenure } from './tenure.ts';

/** One transaction to be done: its body, and the `nextOffset` it must leave in the shard's row. */
interface Work {
  readonly step: 'apply' | 'idle';
  readonly nextOffset: bigint;
  readonly timestampsMs: readonly number[];
  /** `attempt` counts from 1. */
  run(lease: Lease, attempt: number): Promise<Applied | null>;
}

/** `done`: committed, or nothing to do; `ended`: the tenure ended first; else the defect that the last attempt met. */
type Result = 'done' | 'ended' | { readonly defect: unknown };

const WAITING = { count: () => 1, bytes: ({ size }: WaitingRecord) => size };

/**
 * Applies a shard's records in order, one database transaction per batch; a batch is whatever waits, up to the limits. Every transaction
 * wins the compare-and-set of the shard's row or writes nothing, so repeating an attempt is always safe.
 */
export class ApplyLane {
  readonly #tenure: Tenure;
  readonly #publishing: PublishLane;
  readonly #alarm: Alarm;
  readonly #skips: Skips;
  readonly #progress: InputProgress;
  #inbox: WaitingRecord[] = [];
  #inboxBytes = 0;
  #inboxHasRoom: (() => void) | undefined;
  #idleDueAt = 0;
  #idleWasLast = false;
  #quarantined = 0;

  constructor(tenure: Tenure, publishing: PublishLane) {
    this.#tenure = tenure;
    this.#publishing = publishing;
    this.#alarm = new Alarm(tenure.settings.clock);
    this.#skips = new Skips(tenure);
    this.#progress = {
      end: async () => (await tenure.session.bounds()).end,
      // Only asked between batches, so a delivered record that has left the inbox has been applied.
      isApplied: (end) => (this.#inbox[0]?.offset ?? this.#skips.readTo) >= end,
    };
    tenure.onChange(() => {
      this.#alarm.ring();
      this.#inboxHasRoom?.();
    });
  }

  /** Queues records. Null = there is room for another fetch; else a promise that resolves when there is. */
  push(records: readonly WaitingRecord[], { end, next }: BatchContext): Promise<void> | null {
    const tenure = this.#tenure;
    if (!tenure.isOpen) return null;
    tenure.logEnd = end;
    this.#skips.read(records, next);
    // One by one: a fetch may hold more records than a call takes arguments.
    for (const record of records) {
      this.#inbox.push(record);
      this.#inboxBytes += record.size;
    }
    this.#alarm.ring();
    if (!this.#isFull()) return null;
    return new Promise((resolve) => {
      this.#inboxHasRoom = resolve;
    });
  }

  /** Half full counts as full, so that reading resumes before the inbox runs dry. */
  #isFull(): boolean {
    const { inboxRecordsMax, inboxBytesMax } = this.#tenure.settings.limits;
    return this.#inbox.length * 2 > inboxRecordsMax || this.#inboxBytes * 2 > inboxBytesMax;
  }

  async run(): Promise<void> {
    const tenure = this.#tenure;
    const { clock, turns, limits, processor } = tenure.settings;
    while (tenure.isOpen) {
      const idleDueInMs = processor.applyIdle === undefined ? Number.POSITIVE_INFINITY : this.#idleDueAt - clock.now();
      if (this.#inbox.length > 0 || idleDueInMs <= 0) {
        await this.#publishing.room();
        const isFull = this.#inbox.length >= limits.batchRecordsMax;
        const line = isFull ? turns.full : turns.apply;
        await line.run(async () => {
          if (!tenure.isOpen) return;
          const idle = idleDueInMs <= 0 && !(this.#idleWasLast && this.#inbox.length > 0);
          this.#idleWasLast = idle;
          await (idle ? this.#applyIdle() : this.#applyBatch(this.#takeBatch(), { alone: isFull }));
        });
      } else {
        this.#idleWasLast = false;
        if (this.#skips.dueInMs <= 0) await this.#skips.store();
        else await this.#alarm.wait(Math.min(idleDueInMs, this.#skips.dueInMs, 0x7fffffff));
      }
    }
    // After a release nobody may read this shard for longer than the log keeps its records, so offsets without records are stored now.
    await this.#skips.storeAtEnd();
    this.#publishing.finish();
  }

  /** Takes the next batch. Records below `nextOffset` were applied before; they are dropped without being decoded. */
  #takeBatch(): InputRecord[] {
    const { batchRecordsMax, batchBytesMax } = this.#tenure.settings.limits;
    const batch = takeChunk(this.#inbox, WAITING, { count: batchRecordsMax, bytes: batchBytesMax });
    for (const record of batch) this.#inboxBytes -= record.size;
    if (!this.#isFull()) this.#inboxHasRoom?.();
    return batch.filter(({ offset }) => offset >= this.#tenure.nextOffset).map((record) => record.read());
  }

  /**
   * Applies records as one transaction. Where it meets a defect, bisects to the record that causes it and has that one set aside, in order.
   * Unless `alone`, the first attempt shares a transaction with the other shards that wait (`Together`).
   */
  async #applyBatch(records: readonly InputRecord[], { alone }: { readonly alone: boolean }): Promise<void> {
    const last = records.at(-1);
    if (last === undefined) return;
    const { processor, together, limits, clock, observer } = this.#tenure.settings;
    const startedAt = clock.now();
    const outSeq = this.#tenure.outSeq;
    const nextOffset = last.offset + 1n;
    const timestampsMs = records.map((record) => record.timestampMs);
    const run = (lease: Lease, attempt: number) =>
      alone || attempt > 1 ? processor.apply(lease, records) : together.apply({ lease, records });
    const result = await this.#commit({ step: 'apply', nextOffset, timestampsMs, run });
    if (result === 'ended') return;
    if (result === 'done') {
      const lag = Number(this.#tenure.logEnd > nextOffset ? this.#tenure.logEnd - nextOffset : 0n);
      const rows = Number(this.#tenure.outSeq - outSeq);
      this.#tenure.session.progress(nextOffset);
      return observer.applied(this.#tenure.shard, { records: records.length, rows, ms: clock.now() - startedAt, lag });
    }
    if (records.length > 1) {
      const middle = records.length >> 1;
      await this.#applyBatch(records.slice(0, middle), { alone: true });
      return this.#applyBatch(records.slice(middle), { alone: true });
    }
    if (processor.quarantine === undefined || this.#quarantined >= limits.quarantineMax)
      return this.#haltOn(result.defect);
    this.#quarantined += 1;
    const setAside = processor.quarantine.bind(processor);
    const second = await this.#commit({
      step: 'apply',
      nextOffset,
      timestampsMs,
      run: (lease) => setAside(lease, last, result.defect),
    });
    if (second === 'done') observer.quarantined(this.#tenure.shard, { offset: last.offset });
    else if (second !== 'ended') this.#haltOn(second.defect);
  }

  async #applyIdle(): Promise<void> {
    const { processor, clock, limits } = this.#tenure.settings;
    let found = false;
    const run = async (lease: Lease): Promise<Applied | null> => {
      const applied = (await processor.applyIdle?.(lease, this.#progress)) ?? null;
      found = applied !== null;
      return applied;
    };
    const { nextOffset } = this.#tenure;
    const result = await this.#commit({ step: 'idle', nextOffset, timestampsMs: [], run });
    if (typeof result === 'object') return this.#haltOn(result.defect);
    // Rounded to common moments for all shards of a process, so that a service can look for the idle work of all of them with one query.
    this.#idleDueAt = found ? 0 : (Math.floor(clock.now() / limits.idleIntervalMs) + 1) * limits.idleIntervalMs;
  }

  #haltOn(error: unknown): void {
    this.#tenure.end({ kind: 'halted', reason: 'defect', error });
  }

  /** Runs one transaction until its outcome is known, and reports the rows it left, whichever attempt committed them. */
  async #commit(work: Work): Promise<Result> {
    const tenure = this.#tenure;
    const before = tenure.outSeq;
    const result = await this.#attempt(work);
    const rows = Number(tenure.outSeq - before);
    const depth = Number(tenure.outSeq - tenure.position);
    if (rows > 0) tenure.settings.observer.committed(tenure.shard, { rows, depth, timestampsMs: work.timestampsMs });
    return result;
  }

  async #attempt(work: Work): Promise<Result> {
    const tenure = this.#tenure;
    const { classify, observer, limits, clock, random, failpoint } = tenure.settings;
    for (let attempt = 1; tenure.isOpen; attempt++) {
      try {
        const { lease } = tenure;
        const applied = await work.run(lease, attempt);
        if (applied !== null) {
          await failpoint('after-db-commit');
          await this.#accept(applied, work, lease);
        } else if (attempt > 1) {
          // The COMMIT of an earlier attempt may still be under way: an update of the row waits for it.
          await tenure.settings.store.skipTo(lease, lease.nextOffset);
          await this.#catchUp(work);
        }
        return 'done';
      } catch (error) {
        const disposition = error instanceof HaltError ? 'defect' : classify(error);
        observer.failed(tenure.shard, { step: work.step, disposition, error });
        if (error instanceof HaltError) tenure.fail(error);
        else if (disposition === 'fenced' && (await this.#isDone(work, error))) return 'done';
        else if (disposition === 'defect' && attempt >= limits.defectAttemptsMax) return { defect: error };
        else if (attempt >= limits.attemptsMax) tenure.fail(error);
        else await new Promise<void>((resolve) => void clock.after(pauseOf(attempt - 1, random), resolve));
      }
    }
    return 'ended';
  }

  /** Checks an answered transaction against what was asked, and hands its rows to the publish lane. */
  async #accept({ nextOffset, outSeq, rows }: Applied, work: Work, lease: Lease): Promise<void> {
    const tenure = this.#tenure;
    ensure(nextOffset === work.nextOffset, 'defect', `the transaction ended at ${nextOffset}, not ${work.nextOffset}`);
    const before = outSeq - BigInt(rows.length);
    ensure(before >= tenure.outSeq, 'defect', `rows end at ${outSeq}, but ${tenure.outSeq} were written before`);
    const gap = rows.findIndex(({ seq }, index) => seq !== before + BigInt(index) + 1n);
    ensure(gap < 0, 'defect', `row ${gap} of the batch has seq ${rows[gap]?.seq}`);
    tenure.nextOffset = nextOffset;
    if (lease.publishedSeq > tenure.marked) tenure.marked = lease.publishedSeq;
    // An earlier idle attempt whose answer was lost had committed: its rows come first and are read back from the outbox.
    if (before > tenure.outSeq) await this.#passOnFromOutbox(outSeq);
    else this.#passOn(rows, outSeq);
  }

  /**
   * The compare-and-set matched no row: the shard has another owner, our attempt whose COMMIT was not answered had committed, or the database
   * has lost commits.
   * Answers whether the work is done; ends the tenure where it cannot be.
   */
  async #isDone(work: Work, cause: unknown): Promise<boolean> {
    try {
      return await this.#catchUp(work, cause);
    } catch (error) {
      this.#tenure.fail(error);
      return false;
    }
  }

  /** Takes over what an unanswered attempt committed, as the shard's row shows it. Answers whether the row is where the work leaves it. */
  async #catchUp(work: Work, cause?: unknown): Promise<boolean> {
    const tenure = this.#tenure;
    const { epoch, nextOffset, outSeq } = await tenure.settings.store.read(tenure.shard);
    if (epoch !== tenure.epoch) {
      tenure.fail(cause);
      return false;
    }
    const explained = nextOffset === work.nextOffset || nextOffset === tenure.nextOffset;
    ensure(
      explained,
      'state-unexplained',
      `ours, but at ${nextOffset}; before ${tenure.nextOffset}, after ${work.nextOffset}`,
    );
    ensure(
      outSeq >= tenure.outSeq,
      'position-ahead-of-database',
      `rows up to ${outSeq}, where ${tenure.outSeq} had been written`,
    );
    tenure.nextOffset = nextOffset;
    if (outSeq > tenure.outSeq) await this.#passOnFromOutbox(outSeq);
    return work.step === 'apply' && nextOffset === work.nextOffset;
  }

  async #passOnFromOutbox(outSeq: bigint): Promise<void> {
    const found: OutboxRow[] = [];
    for await (const rows of loadRows(this.#tenure, this.#tenure.outSeq, outSeq)) found.push(...rows);
    this.#passOn(found, outSeq);
  }

  #passOn(rows: readonly OutboxRow[], outSeq: bigint): void {
    this.#tenure.outSeq = outSeq;
    this.#tenure.hasProgressed = true;
    this.#publishing.enqueue(rows);
  }
}

import { acquire, isOvertaken } from './acquire.ts';
import { ApplyLane } from './apply-lane.ts';
import { HaltError, type HaltReason } from './errors.ts';
import { type ProcessorOptions, type Settings, settingsOf } from './options.ts';
import type { BatchContext, Disposition, LogSession, ShardHandler, ShardId, WaitingRecord } from './port.ts';
import { PublishLane } from './publish-lane.ts';
import type { Ending, Tenure } from './tenure.ts';

/** A shard that this process holds. */
interface Running {
  readonly tenure: Tenure;
  readonly applying: ApplyLane;
  /** Resolves when both lanes have ended and the publisher is released. */
  readonly stopped: Promise<void>;
}

/**
 * The processing primitive: acquire, apply, publish and release of every shard of one input topic, exactly once whatever crashes.
 * Give it to an `InputLog`. It holds no state that outlives the process.
 */
export function createProcessor(options: ProcessorOptions): ShardHandler {
  return new Processor(settingsOf(options));
}

class Processor implements ShardHandler {
  readonly #settings: Settings;
  readonly #running = new Map<number, Running>();
  /**
   * Per partition, how long it has had no success while it was assigned to us: `forMs` up to the last release, plus the time since
   * `sinceMs` (null while it is not assigned).
   */
  readonly #failing = new Map<number, { forMs: number; sinceMs: number | null }>();
  /** Acquisitions in a row that met a defect. */
  readonly #defects = new Map<number, number>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async acquire(partition: number, session: LogSession): Promise<bigint | null> {
    const { topic, observer, publisher, classify } = this.#settings;
    const shard = { topic, partition };
    await this.#end(partition);
    const failing = this.#failing.get(partition);
    if (failing !== undefined) failing.sinceMs ??= this.#settings.clock.now();
    observer.phase(shard, 'acquiring');
    try {
      const tenure = await acquire(shard, session, this.#settings);
      this.#start(tenure);
      this.#defects.delete(partition);
      const { epoch, nextOffset, logEnd } = tenure;
      observer.phase(shard, 'ready', { epoch, lag: Number(logEnd - nextOffset) });
      return nextOffset;
    } catch (error) {
      await publisher.release(partition);
      const disposition = classify(error);
      observer.failed(shard, { step: 'acquire', disposition, error });
      const reason = error instanceof HaltError ? error.reason : this.#refusal(partition, disposition);
      if (reason === undefined) throw error;
      this.#halt(shard, reason, error);
      return null;
    }
  }

  apply(partition: number, batch: readonly WaitingRecord[], context: BatchContext): Promise<void> | null {
    return this.#running.get(partition)?.applying.push(batch, context) ?? null;
  }

  async release(partition: number): Promise<void> {
    // A shard that could not be acquired, or has halted, is reported closed too: from now on another process answers for it.
    if (!(await this.#end(partition)))
      this.#settings.observer.phase({ topic: this.#settings.topic, partition }, 'closed');
    // Whether the shard works for its next owner is unknown, so that time does not count towards our outage.
    const failing = this.#failing.get(partition);
    if (failing === undefined || failing.sinceMs === null) return;
    failing.forMs += this.#settings.clock.now() - failing.sinceMs;
    failing.sinceMs = null;
  }

  /** Ends this process's work on a shard, which then reports `closed`. False = there was none. */
  async #end(partition: number): Promise<boolean> {
    const running = this.#running.get(partition);
    if (running === undefined) return false;
    const { clock, limits } = this.#settings;
    running.tenure.drain();
    const giveUp = clock.after(limits.drainMaxMs, () => running.tenure.end({ kind: 'released' }));
    await running.stopped;
    giveUp();
    return true;
  }

  #start(tenure: Tenure): void {
    const publishing = new PublishLane(tenure);
    const applying = new ApplyLane(tenure, publishing);
    const lanes = [applying.run(), publishing.run()].map((lane) => lane.catch((error) => tenure.fail(error)));
    const stopped = this.#stop(tenure, Promise.all(lanes));
    this.#running.set(tenure.shard.partition, { tenure, applying, stopped });
  }

  async #stop(tenure: Tenure, lanes: Promise<unknown>): Promise<void> {
    const { partition } = tenure.shard;
    await lanes;
    tenure.end({ kind: 'released' });
    if (tenure.hasProgressed) this.#failing.delete(partition);
    await this.#settings.publisher.release(partition);
    this.#running.delete(partition);
    const ending = await tenure.ended;
    const isDoubtful = ending.kind === 'halted' && ending.error instanceof HaltError;
    this.#report(tenure, isDoubtful && (await isOvertaken(tenure)) ? { ...ending, kind: 'reopen' } : ending);
  }

  #report({ shard, session }: Tenure, ending: Ending): void {
    this.#settings.observer.phase(shard, 'closed');
    if (ending.kind === 'released') return;
    const reason = ending.kind === 'halted' ? ending.reason : this.#outage(shard.partition);
    if (reason === undefined) {
      session.reopen();
    } else {
      session.close();
      this.#halt(shard, reason, ending.error);
    }
  }

  /** The reason to halt after a failed acquisition; undefined where acquiring may be tried again. */
  #refusal(partition: number, disposition: Disposition): HaltReason | undefined {
    const defects = disposition === 'defect' ? (this.#defects.get(partition) ?? 0) + 1 : 0;
    this.#defects.set(partition, defects);
    return defects >= this.#settings.limits.defectAttemptsMax ? 'defect' : this.#outage(partition);
  }

  /** Notes a failure; answers `outage` when nothing has succeeded for `outageMaxMs`. */
  #outage(partition: number): HaltReason | undefined {
    const { clock, limits } = this.#settings;
    const failing = this.#failing.get(partition) ?? { forMs: 0, sinceMs: null };
    failing.sinceMs ??= clock.now();
    this.#failing.set(partition, failing);
    return failing.forMs + clock.now() - failing.sinceMs >= limits.outageMaxMs ? 'outage' : undefined;
  }

  #halt(shard: ShardId, reason: HaltReason, error: unknown): void {
    this.#settings.observer.phase(shard, 'halted');
    this.#settings.onHalt(shard, reason, error);
  }
}

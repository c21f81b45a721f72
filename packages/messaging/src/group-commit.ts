import type { Limits } from './options.ts';
import type { Applied, BatchPart, BatchProcessor } from './port.ts';
import type { Turns } from './turns.ts';

/** What waits of a shard at this moment. */
export interface Waiting {
  readonly records: number;
  readonly bytes: number;
}

/** Applies a shard's batch with the function it is given, which it has to call, if at all, before it waits for anything. */
type Ride = (apply: BatchProcessor['apply']) => Promise<void>;

interface Rider {
  readonly waiting: () => Waiting;
  readonly ride: Ride;
  readonly done: (ended: Promise<void>) => void;
}

interface Boarded extends BatchPart {
  readonly answer: (applied: Promise<Applied>) => void;
}

type GroupLimits = Pick<Limits, 'batchRecordsMax' | 'batchBytesMax'>;

/**
 * Commits small batches of several shards in one transaction: what a transaction costs, its round trips and its fsync, is then paid once for
 * all shards that have something when its turn comes, up to the size of one full batch.
 *
 * It only saves time. A transaction of several that fails is forgotten, and each batch applied by itself: whatever is the matter with one of
 * them is found out there, and where the COMMIT went unanswered, that too, as after any attempt without an answer.
 */
export class GroupCommit {
  readonly #turns: Turns;
  readonly #processor: BatchProcessor;
  readonly #limits: GroupLimits;
  readonly #onFailure: (part: BatchPart, error: unknown) => void;
  readonly #riders: Rider[] = [];
  #isDriving = false;

  constructor(
    turns: Turns,
    processor: BatchProcessor,
    {
      limits,
      onFailure,
    }: { readonly limits: GroupLimits; readonly onFailure: (part: BatchPart, error: unknown) => void },
  ) {
    this.#turns = turns;
    this.#processor = processor;
    this.#limits = limits;
    this.#onFailure = onFailure;
  }

  /** Rides when a turn comes, with the others that wait then; resolves or rejects as the ride does. */
  run(waiting: () => Waiting, ride: Ride): Promise<void> {
    const done = new Promise<void>((resolve) => void this.#riders.push({ waiting, ride, done: resolve }));
    if (!this.#isDriving) void this.#drive();
    return done;
  }

  async #drive(): Promise<void> {
    this.#isDriving = true;
    while (this.#riders.length > 0) {
      const end = await this.#turns.take();
      void this.#depart(this.#takeGroup()).then(end);
    }
    this.#isDriving = false;
  }

  /** Those that wait, in their order, as many as one full batch holds; at least one. */
  #takeGroup(): Rider[] {
    const { batchRecordsMax, batchBytesMax } = this.#limits;
    let [records, bytes, count] = [0, 0, 0];
    for (const rider of this.#riders) {
      const more = rider.waiting();
      records += more.records;
      bytes += more.bytes;
      if (count > 0 && (records > batchRecordsMax || bytes > batchBytesMax)) break;
      count += 1;
    }
    return this.#riders.splice(0, count);
  }

  async #depart(group: readonly Rider[]): Promise<void> {
    const boarded: Boarded[] = [];
    let isBoarding = true;
    const apply: BatchProcessor['apply'] = (lease, records) => {
      if (!isBoarding) return this.#processor.apply(lease, records);
      return new Promise<Applied>((resolve) => void boarded.push({ lease, records, answer: resolve }));
    };
    const rides = group.map(({ ride, done }) => {
      const ended = ride(apply);
      done(ended);
      return ended;
    });
    isBoarding = false;
    this.#apply(boarded);
    await Promise.allSettled(rides);
  }

  #apply(boarded: readonly Boarded[]): void {
    const [first, ...others] = boarded;
    if (first === undefined) return;
    const alone = ({ lease, records }: BatchPart) => this.#processor.apply(lease, records);
    if (boarded.length === 1 || this.#processor.applyTogether === undefined) {
      for (const part of boarded) part.answer(alone(part));
      return;
    }
    const together = this.#processor.applyTogether([first, ...others]);
    together.catch((error: unknown) => this.#onFailure(first, error));
    boarded.forEach((part, index) => {
      const mine = together.then((applied) => applied[index] ?? alone(part));
      part.answer(mine.catch(() => alone(part)));
    });
  }
}

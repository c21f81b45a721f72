import type { Clock } from './clock.ts';
import type { LogBounds, ShardHandler, WaitingRecord } from './port.ts';

/** What a client's consumer must do for one partition. `start` and `stop` take effect before the next record is delivered. */
export interface Reader {
  start(partition: number, offset: bigint): void;
  stop(partition: number): void;
  bounds(partition: number): Promise<LogBounds>;
}

/** The answer to one fetch: the records from offset `from` on. The next fetch begins at `next`; `end` is the log's end. */
export interface Fetched {
  readonly partition: number;
  readonly from: bigint;
  readonly next: bigint;
  readonly end: bigint;
  readonly records: readonly WaitingRecord[];
}

type State = 'opening' | 'reading' | 'full' | 'closed';

/** A partition that is assigned to us. */
interface Session {
  readonly partition: number;
  state: State;
  /** Where the next fetch must begin. */
  expected: bigint;
  /** Everything below this offset is applied; undefined until the shard reports it. */
  applied: bigint | undefined;
  openedAt: number;
  failures: number;
  isGone: boolean;
}

const REOPEN_MS = 250;
const REOPEN_MAX_MS = 10_000;
/** A session that lasted this long was a success; the next failure starts from the shortest backoff again. */
const STEADY_MS = 30_000;

/**
 * Turns what a group member learns (assignments, fetches) into calls of a `ShardHandler`, for any client: a partition is read only while
 * its shard is open, from the offset that the shard named, without a gap or a repeat.
 *
 *   assigned ─> opening ─acquired─> reading <──> full (the handler has enough)
 *                  ^                   │ reopen(), or a fetch that does not continue the last
 *                  └────backoff──── closed          (an acquire that answers null stays closed)
 */
export class Sessions {
  readonly #handler: ShardHandler;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #sessions = new Map<number, Session>();
  #isClosed = false;
  /** One promise chain per partition, so that acquire and release never overlap. */
  readonly #chains = new Map<number, Promise<void>>();

  constructor(handler: ShardHandler, reader: Reader, clock: Clock, random: () => number) {
    this.#handler = handler;
    this.#reader = reader;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Sets the partitions that are assigned from now on. Stops all reading of closed shards synchronously, so that none of their records is
   * delivered. A shard that stays assigned goes on: if another process had it in between, the fence notices.
   */
  assign(partitions: readonly number[]): void {
    for (const session of [...this.#sessions.values()]) {
      if (!partitions.includes(session.partition)) this.#leave(session);
      else if (session.state === 'reading') this.#reader.start(session.partition, session.expected);
      else this.#reader.stop(session.partition);
    }
    for (const partition of partitions) {
      if (this.#isClosed || this.#sessions.has(partition)) continue;
      this.#reader.stop(partition);
      const session: Session = {
        partition,
        state: 'opening',
        expected: 0n,
        applied: undefined,
        openedAt: 0,
        failures: 0,
        isGone: false,
      };
      this.#sessions.set(partition, session);
      this.#open(session);
    }
  }

  /** Passes records on. False = they are not wanted, and the client must not count them as read. */
  deliver(fetched: Fetched): boolean {
    const session = this.#sessions.get(fetched.partition);
    if (session?.state !== 'reading') return false;
    if (fetched.from !== session.expected) {
      this.#reopen(session);
      return false;
    }
    this.#passOn(session, fetched);
    return true;
  }

  /** Where the next fetch of a partition must begin; undefined while it is not read. */
  expected(partition: number): bigint | undefined {
    const session = this.#sessions.get(partition);
    return session?.state === 'reading' ? session.expected : undefined;
  }

  /** The assigned partitions whose shard has reported an applied offset, with that offset. */
  *applied(): Generator<[partition: number, offset: bigint]> {
    for (const { partition, applied } of this.#sessions.values()) if (applied !== undefined) yield [partition, applied];
  }

  /** The client skipped offsets that hold nothing for us (control records, aborted transactions). */
  skipTo({ partition, next, end }: Omit<Fetched, 'from' | 'records'>): void {
    const session = this.#sessions.get(partition);
    if (session?.state === 'reading') this.#passOn(session, { records: [], next, end });
  }

  #passOn(session: Session, { records, next, end }: Pick<Fetched, 'records' | 'next' | 'end'>): void {
    session.expected = next;
    const room = this.#handler.apply(session.partition, records, { end, next });
    if (room !== null) void this.#pauseUntil(session, room);
  }

  /** Releases every shard and takes no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.assign([]);
    await Promise.all(this.#chains.values());
  }

  #leave(session: Session): void {
    this.#sessions.delete(session.partition);
    session.isGone = true;
    this.#reader.stop(session.partition);
    this.#chain(session.partition, () => this.#handler.release(session.partition));
  }

  #open(session: Session): void {
    session.state = 'opening';
    this.#chain(session.partition, async () => {
      if (session.isGone) return;
      const { partition } = session;
      try {
        const offset = await this.#handler.acquire(partition, {
          bounds: () => this.#reader.bounds(partition),
          reopen: () => this.#reopen(session),
          close: () => this.#close(session),
          progress: (offset) => {
            session.applied = offset;
          },
        });
        if (offset === null) this.#close(session);
        if (offset === null || session.isGone || session.state !== 'opening') return;
        session.expected = offset;
        session.openedAt = this.#clock.now();
        session.state = 'reading';
        this.#reader.start(partition, offset);
      } catch {
        this.#reopen(session);
      }
    });
  }

  #close(session: Session): void {
    session.state = 'closed';
    if (!session.isGone) this.#reader.stop(session.partition);
  }

  #reopen(session: Session): void {
    if (session.isGone || session.state === 'closed') return;
    if (session.state !== 'opening' && this.#clock.now() - session.openedAt > STEADY_MS) session.failures = 0;
    this.#close(session);
    const backoff = Math.min(REOPEN_MAX_MS, REOPEN_MS * 2 ** session.failures) * (0.5 + this.#random() / 2);
    session.failures += 1;
    this.#clock.after(backoff, () => {
      if (!session.isGone) this.#open(session);
    });
  }

  async #pauseUntil(session: Session, room: Promise<void>): Promise<void> {
    this.#reader.stop(session.partition);
    session.state = 'full';
    await room;
    if (session.isGone || session.state !== 'full') return;
    session.state = 'reading';
    this.#reader.start(session.partition, session.expected);
  }

  #chain(partition: number, step: () => Promise<void>): void {
    const chained = (this.#chains.get(partition) ?? Promise.resolve()).then(step);
    this.#chains.set(partition, chained);
  }
}

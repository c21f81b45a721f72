import { ensure, HaltError, type HaltReason } from './errors.ts';
import type { Settings } from './options.ts';
import type { Lease, LogSession, OutboxRow, ShardId, ShardState } from './port.ts';

export type Ending =
  | { readonly kind: 'released' }
  /** Ownership is lost or in doubt: acquire afresh, if the partition is still ours. */
  | { readonly kind: 'reopen'; readonly error: unknown }
  | { readonly kind: 'halted'; readonly reason: HaltReason; readonly error: unknown };

/**
 * One acquisition of one shard, from its epoch to its end: the state that the apply and the publish lane share.
 *
 *   open ──drain()──> draining ──end(released)──> ended
 *     └──────────────────end(…)─────────────────────┘
 *
 * `nextOffset` and `outSeq` are the database's state, `position` is the broker's; always position <= outSeq. The rows `position + 1 …
 * outSeq` wait in the publish lane, which alone moves `position`.
 */
export class Tenure {
  readonly shard: ShardId;
  readonly epoch: bigint;
  readonly session: LogSession;
  readonly settings: Settings;
  nextOffset: bigint;
  outSeq: bigint;
  position: bigint;
  /** The position that the database is known to have stored. */
  marked: bigint;
  /** The log's end as last heard. */
  logEnd = 0n;
  /** Something was committed or published, or there was nothing to do: the last outage, if any, is over. */
  hasProgressed = false;
  readonly ended: Promise<Ending>;
  #phase: 'open' | 'draining' | 'ended' = 'open';
  #end!: (ending: Ending) => void;
  readonly #wakers: Array<() => void> = [];

  constructor(shard: ShardId, state: ShardState, position: bigint, session: LogSession, settings: Settings) {
    this.shard = shard;
    this.session = session;
    this.epoch = state.epoch;
    this.nextOffset = state.nextOffset;
    this.outSeq = state.outSeq;
    this.position = position;
    this.marked = state.publishedSeq;
    this.settings = settings;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  get isEnded(): boolean {
    return this.#phase === 'ended';
  }

  get lease(): Lease {
    const { shard, epoch, nextOffset, outSeq, position } = this;
    return { shard, epoch, nextOffset, outSeq, publishedSeq: position };
  }

  /** Wakes a lane whenever the phase changes. */
  onChange(wake: () => void): void {
    this.#wakers.push(wake);
  }

  /** From now on nothing new begins; committed rows may still be published. */
  drain(): void {
    if (this.#phase === 'open') this.#change('draining');
  }

  /** The first ending counts. */
  end(ending: Ending): void {
    if (this.#phase === 'ended') return;
    this.#end(ending);
    this.#change('ended');
  }

  /** Ends the tenure because of an error: a `HaltError` halts the shard, any other error asks for a fresh acquisition. */
  fail(error: unknown): void {
    if (error instanceof HaltError) this.end({ kind: 'halted', reason: error.reason, error });
    else this.end({ kind: 'reopen', error });
  }

  #change(phase: 'draining' | 'ended'): void {
    this.#phase = phase;
    for (const wake of this.#wakers) wake();
  }
}

/** Reads the outbox rows `afterSeq + 1 … upToSeq`, in order and complete, or halts: a missing row would be a lost outcome. */
export async function* loadRows(
  { settings, shard }: Pick<Tenure, 'settings' | 'shard'>,
  afterSeq: bigint,
  upToSeq: bigint,
): AsyncGenerator<OutboxRow[]> {
  let last = afterSeq;
  while (last < upToSeq) {
    const rows = await settings.store.loadOutbox(shard, last, settings.limits.publishRowsMax);
    ensure(rows.length > 0, 'outbox-gap', `no row after ${last}, written up to ${upToSeq}`);
    for (const row of rows) {
      last += 1n;
      ensure(row.seq === last, 'outbox-gap', `row ${last} is missing`);
    }
    yield [...rows];
  }
  ensure(last === upToSeq, 'outbox-gap', `rows up to ${last}, but written up to ${upToSeq}`);
}

import type { Disposition, ShardId } from './port.ts';

export type ShardPhase = 'acquiring' | 'ready' | 'closed' | 'halted';
export type Step = 'acquire' | 'apply' | 'idle' | 'skip' | 'publish' | 'mark';

/** What the service may count and time. Methods must not throw. Durations are in milliseconds. */
export interface Observer {
  /** `held` comes with `ready`: the epoch under which the shard is held, and how many records of the log are not yet applied. */
  phase(shard: ShardId, phase: ShardPhase, held?: { epoch: bigint; lag: number }): void;
  /**
   * A committed transaction that wrote outbox rows, whether for a batch or between batches: `depth` = rows not yet published as of then,
   * `timestampsMs` = of the records that it applied.
   */
  committed(shard: ShardId, event: { rows: number; depth: number; timestampsMs: readonly number[] }): void;
  /** A committed batch; `lag` = records of the log not yet applied. */
  applied(shard: ShardId, event: { records: number; rows: number; ms: number; lag: number }): void;
  /** A committed Kafka transaction, or one that turned out to have been committed; `depth` = committed outbox rows not yet published. */
  published(shard: ShardId, event: { rows: number; ms: number; depth: number }): void;
  failed(shard: ShardId, event: { step: Step; disposition: Disposition; error: unknown }): void;
  quarantined(shard: ShardId, event: { offset: bigint }): void;
}

export const silentObserver: Observer = {
  phase() {},
  committed() {},
  applied() {},
  published() {},
  failed() {},
  quarantined() {},
};

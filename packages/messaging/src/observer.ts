import type { Disposition, ShardId } from './port.ts';

export type ShardPhase = 'acquiring' | 'ready' | 'closed' | 'halted';
export type Step = 'acquire' | 'apply' | 'idle' | 'skip' | 'publish' | 'mark';

/** What the service may count and time. Methods must not throw. Durations are in milliseconds. */
export interface Observer {
  /** `held` comes with `ready`: the epoch under which the shard is held, and how many records of the log are not yet applied. */
  phase(shard: ShardId, phase: ShardPhase, held?: { epoch: bigint; lag: number }): void;
  /**
   * A transaction that wrote outbox rows has committed, for a batch or for idle work. `depth` = rows not yet published at that moment,
   * `timestampsMs` = the timestamps of the records it applied.
   */
  committed(shard: ShardId, event: { rows: number; depth: number; timestampsMs: readonly number[] }): void;
  /** A batch has committed; `lag` = records of the log not yet applied. */
  applied(shard: ShardId, event: { records: number; rows: number; ms: number; lag: number }): void;
  /** A Kafka transaction has committed, or was found to have committed; `depth` = committed outbox rows not yet published. */
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

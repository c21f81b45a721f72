import type { Disposition, ShardId } from './port.ts';

export type ShardPhase = 'acquiring' | 'ready' | 'closed' | 'halted';
export type Step = 'acquire' | 'apply' | 'idle' | 'publish' | 'mark';

/** What the service may count and time. Methods must not throw. Durations are in milliseconds. */
export interface Observer {
  phase(shard: ShardId, phase: ShardPhase): void;
  /** A committed batch; `lag` = records of the log not yet applied. */
  applied(shard: ShardId, event: { records: number; rows: number; ms: number; lag: number }): void;
  /** A committed Kafka transaction; `depth` = committed outbox rows not yet published. */
  published(shard: ShardId, event: { rows: number; ms: number; depth: number }): void;
  failed(shard: ShardId, event: { step: Step; disposition: Disposition; error: unknown }): void;
  quarantined(shard: ShardId, event: { offset: bigint }): void;
}

export const silentObserver: Observer = {
  phase() {},
  applied() {},
  published() {},
  failed() {},
  quarantined() {},
};

import type { PolicyLookup } from '@repo/domain';
import type { Ledger, LedgerTransaction, LockedShard, OrderResult, QuarantineOrder } from '@repo/ledger';
import type { Applied, BatchProcessor, InputProgress, InputRecord, Lease, ShardId } from '@repo/messaging';
import type { HeldRoom } from './held-room.ts';
import type { OutboxTargets } from './outbox.ts';

/** A batch applied in an open transaction. `committed` must be called once the transaction has committed. */
export interface AppliedIn {
  readonly applied: Applied;
  readonly committed: () => void;
}

/** Where a transaction stands: its lease, the shard's row that it locked, and the offset that it leaves there. */
export interface BatchPlace {
  readonly lease: Lease;
  readonly shard: LockedShard;
  readonly nextOffset: bigint;
}

/** How much of the waiting work one transaction may do. */
export interface Share {
  /** At most so many people; the work's own limit may be lower. */
  readonly countMax: number;
  /** Set after a failure: only the kind of work that failed is tried, so that the failing key is found. */
  readonly only?: string | undefined;
  /** To be called before the work of a person begins, with its kind and the person's key, so that a failure can be attributed. */
  begin(kind: string, key: Buffer): void;
}

/** No limit beyond the work's own. */
export const FULL_SHARE: Share = { countMax: Number.POSITIVE_INFINITY, begin() {} };

/** What makes one worker differ from another: how it applies messages, new or held, and what it does between them. */
export interface Core extends Pick<BatchProcessor, 'apply' | 'applyTogether'> {
  /** One transaction of work that needs no message; null = there is none now. Must not do work of a key of which a message is held. */
  doWork?(lease: Lease, share: Share, input: InputProgress): Promise<Applied | null>;
  /** Applies messages that were held, in their order, as `apply` would, except that the shard's offset stays. */
  applyHeld(tx: LedgerTransaction, place: BatchPlace, records: readonly InputRecord[]): Promise<AppliedIn>;
}

/** Progress of an operator's order, for metrics and logs. */
export interface OrderStep {
  readonly action: QuarantineOrder['action'];
  readonly result: OrderResult | 'ON_THE_WAY';
  readonly messages: number;
  readonly offset: bigint;
}

export interface QuarantineDeps {
  readonly ledger: Ledger;
  readonly policyOf: PolicyLookup;
  readonly targets: OutboxTargets;
  /** The room that `holdBehind` takes from as well. Absent: what is held is counted each time. */
  readonly room?: HeldRoom;
  readonly onOrder?: (shard: ShardId, step: OrderStep) => void;
  /** Called when a key is held because of its work. */
  readonly onWorkHeld?: (shard: ShardId, error: unknown) => void;
  readonly failpoint?: (name: 'quarantine-hold' | 'quarantine-order') => void;
  /** How often a shard without orders looks for new ones, ms. */
  readonly lookEveryMs?: number;
}

import type { PolicyLookup } from '@repo/domain';
import type { Ledger, LedgerTransaction, LockedShard, OrderResult, QuarantineOrder } from '@repo/ledger';
import type { Applied, BatchProcessor, InputProgress, InputRecord, Lease, ShardId } from '@repo/messaging';
import type { HeldRoom } from './held-room.ts';
import type { OutboxTargets } from './outbox.ts';

/** A batch in an open transaction: what it does and what is to be told once it has committed. */
export interface AppliedIn {
  readonly applied: Applied;
  readonly committed: () => void;
}

/** Where a transaction stands: the lease it was begun with, the row it locked by it, and the offset it leaves behind. */
export interface BatchPlace {
  readonly lease: Lease;
  readonly shard: LockedShard;
  readonly nextOffset: bigint;
}

/** How much of the work that waits one transaction does. */
export interface Share {
  /** People at most, and no more than the work's own limit. */
  readonly countMax: number;
  /** After a failure: the kind of work that failed, which is looked into before anything else. */
  readonly only?: string | undefined;
  /** Says what kind of work, and whose, is begun. */
  begin(kind: string, key: Buffer): void;
}

/** As much as one transaction may do. */
export const FULL_SHARE: Share = { countMax: Number.POSITIVE_INFINITY, begin() {} };

/** What a worker does with messages: as they come, and those that were held; and what it does between them. */
export interface Core extends Pick<BatchProcessor, 'apply' | 'applyTogether'> {
  /** One transaction of work that needs no message; null = there is none now. Does nothing of a key of which anything is held. */
  doWork?(lease: Lease, share: Share, input: InputProgress): Promise<Applied | null>;
  /** Applies messages that were held, in their order, as `apply` would: only the offset stays where it is. */
  applyHeld(tx: LedgerTransaction, place: BatchPlace, records: readonly InputRecord[]): Promise<AppliedIn>;
}

/** What became of an order, for those who watch. */
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
  /** The one that `holdBehind` is given; absent: what is held is counted each time. */
  readonly room?: HeldRoom;
  readonly onOrder?: (shard: ShardId, step: OrderStep) => void;
  /** The work of a key was set aside, and the key is held. */
  readonly onWorkHeld?: (shard: ShardId, error: unknown) => void;
  readonly failpoint?: (name: 'quarantine-hold' | 'quarantine-order') => void;
  /** How often a shard looks for orders while it has none, ms. */
  readonly lookEveryMs?: number;
}

import type { HaltReason } from '@repo/messaging';

/** A process younger than this, in seconds, has most likely been started again because of the same defect. */
const YOUNG_S = 120;

/**
 * Whether the process should end, to be started again, because a shard has halted: only an outage or a defect may be gone after that. A
 * young process goes on with its other shards where one meets a defect, since the last restart has not cleared it.
 */
export const mayBeClearedByRestart = (reason: HaltReason, uptimeS: number): boolean =>
  reason === 'outage' || (reason === 'defect' && uptimeS >= YOUNG_S);

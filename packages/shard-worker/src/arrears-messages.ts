import type { OutgoingRecord } from '@repo/messaging';

/**
 * One `arrears.check` message for each of the `shards` shards of the members topic, without a key and addressed to that shard's partition.
 */
export const arrearsMessages = (
  check: { readonly checkId: string; readonly on: string },
  shards: number,
): OutgoingRecord[] =>
  Array.from({ length: shards }, (_, shard) => ({
    key: null,
    value: JSON.stringify({ check_id: check.checkId, on: check.on, shard, shards }),
    partition: shard,
    headers: [['ce_type', Buffer.from('arrears.check')]],
  }));

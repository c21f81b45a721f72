import type { OutgoingRecord } from '@repo/messaging';

/** One `arrears.check` for each shard of the members topic: no key, and sent to the partition it concerns. */
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

import { readStored } from '@repo/ledger';
import type { Client } from 'pg';

/** Gives every outcome of a ledger its own stamp and payload, as if none stood in a block: so that a statement can change one of them. */
export async function layOpen(client: Client): Promise<void> {
  const { rows } = await client.query<{ shard_id: number; seq: string; stamp: string | null; payload: Buffer }>(
    'select shard_id, seq, stamp, payload from all_outcome where stamp is null',
  );
  for (const { shard_id, seq, ...stored } of rows) {
    const { stamp, payload } = readStored(stored);
    await client.query('update outcome set stamp = $3, payload = $4, lead = null where shard_id = $1 and seq = $2', [
      shard_id,
      seq,
      stamp,
      payload,
    ]);
  }
}

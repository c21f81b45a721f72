import type { LedgerTransaction } from '@repo/ledger';
import { expect, test } from 'vitest';
import { HeldRoom } from '../src/held-room.ts';

const lease = (epoch: bigint, partition = 0) => ({ shard: { topic: 'claims', partition }, epoch });
const messages = (count: number) => Array.from({ length: count }, () => ({ value: Buffer.alloc(10), headers: [] }));

/** A shard's row of what is held, and how often that was counted. */
function shard(held: number) {
  const state = { held, counted: 0 };
  const rows = async () => {
    state.counted += 1;
    return [{ messages: String(state.held), bytes: '0' }];
  };
  return { state, tx: { rows } as unknown as LedgerTransaction };
}

test('what is held is counted once under an epoch, whatever is added, and once more at the limit', async () => {
  const { state, tx } = shard(0);
  const room = new HeldRoom({ messages: 10, bytes: 1 << 20 });
  for (const _ of Array(10)) await room.take(tx, lease(1n), messages(1));
  expect(state.counted).toBe(1);
  // Five of the ten were let go, which nobody told the room.
  state.held = 5;
  for (const _ of Array(5)) await room.take(tx, lease(1n), messages(1));
  expect(state.counted).toBe(2);
  state.held = 10;
  await expect(room.take(tx, lease(1n), messages(1))).rejects.toMatchObject({ reason: 'quarantine-full' });
});

test('a new epoch and another shard are counted for themselves', async () => {
  const { state, tx } = shard(0);
  const room = new HeldRoom({ messages: 10, bytes: 1 << 20 });
  await room.take(tx, lease(1n), messages(2));
  await room.take(tx, lease(1n, 1), messages(2));
  // Another owner has held ten in between.
  state.held = 10;
  await expect(room.take(tx, lease(3n), messages(1))).rejects.toMatchObject({ reason: 'quarantine-full' });
  expect(state.counted).toBe(3);
});

test('bytes are reckoned at no less than what they take', async () => {
  const { state, tx } = shard(0);
  const room = new HeldRoom({ messages: 1_000, bytes: 100_000 });
  await room.take(tx, lease(1n), [{ value: Buffer.alloc(60_000), headers: [] }]);
  await room.take(tx, lease(1n), messages(1));
  expect(state.counted).toBe(2);
});

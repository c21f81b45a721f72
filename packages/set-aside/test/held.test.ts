import type { RowSource } from '@repo/ledger';
import { expect, test } from 'vitest';
import { ORDER_STALL_MS, type Ordered, waitFor } from '../src/held.ts';

const order: Ordered = { place: 'claims/0@1', orderId: 1n, partition: 0, messages: 0, result: null };

/** The database's word on the order, one after the other; the last one stays. */
function told(...rows: { messages: number; result: string | null }[]): { source: RowSource; asked: () => number } {
  let asked = 0;
  const rowsNow = async () => [rows[Math.min(asked++, rows.length - 1)]];
  return { source: { rows: rowsNow } as unknown as RowSource, asked: () => asked };
}

test('an order that does not move is waited for to its limit, and answered as it is', async () => {
  const { source } = told({ messages: 0, result: null });
  const begun = performance.now();
  expect(await waitFor(source, [order], () => undefined, 250)).toMatchObject([{ messages: 0, result: null }]);
  expect(performance.now() - begun).toBeGreaterThan(250);
  expect(ORDER_STALL_MS).toBe(60_000);
}, 3_000);

test('one that moves is waited for beyond it', async () => {
  const { source, asked } = told(
    { messages: 1, result: null },
    { messages: 2, result: null },
    { messages: 3, result: null },
    { messages: 3, result: 'DONE' },
  );
  const seen: number[] = [];
  expect(await waitFor(source, [order], (messages) => seen.push(messages), 300)).toMatchObject([{ result: 'DONE' }]);
  expect([seen, asked()]).toEqual([[1, 2, 3, 3], 4]);
}, 3_000);

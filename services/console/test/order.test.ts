import { expect, test } from 'vitest';
import type { Binding } from '../src/api/types.ts';
import { inOrder, reordered } from '../src/pages/person/order.ts';

const binding = (binding_id: string, over: Partial<Binding> = {}): Binding => ({
  binding_id,
  payer: `P-${binding_id}`,
  beneficiary: 'P1',
  relation: 'SPOUSE',
  bound_at: '2026-01-05T09:00:00+08:00',
  type: 'FAMILY_SHARING',
  state: 'ACTIVE',
  pause_reasons: [],
  priority: null,
  effective_from: '2026-01-05',
  effective_to: null,
  daily_limit: null,
  authorised_amount: null,
  premium_registered: false,
  ...over,
});

test('relatives stand in the order they are asked: by priority, then the earlier bound, then by id; what has ended last', () => {
  const rows = [
    binding('B5', { state: 'REVOKED', priority: 1 }),
    binding('B4'),
    binding('B3', { bound_at: '2026-01-04T09:00:00+08:00' }),
    binding('B2', { priority: 2 }),
    binding('B1', { priority: 2 }),
    binding('B0', { priority: 1 }),
  ];
  expect(inOrder(rows).map(({ binding_id }) => binding_id)).toEqual(['B0', 'B1', 'B2', 'B3', 'B4', 'B5']);
});

test('a new order changes only the priorities that differ', () => {
  const rows = [
    binding('B1', { priority: 1 }),
    binding('B3', { priority: 3 }),
    binding('B2', { priority: 2 }),
    binding('B4'),
  ];
  expect(reordered(rows)).toEqual([
    { bindingId: 'B3', priority: 2 },
    { bindingId: 'B2', priority: 3 },
    { bindingId: 'B4', priority: 4 },
  ]);
});

import { date } from '@repo/domain';
import { expect, test } from 'vitest';
import { describeLoss } from '../src/simulate/reach.ts';

const truncated = (topic: string, partition: number, oldest: string | null) => ({
  ...{ topic, partition },
  oldestMs: oldest === null ? null : Date.parse(oldest),
});

test('what a topic still holds is told by the day from which all its partitions are whole, in Shanghai', () => {
  const lost = [
    truncated('g.claims.v1', 0, '2026-11-12T15:59:59Z'),
    truncated('g.claims.v1', 3, '2026-11-12T16:00:00Z'),
    truncated('g.members.v1', 0, '2026-10-01T00:00:00Z'),
    truncated('g.members.v1', 1, null),
  ];
  expect(describeLoss(lost, date('2026-09-01')).split('\n').slice(0, 3)).toEqual([
    'Claims from 2026-09-01 on cannot be replayed: balances come of every input since the first, and the topics do not go back to it any more:',
    '  g.claims.v1 holds what was sent from 2026-11-13 on',
    '  g.members.v1 holds nothing of what was sent before now, in some partition',
  ]);
});

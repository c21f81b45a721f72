import { expect, test } from 'vitest';
import { mayBeClearedByRestart } from '../src/restart.ts';

test('a defect ends a process that has been up for a while; a young one goes on with its other shards', () => {
  expect([3, 119, 120, 90_000].map((uptimeS) => mayBeClearedByRestart('defect', uptimeS))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('an outage ends the process; a state that nobody can explain never does', () => {
  expect(mayBeClearedByRestart('outage', 310)).toBe(true);
  for (const reason of ['input-lost', 'outbox-gap', 'publish-refused'] as const)
    expect(mayBeClearedByRestart(reason, 90_000)).toBe(false);
});

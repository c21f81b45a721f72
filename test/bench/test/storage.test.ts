import { expect, test } from 'vitest';
import { growth } from '../src/storage.ts';

const size = (heap: number, inserted: number) => ({
  ...{ heap, toast: 0, indexes: 0, inserted, updatedInPlace: 0, updatedElsewhere: 0 },
});

test('a table has grown by what it has more of than before, for each settlement; one that stands still is left out', () => {
  const before = new Map([
    ['entry', size(100, 1)],
    ['shard', size(100, 1)],
  ]);
  const after = new Map([...before, ['entry', size(300, 5)], ['outcome', size(80, 2)]] as const);
  expect(growth(before, after, 2)).toEqual({ entry: size(100, 2), outcome: size(40, 1) });
});

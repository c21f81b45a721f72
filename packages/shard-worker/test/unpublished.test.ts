import { expect, test } from 'vitest';
import { Unpublished } from '../src/unpublished.ts';

test('records have arrived once all results of their transaction are published, the oldest first', () => {
  const unpublished = new Unpublished();
  expect(unpublished.committed({ rows: 3, depth: 3, timestampsMs: [1, 2], nowMs: 100 })).toEqual([]);
  expect(unpublished.committed({ rows: 2, depth: 5, timestampsMs: [3], nowMs: 200 })).toEqual([]);
  expect(unpublished.published(3)).toEqual([]);
  expect(unpublished.ageMs(350)).toBe(250);
  expect(unpublished.published(1)).toEqual([1, 2]);
  expect(unpublished.ageMs(350)).toBe(150);
  expect(unpublished.published(0)).toEqual([3]);
  expect(unpublished.ageMs(350)).toBe(0);
});

test('what was published before its commit was told has arrived with it', () => {
  const unpublished = new Unpublished();
  expect(unpublished.published(0)).toEqual([]);
  expect(unpublished.committed({ rows: 2, depth: 0, timestampsMs: [7], nowMs: 100 })).toEqual([7]);
  expect(unpublished.committed({ rows: 2, depth: 1, timestampsMs: [8], nowMs: 100 })).toEqual([]);
  expect(unpublished.published(0)).toEqual([8]);
});

test('rows without a record, such as those of work between batches, age like others', () => {
  const unpublished = new Unpublished();
  unpublished.committed({ rows: 1, depth: 1, timestampsMs: [], nowMs: 100 });
  expect(unpublished.ageMs(1_100)).toBe(1_000);
  expect(unpublished.published(0)).toEqual([]);
  expect(unpublished.ageMs(1_100)).toBe(0);
});

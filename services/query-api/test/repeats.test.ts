import { expect, test } from 'vitest';
import { Repeats } from '../src/repeats.ts';

test('the last thousand answers are kept, and what was forgotten is done again', async () => {
  const repeats = new Repeats<number>();
  let done = 0;
  const perform = async () => ++done;
  for (let n = 0; n < 1_001; n++) expect(await repeats.once(`key ${n}`, '', perform)).toBe(n + 1);
  expect(await repeats.once('key 1', '', perform)).toBe(2);
  expect(await repeats.once('key 1000', '', perform)).toBe(1_001);
  expect(await repeats.once('key 0', '', perform)).toBe(1_002);
  await expect(repeats.once('key 1000', 'other', perform)).rejects.toMatchObject({ status: 409 });
});

test('a command that failed may be repeated at once', async () => {
  const repeats = new Repeats<number>();
  await expect(repeats.once('key', '', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await repeats.once('key', '', async () => 1)).toBe(1);
});

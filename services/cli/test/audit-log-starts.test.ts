import { expect, test, vi } from 'vitest';
import { LogStarts } from '../src/audit/log-starts.ts';

/** A partition whose first record left is this one, of ten; and how often that was asked. */
function partition(low: bigint) {
  const log = { low, asked: 0 };
  const starts = new LogStarts(async () => {
    log.asked += 1;
    return [{ topic: 't', partition: 0, low: log.low, high: 10n }];
  });
  return { log, starts };
}

test('records from an offset on were deleted where the log begins behind it; of a partition that nobody knows none were', async () => {
  const { log, starts } = partition(3n);
  await starts.ask();
  expect(await starts.isAfter('t/0', 2n)).toBe(true);
  expect(await starts.isAfter('t/0', 3n)).toBe(false);
  expect(await starts.isAfter('t/1', 0n)).toBe(false);
  expect(starts.isEmptied('t/0')).toBe(false);
  log.low = 10n;
  await starts.ask();
  expect(starts.isEmptied('t/0')).toBe(true);
  expect(starts.isEmptied('t/1')).toBe(false);
});

test('what is deleted while it is read is asked for again, but not for each gap', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const { log, starts } = partition(0n);
    await starts.ask();
    log.low = 5n;
    for (let gap = 0; gap < 100; gap += 1) expect(await starts.isAfter('t/0', 1n)).toBe(false);
    expect(log.asked).toBe(1);
    vi.advanceTimersByTime(6_000);
    expect(await starts.isAfter('t/0', 1n)).toBe(true);
    expect(await starts.isAfter('t/0', 4n)).toBe(true);
    expect(log.asked).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});

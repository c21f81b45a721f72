import { expect, test } from 'vitest';
import { until } from '../src/until.ts';

test('the first truthy answer comes back', async () => {
  let asked = 0;
  const answer = await until(() => (++asked < 3 ? undefined : { asked }), { what: 'three questions', everyMs: 1 });
  expect(answer).toEqual({ asked: 3 });
});

test('an error counts as not yet', async () => {
  let asked = 0;
  const flaky = () => {
    asked += 1;
    if (asked < 2) throw new Error('not there');
    return 'there';
  };
  expect(await until(flaky, { what: 'it', everyMs: 1 })).toBe('there');
});

test('past the deadline it says what was waited for and what the last answer was', async () => {
  await expect(until(() => 0, { what: 'a settled claim', deadlineMs: 30, everyMs: 5 })).rejects.toThrow(
    'Waited 0.03 s for a settled claim; the last answer was 0',
  );
  const broken = () => Promise.reject(new Error('no table'));
  await expect(until(broken, { what: 'rows', deadlineMs: 30, everyMs: 5 })).rejects.toThrow(
    'Waited 0.03 s for rows; the last error was: no table',
  );
});

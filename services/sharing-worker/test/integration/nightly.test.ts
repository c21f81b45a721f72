import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, until } from '@repo/testkit';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { dueOn } from '../../src/nightly.ts';

afterEach(() => void vi.useRealTimers());

test('the nightly check is dated and timed by the database in Shanghai, whatever the host says', async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  onTestFinished(() => ledger.close());
  const clock = async () => {
    const [now] = await ledger.rows<{ day: string; minute: string; next: string }>(
      `select to_char(there, 'YYYY-MM-DD') as day, to_char(there, 'HH24:MI') as minute,
         to_char(there + interval '1 minute', 'HH24:MI') as next from (select now() at time zone interval '8 hours' as there) as clock`,
    );
    if (now === undefined) throw new Error('a clock tells the time');
    return now;
  };
  for (const host of ['2000-01-01T00:00:00Z', '2100-01-01T12:00:00Z']) {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(host) });
    const { due, now } = await until(
      async () => {
        const now = await clock();
        const due = await Promise.all(['00:00', now.minute, now.next].map((at) => dueOn(ledger, at)));
        // Not where a minute has ended in between.
        return (await clock()).minute === now.minute ? { due, now } : undefined;
      },
      { what: 'answers within one minute', deadlineMs: 10_000 },
    );
    expect(due).toEqual([now.day, now.day, now.next === '00:00' ? now.day : null]);
  }
});

import { Ledger, migrate, schemaKey } from '@repo/ledger';
import type { Lease } from '@repo/messaging';
import { cloneDatabase, until } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { applyMembers, type MemberDeps } from '../../src/apply-members.ts';
import { memberDeps } from './members.fixture.ts';

const timestampMs = Date.parse('2026-04-02T00:00:00+08:00');

/** In 350200 a person may be in one family. */
const account = (psn_no: string) => ({
  ...{ psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '350200', insured: true },
  ...{ prior_year: '100.00', as_of: '2026-02-10T00:00:00+08:00' },
});
const request = (binding_id: string, payer: string) => ({
  ...{ binding_id, payer, beneficiary: 'CHILD', relation: 'CHILD', bound_at: '2026-04-01T00:00:00+08:00' },
});

test.each([
  ['has an account', ['CHILD']],
  ['has none yet', []],
])(
  'two families that ask for one person at one moment, on two shards: one gets them, where the person %s',
  async (_, opened) => {
    const { url } = await cloneDatabase({ key: schemaKey(), migrate });
    const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
    const owner = await Ledger.open({ url, name: 'test owner' });
    const gate = Promise.withResolvers<void>();
    onTestFinished(async () => {
      gate.resolve();
      await ledger.close();
      await owner.close();
    });
    const deps = await memberDeps(ledger, 2);
    const leases = new Map<number, Lease>();
    for (const partition of [0, 1]) {
      const shard = { topic: 'members', partition };
      leases.set(partition, { shard, ...(await ledger.acquireShard(shard, 'test', 2)) });
    }
    async function send(partition: number, key: string, type: string, event: object, how: Partial<MemberDeps> = {}) {
      const lease = leases.get(partition) as Lease;
      const value = Buffer.from(JSON.stringify(event));
      const headers = [['ce_type', Buffer.from(type)]] as const;
      const record = { offset: lease.nextOffset, key: Buffer.from(key), value, headers, timestampMs };
      const applied = await applyMembers(lease, [record], { ...deps, ...how });
      leases.set(partition, { ...lease, nextOffset: applied.nextOffset });
      return applied.rows.flatMap(({ headers }) =>
        headers.filter(([name]) => name === 'ce_type').map(([, of]) => `${of}`),
      );
    }
    for (const person of ['X', ...opened]) await send(0, person, 'account.opened', account(person));
    await send(1, 'Y', 'account.opened', account('Y'));

    const failpoint: MemberDeps['failpoint'] = (name) => (name === 'mid-db' ? gate.promise : undefined);
    const first = send(0, 'X', 'binding.requested', request('B1', 'X'), { failpoint });
    const seen = (what: string) => async () =>
      (await owner.rows(`select from pg_stat_activity where datname = current_database() and ${what}`)).length > 0;
    await until(seen(`state = 'idle in transaction'`), { what: 'the first to have looked', deadlineMs: 10_000 });
    const second = send(1, 'Y', 'binding.requested', request('B2', 'Y'));
    await until(seen(`wait_event_type = 'Lock'`), { what: 'the second to wait', deadlineMs: 10_000 });
    gate.resolve();
    await first;
    expect(await second).toEqual(['binding.refused']);
    expect(await ledger.rows('select payer, state from binding')).toEqual([{ payer: 'X', state: 'PENDING' }]);
  },
);

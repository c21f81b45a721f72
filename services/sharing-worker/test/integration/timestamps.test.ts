import { NO_TIMESTAMP } from '@repo/domain';
import { Ledger, migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { applyMembers } from '../../src/apply-members.ts';
import { memberDeps } from './members.fixture.ts';

const SHARD = { topic: 'members', partition: 0 };

const opened = (psn_no: string) => ({
  ...{ psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: '330100', insured: true },
  ...{ prior_year: '1.00' },
});

test('a person opened without a date is dated by the record; one whose record has no moment is a dead letter, and holds up nobody', async () => {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const ledger = await Ledger.open({ url, role: 'gongji_worker', name: 'test' });
  onTestFinished(() => ledger.close());
  const deps = await memberDeps(ledger, 1);
  const lease = { shard: SHARD, ...(await ledger.acquireShard(SHARD, 'test', 1)) };
  const stamps = [
    NO_TIMESTAMP,
    ...['0001-01-01T00:00:00+08:00', '2025-03-10T10:00:00+08:00', '9999-12-31T23:59:59+08:00'].map(Date.parse),
  ];
  const records = stamps.map((timestampMs, n) => ({
    ...{ offset: BigInt(n), key: Buffer.from(`P${n}`), value: Buffer.from(JSON.stringify(opened(`P${n}`))) },
    ...{ headers: [['ce_type', Buffer.from('account.opened')] as const], timestampMs },
  }));
  const { rows, nextOffset } = await applyMembers(lease, records, deps);
  expect(nextOffset).toBe(4n);
  const noted = rows.map(({ headers }) => headers.find(([name]) => name === 'gongji-code')?.[1].toString());
  expect(noted).toEqual(['EVENT_MALFORMED']);
  expect(await ledger.rows('select psn_no from account order by psn_no')).toEqual(
    ['P1', 'P2', 'P3'].map((psn_no) => ({ psn_no })),
  );
});

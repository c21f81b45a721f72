import { Ledger } from '@repo/ledger';
import type { InputRecord, Lease } from '@repo/messaging';
import { until } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { type SettleDeps, settleBatch } from '../../src/settle.ts';
import { account, acquire, claim, load, openSettling, refund } from './shard.fixture.ts';

async function open() {
  const { deps, url } = await openSettling(0);
  const owner = await Ledger.open({ url, name: 'test owner' });
  onTestFinished(async () => {
    await deps.ledger.close();
    await owner.close();
  });
  await load(deps, account('P1', '500.00'));
  return { deps, owner };
}

/** Sends messages to a shard as the log would, and answers what is published of them. */
async function send(deps: SettleDeps, lease: Lease, ...messages: readonly InputRecord[]) {
  const records = messages.map((record, n) => ({ ...record, offset: lease.nextOffset + BigInt(n) }));
  const { rows } = await settleBatch(lease, records, deps);
  return rows.map(({ value }) => {
    const { refund_id, status, code, amount } = JSON.parse(String(value));
    return { refund_id, status, code, amount };
  });
}

const left = async ({ ledger }: SettleDeps) =>
  (await ledger.rows<{ prior_year: string }>(`select prior_year from account where psn_no = 'P1'`))[0]?.prior_year;

test('two refunds of one claim that two partitions have at one moment give its money back once', async () => {
  const { deps, owner } = await open();
  await send(deps, await acquire(deps.ledger, 0), claim('C1', 'P1', '60.00'));
  const [one, other] = [await acquire(deps.ledger, 0), await acquire(deps.ledger, 1)];
  const gate = Promise.withResolvers<void>();
  const slow: SettleDeps = { ...deps, failpoint: (name) => (name === 'mid-db' ? gate.promise : undefined) };
  const first = send(slow, one, refund('R1', 'C1', 'P1'));
  const waiting = (most: string) => async () =>
    (await owner.rows(`select from pg_stat_activity where datname = current_database() and ${most}`)).length > 0;
  await until(waiting(`state = 'idle in transaction'`), { what: 'the first to hold the account', deadlineMs: 10_000 });
  const second = send(deps, other, refund('R2', 'C1', 'P1'));
  await until(waiting(`wait_event_type = 'Lock'`), { what: 'the second to wait for it', deadlineMs: 10_000 });
  gate.resolve();
  expect(await first).toMatchObject([{ refund_id: 'R1', status: 'REFUNDED', amount: '60.00' }]);
  expect(await second).toMatchObject([{ refund_id: 'R2', status: 'REFUSED', code: 'REFUND_EXCEEDS_SETTLED' }]);
  expect(await left(deps)).toBe('500.00');
});

test('a claim whose month was dropped from the archive is not refunded, and no other claim’s money goes back for it', async () => {
  const { deps, owner } = await open();
  const lease = async () => acquire(deps.ledger, 0);
  await send(deps, await lease(), claim('C1', 'P1', '30.00'));
  await send(deps, await lease(), claim('C2', 'P1', '100.00'));
  await owner.rows(`delete from outcome where seq = 1`);
  expect(await send(deps, await lease(), refund('R1', 'C1', 'P1'), refund('R2', 'C2', 'P1', '40.00'))).toEqual([
    { refund_id: 'R1', status: 'REFUSED', code: 'REFUND_CLAIM_NOT_FOUND', amount: '0.00' },
    { refund_id: 'R2', status: 'REFUNDED', code: null, amount: '40.00' },
  ]);
  expect(await left(deps)).toBe('410.00');
});

test('a claim is not refunded again where what was given back of it was dropped from the archive', async () => {
  const { deps, owner } = await open();
  const lease = async () => acquire(deps.ledger, 0);
  await send(deps, await lease(), claim('C1', 'P1', '30.00'));
  await send(deps, await lease(), refund('R1', 'C1', 'P1', '30.00'));
  await owner.rows(`delete from outcome where seq = 2`);
  expect(await send(deps, await lease(), refund('R2', 'C1', 'P1'))).toMatchObject([
    { refund_id: 'R2', status: 'REFUSED', code: 'REFUND_CLAIM_NOT_FOUND' },
  ]);
  expect(await left(deps)).toBe('500.00');
});

import { Fenced } from '@repo/ledger';
import type { BatchPart, InputRecord } from '@repo/messaging';
import { withQuarantine } from '@repo/shard-worker';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SettleDeps, settleBatch, settleHeld, settleTogether } from '../../src/settle.ts';
import { account, acquire, load, openSettling, timestampMs } from './shard.fixture.ts';

let opened: SettleDeps[] = [];

/** A ledger with three patients, and one relative whom all of them may draw on. */
async function open(): Promise<SettleDeps> {
  const { deps } = await openSettling(0);
  opened.push(deps);
  await load(
    deps,
    ...['P0', 'P1', 'P2'].map((person) => account(person, '5.00')),
    account('R', '30.00'),
    ...['P0', 'P1', 'P2'].map((beneficiary) => ({
      ...{ ce_type: 'binding.opened', binding_id: `R-${beneficiary}`, payer: 'R', beneficiary, relation: 'CHILD' },
      bound_at: '2025-01-05T09:00:00+08:00',
    })),
  );
  return deps;
}

let deps: SettleDeps;
beforeEach(async () => {
  opened = [];
  deps = await open();
});
afterEach(() => Promise.all(opened.map(({ ledger }) => ledger.close())));

function message(offset: number, type: string, key: string, value: unknown): InputRecord {
  const headers = [['ce_type', Buffer.from(type)]] as const;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { offset: BigInt(offset), key: Buffer.from(key), value: Buffer.from(text), headers, timestampMs };
}
const claim = (offset: number, claimId: string, person: string, amount = '12.00') =>
  message(offset, 'claim.submitted', person, {
    ...{ claim_id: claimId, mdtrt_id: 'M1', psn_no: person, fixmedins_code: 'H1', designated: true, med_type: '11' },
    ...{ fix_blng_admdvs: '210102', setl_time: '2025-03-10T10:00:00+08:00' },
    ...{ medfee_sumamt: amount, fund_pay_sumamt: '0.00', psn_part_amt: amount },
  });
const refund = (offset: number, refundId: string, claimId: string, person: string) =>
  message(offset, 'claim.refunded', person, {
    ...{ refund_id: refundId, claim_id: claimId, psn_no: person, at: '2025-03-10T11:00:00+08:00' },
  });

type Batches = Parameters<typeof settleTogether>[0];
/** The shards 0, 1, 2, each with these messages. */
async function batchesOf({ ledger }: SettleDeps, messages: readonly (readonly InputRecord[])[]): Promise<Batches> {
  const parts: BatchPart[] = [];
  for (const [partition, records] of messages.entries())
    parts.push({ lease: await acquire(ledger, partition), records });
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('at least one shard');
  return [first, ...others];
}

/** Everything a batch may leave, but for moments of the clock. */
async function leftIn({ ledger }: SettleDeps): Promise<unknown[]> {
  const tables = [
    `select topic, partition, next_offset, out_seq, result_seq, dead_seq from shard order by 1, 2`,
    `select topic, partition, seq, dest, dest_seq, key, stamp, payload from outcome join shard using (shard_id) order by 1, 2, 3`,
    `select event_id, content_hash, partition, seq from event_id left join shard using (shard_id) order by 1`,
    `select psn_no, version, kind, counterpart, reference, binding_id, prior_year, current_year, held, prior_year_after,
       current_year_after, on_day, book_day, counted_on from entry order by 1, 2`,
    `select psn_no, version, prior_year, current_year, credits, debits from account order by 1`,
    `select claim_id, partition, seq from claim_refund join shard using (shard_id) order by 1, 3`,
    `select payer, kind, due_on, detail from shard_work order by work_id`,
  ];
  return Promise.all(tables.map((sql) => ledger.rows(sql)));
}

/** Of three shards: one relative for all, a claim that two of them bring, one that cannot be read, refunds, and one that repeats. */
const MIXED = [
  [claim(3, 'C1', 'P0'), claim(4, 'C1', 'P0'), message(5, 'claim.submitted', 'P0', '{')],
  [claim(0, 'C2', 'P1', '14.00'), claim(1, 'C1', 'P1'), refund(2, 'F1', 'C2', 'P1')],
  [claim(9, 'C3', 'P2', '20.00'), refund(10, 'F2', 'C-unknown', 'P2'), claim(11, 'C4', 'P2', '100.00')],
];

test('shards that are settled together leave and publish what they would have one after the other', async () => {
  const others = await open();
  const together = await settleTogether(await batchesOf(deps, MIXED), deps);
  const apart = [];
  for (const { lease, records } of await batchesOf(others, MIXED))
    apart.push(await settleBatch(lease, records, others));
  expect(together).toEqual(apart);
  expect(together.map(({ rows }) => rows.length)).toEqual([2, 4, 3]);
  expect(await leftIn(deps)).toEqual(await leftIn(others));
  const [{ balance } = { balance: '' }] = await deps.ledger.rows<{ balance: string }>(
    `select prior_year as balance from account where psn_no = 'R'`,
  );
  expect(balance, 'what all three drew on is used up').toBe('0.00');
});

test('where one of the shards has another owner, nothing of any of them is done', async () => {
  const batches = await batchesOf(deps, MIXED);
  await acquire(deps.ledger, 1);
  const before = await leftIn(deps);
  await expect(settleTogether(batches, deps)).rejects.toBeInstanceOf(Fenced);
  expect(await leftIn(deps)).toEqual(before);
});

test('two who settle the same shards in another order wait for each other instead of deadlocking', async () => {
  const retries: string[] = [];
  for (let round = 0; round < 5; round++) {
    const offset = round * 10;
    const [first, second] = await batchesOf(deps, [
      [claim(offset, `A${round}`, 'P0', '0.10')],
      [claim(offset, `B${round}`, 'P1', '0.10')],
    ]);
    if (first === undefined || second === undefined) throw new Error('two shards');
    const failpoint = () => new Promise<void>((resolve) => setImmediate(resolve));
    const settled = await Promise.allSettled([
      settleTogether([first, second], { ...deps, failpoint }),
      settleTogether([second, first], { ...deps, failpoint }),
    ]);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const each of settled) if (each.status === 'rejected') retries.push(each.reason.name);
  }
  expect(retries).toEqual(Array.from({ length: 5 }, () => 'Fenced'));
});

test('what is held of one shard stays held, and the others go on', async () => {
  const [first, second] = await batchesOf(deps, [[claim(0, 'C1', 'P0')], [claim(1, 'C2', 'P1'), claim(2, 'C3', 'P2')]]);
  if (first === undefined || second === undefined) throw new Error('two shards');
  const core = {
    apply: (at: typeof first.lease, records: readonly InputRecord[]) => settleBatch(at, records, deps),
    applyHeld: (
      ...[tx, place, records]: Parameters<typeof settleHeld> extends [infer A, infer B, infer C, ...unknown[]]
        ? [A, B, C]
        : never
    ) => settleHeld(tx, place, records, deps),
  };
  const worker = withQuarantine(core, { ledger: deps.ledger, policyOf: deps.policyOf, targets: deps.targets });
  await worker.quarantine?.(second.lease, claim(0, 'C0', 'P1'), new TypeError('a defect'));
  const [one, two] = await settleTogether([first, { ...second, lease: { ...second.lease, nextOffset: 1n } }], deps);
  const claimsOf = (applied: typeof one | undefined) =>
    applied?.rows.map(({ value }) => JSON.parse(String(value)).claim_id);
  expect([claimsOf(one), claimsOf(two)]).toEqual([['C1'], ['C3']]);
  const held = await deps.ledger.rows(
    'select partition, log_offset::int, failure is null as behind from quarantined_message order by 2',
  );
  expect(held).toEqual([
    { partition: 1, log_offset: 0, behind: false },
    { partition: 1, log_offset: 1, behind: true },
  ]);
});

test('where refunds wait for their claims each shard is settled by itself', async () => {
  const batches = await batchesOf(deps, MIXED);
  await expect(settleTogether(batches, { ...deps, refundWaitMs: 1_000 })).rejects.toThrow('no refund waits');
});

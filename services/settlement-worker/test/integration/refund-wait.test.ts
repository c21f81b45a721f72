import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, Fenced, findOutcome, type Ledger } from '@repo/ledger';
import {
  type Applied,
  createProcessor,
  type InputProgress,
  type InputRecord,
  type Lease,
  type LogSession,
} from '@repo/messaging';
import { classify, FULL_SHARE, shardStore } from '@repo/shard-worker';
import { until } from '@repo/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ReadThrough } from '../../src/read-through.ts';
import { expireRefunds, type SettleDeps, settleBatch } from '../../src/settle.ts';
import {
  account,
  acquire,
  claim as claimOf,
  load,
  message,
  openSettling,
  refund as refundOf,
} from './shard.fixture.ts';

let ledger: Ledger;
let deps: SettleDeps;
let lease: Lease;

beforeAll(async () => {
  ({ deps } = await openSettling(60_000));
  ledger = deps.ledger;
  await load(deps, account('P1', '100.00'));
});
afterAll(() => ledger.close());

beforeEach(async () => {
  lease = await acquire(ledger);
});

/** What an id's answer is found to be by it. */
const answerOf = async (id: string) => JSON.parse((await findOutcome(ledger, id, ''))?.payload ?? 'null');

/** Sends messages as the log would, and answers what is published of them. */
async function send(...messages: readonly InputRecord[]) {
  const records = messages.map((record, n) => ({ ...record, offset: lease.nextOffset + BigInt(n) }));
  return answers(await settleBatch(lease, records, deps));
}

function answers({ nextOffset, rows }: Applied) {
  lease = { ...lease, nextOffset };
  return rows.map(({ value }) => {
    const { claim_id, refund_id, status, code, amount } = JSON.parse(String(value));
    return { claim_id, refund_id, status, code, amount };
  });
}

const claim = (claimId: string) => claimOf(claimId, 'P1', '30.00');
const refund = (refundId: string, claimId: string, amount?: string) => refundOf(refundId, claimId, 'P1', amount);

test('a refund before its claim waits for it, and is answered right after it', async () => {
  expect(await send(refund('R1', 'C1', '10.00'))).toEqual([]);
  expect(await send(refund('R2', 'C1'), claim('C1'))).toEqual([
    { claim_id: 'C1', status: 'SETTLED', code: null },
    { claim_id: 'C1', refund_id: 'R1', status: 'REFUNDED', code: null, amount: '10.00' },
    { claim_id: 'C1', refund_id: 'R2', status: 'REFUNDED', code: null, amount: '20.00' },
  ]);
  const [account] = await ledger.rows(`select prior_year, version from account where psn_no = 'P1'`);
  expect(account).toEqual({ prior_year: '100.00', version: '4' });
  expect(await ledger.rows('select * from parked_refund')).toEqual([]);
  for (const [refundId, amount] of [
    ['R1', '10.00'],
    ['R2', '20.00'],
  ])
    expect(await answerOf(`refund:${refundId}`)).toMatchObject({ refund_id: refundId, status: 'REFUNDED', amount });
});

test('the answer of an event is noted once', async () => {
  const again = ledger.rows(`update event_id set seq = 1 where event_id = 'refund:R1'`);
  await expect(again).rejects.toSatisfy((error) => codeOf(error) === '23000');
});

test('a refund that waits is taken once, however often it is sent', async () => {
  expect(await send(refund('R3', 'C3'))).toEqual([]);
  expect(await send(refund('R3', 'C3'))).toEqual([]);
  expect(await send(claim('C3'))).toHaveLength(2);
});

test('where a refund was read is kept of the refund, although it is answered behind another message', async () => {
  const at = lease.nextOffset;
  await send(refund('R30', 'C30'));
  await send(claim('C30'), refund('R31', 'C30'));
  const places = await ledger.rows<{ event_id: string; log_offset: string }>(
    `select event_id, log_offset from event_id where event_id like any(array['claim:C3_', 'refund:R3_']) order by event_id`,
  );
  expect(places).toEqual([
    { event_id: 'claim:C30', log_offset: String(at + 1n) },
    { event_id: 'refund:R30', log_offset: String(at) },
    { event_id: 'refund:R31', log_offset: String(at + 2n) },
  ]);
});

test('a refund whose claim never comes is refused when its time is up', async () => {
  const brief = { ...deps, refundWaitMs: 1 };
  const records = [{ ...refund('R4', 'C4'), offset: lease.nextOffset }];
  expect(answers(await settleBatch(lease, records, brief))).toEqual([]);
  let refused: unknown;
  await until(
    async () => {
      const applied = await expireRefunds(lease, brief);
      if (applied !== null) refused = answers(applied);
      return applied !== null;
    },
    { what: 'the refund to be answered', deadlineMs: 10_000 },
  );
  expect(refused).toEqual([
    { claim_id: 'C4', refund_id: 'R4', status: 'REFUSED', code: 'REFUND_CLAIM_NOT_FOUND', amount: '0.00' },
  ]);
  expect(await answerOf('refund:R4')).toMatchObject({ status: 'REFUSED' });
  expect(await expireRefunds(lease, brief)).toBeNull();
});

test('a refund that waits is answered behind its claim although none is left to wait any more', async () => {
  expect(await send(refund('R40', 'C40', '10.00'))).toEqual([]);
  const records = [{ ...claim('C40'), offset: lease.nextOffset }];
  expect(answers(await settleBatch(lease, records, { ...deps, refundWaitMs: 0 }))).toMatchObject([
    { claim_id: 'C40', status: 'SETTLED' },
    { refund_id: 'R40', status: 'REFUNDED', amount: '10.00' },
  ]);
});

test('a refund that waits was taken by the limits of that time', async () => {
  const late = message('claim.refunded', 'P1', {
    ...{ refund_id: 'R41', claim_id: 'C41', psn_no: 'P1', amount: '10.00', at: '2025-12-31T11:00:00+08:00' },
  });
  expect(await send(late)).toEqual([]);
  const stricter = { ...deps, limits: { ...deps.limits, futureDaysMax: 100 } };
  const records = [{ ...claim('C41'), offset: lease.nextOffset }];
  expect(answers(await settleBatch(lease, records, stricter))).toMatchObject([
    { claim_id: 'C41', status: 'SETTLED' },
    { refund_id: 'R41', status: 'REFUNDED', amount: '10.00' },
  ]);
  expect(await ledger.rows('select * from parked_refund')).toEqual([]);
});

test('a refund is not refused while what the log held when its time was up has not been applied', async () => {
  const readThrough = new ReadThrough();
  let [end, applied] = [7n, 5n];
  const input: InputProgress = { end: async () => end, isApplied: (offset) => applied >= offset };
  const look = () => expireRefunds(lease, deps, FULL_SHARE, () => readThrough.agoMs(lease, input));
  const records = [{ ...refund('R42', 'C42'), offset: lease.nextOffset }];
  expect(answers(await settleBatch(lease, records, { ...deps, refundWaitMs: 1 }))).toEqual([]);
  const isUp = async () => (await ledger.rows('select from parked_refund where until < now()')).length > 0;
  await until(isUp, { what: 'its time to be up', deadlineMs: 10_000 });
  // Asked where the log ends, and then not there yet, although it grows no more; then only the end that was asked for counts.
  for (let nth = 0; nth < 3; nth += 1) expect(await look()).toBeNull();
  [end, applied] = [9n, 7n];
  expect(answers((await look()) as Applied)).toMatchObject([{ refund_id: 'R42', code: 'REFUND_CLAIM_NOT_FOUND' }]);
});

test('a refund whose time is up later than the log was looked at waits for the next look', async () => {
  const readThrough = new ReadThrough();
  const input: InputProgress = { end: async () => 0n, isApplied: () => true };
  expect(readThrough.agoMs(lease, input)).toBeNull();
  await delay(50);
  expect(readThrough.agoMs(lease, input)).toBeGreaterThan(45);
  // Another tenure of the shard begins anew.
  expect(readThrough.agoMs({ ...lease, epoch: lease.epoch + 1n }, input)).toBeNull();
  const away: InputProgress = { end: () => Promise.reject(new Error('no broker')), isApplied: () => true };
  const unheard = new ReadThrough();
  for (let nth = 0; nth < 3; nth += 1) {
    expect(unheard.agoMs(lease, away)).toBeNull();
    await delay(0);
  }
});

test('a claim that came in time is settled before its refund is looked at, although the worker was away until that had expired', async () => {
  const away = await acquire(ledger, 1);
  const parked = [{ ...refund('R43', 'C43'), offset: 0n }];
  await settleBatch(away, parked, { ...deps, refundWaitMs: 1 });
  const isUp = async () => (await ledger.rows('select from parked_refund where until < now()')).length > 0;
  await until(isUp, { what: 'its time to be up', deadlineMs: 10_000 });
  const readThrough = new ReadThrough();
  const published: string[] = [];
  const session: LogSession = {
    bounds: async () => ({ start: 0n, end: 2n, partitions: 1 }),
    ...{ reopen() {}, close() {}, progress() {} },
  };
  const worker = createProcessor({
    ...{ topic: 'claims', owner: 'test', store: shardStore(ledger, deps.targets), classify },
    publisher: {
      ...{ recover: async () => 0n, refresh: async () => {}, release: async () => {} },
      publish: async (_, rows) => {
        for (const { value } of rows) published.push(JSON.parse(String(value)).status);
        return rows.at(-1)?.seq ?? 0n;
      },
    },
    processor: {
      apply: (at, records) => settleBatch(at, records, deps),
      applyIdle: (at, input) => expireRefunds(at, deps, FULL_SHARE, () => readThrough.agoMs(at, input)),
    },
    onHalt: (_, reason) => published.push(reason),
  });
  expect(await worker.acquire(1, session)).toBe(1n);
  // Longer than two looks of a worker that has nothing to do, before the fetch that brings the claim.
  await delay(600);
  const record = { ...claim('C43'), offset: 1n };
  worker.apply(1, [{ offset: 1n, size: 1, read: () => record }], { end: 2n, next: 2n });
  await until(async () => published.length >= 2, { what: 'both to be answered', deadlineMs: 10_000 });
  await worker.release(1);
  expect(published).toEqual(['SETTLED', 'REFUNDED']);
});

test('without waiting a refund is answered at once', async () => {
  const records = [{ ...refund('R5', 'C5'), offset: lease.nextOffset }];
  expect(answers(await settleBatch(lease, records, { ...deps, refundWaitMs: 0 }))).toMatchObject([
    { status: 'REFUSED', code: 'REFUND_CLAIM_NOT_FOUND' },
  ]);
});

test('a batch whose refunds must be looked up is refused when its shard is another’s, and leaves no rejection behind', async () => {
  await send(claim('C-fenced'));
  const stale = lease;
  await ledger.acquireShard(lease.shard, 'another', 1);
  const late = { ...refund('R-fenced', 'C-fenced'), offset: stale.nextOffset };
  // An error that nobody handles would end the process, and fails this run.
  await expect(settleBatch(stale, [late], deps)).rejects.toBeInstanceOf(Fenced);
});

test('at most 10,000 refunds of a shard wait; those beyond are answered at once', async () => {
  await ledger.rows(
    `insert into parked_refund (partition, refund_id, claim_id, log_offset, record_ms, headers, value, until)
     select 0, 'Q' || n, 'never ' || n, n, 0, '[]', '', now() + interval '1 hour' from generate_series(1, 9999) n`,
  );
  expect(await send(refund('R7', 'C7'), refund('R8', 'C7'))).toEqual([
    { claim_id: 'C7', refund_id: 'R8', status: 'REFUSED', code: 'REFUND_CLAIM_NOT_FOUND', amount: '0.00' },
  ]);
  expect(await send(claim('C7'))).toMatchObject([{ status: 'SETTLED' }, { refund_id: 'R7', status: 'REFUNDED' }]);
  expect(await send(refund('R9', 'C9'))).toEqual([]);
});

import { codeOf, Fenced, type Ledger } from '@repo/ledger';
import type { Applied, Batch, InputRecord, Lease } from '@repo/messaging';
import { type Core, withQuarantine } from '@repo/shard-worker';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type SettleDeps, settleBatch, settleHeld, settleTogether } from '../../src/settle.ts';
import { account, acquire, claim as claimOf, load, message, openSettling, refund } from './shard.fixture.ts';

/** Two patients of two shards whom the same relative pays for, who has less than both need; and one of a third who pays alone. */
async function open(): Promise<SettleDeps> {
  const { deps } = await openSettling(60_000);
  onTestFinished(() => deps.ledger.close());
  await load(
    deps,
    ...[account('P0', '10.00'), account('P1', '0.00'), account('P2', '70.00'), account('Q', '25.00')],
    ...[bindingOf('B0', 'P0', 'Q'), bindingOf('B1', 'P1', 'Q')],
  );
  return deps;
}

const bindingOf = (binding_id: string, beneficiary: string, payer: string) => ({
  ...{ ce_type: 'binding.opened', binding_id, payer, beneficiary, relation: 'SPOUSE' },
  bound_at: '2025-01-01T08:00:00+08:00',
});

/** Draws from a seed. */
function drawsOf(seed: number) {
  const numbers = fc.sample(fc.maxSafeNat(), { seed, numRuns: 5_000 }).values();
  const upTo = (most: number): number => (numbers.next().value ?? 0) % (most + 1);
  return { upTo, pick: <T>(items: readonly T[]): T => items[upTo(items.length - 1)] as T };
}

const claim = (claimId: string, person: string, amount = '20.00') => claimOf(claimId, person, amount);

/** Three shards of a worker that begins here, each with these messages. */
async function batchesOf(ledger: Ledger, ...messages: readonly InputRecord[][]): Promise<Batch[]> {
  const leases: Lease[] = [];
  for (const partition of messages.keys()) leases.push(await acquire(ledger, partition));
  return leases.map((lease, i) => ({
    lease,
    records: (messages[i] ?? []).map((record, n) => ({ ...record, offset: lease.nextOffset + BigInt(n) })),
  }));
}

const FIRST = [
  [claim('C1', 'P0'), message('claim.submitted', 'P0', '{'), refund('R1', 'C1', 'P0'), refund('R2', 'C9', 'P0')],
  // The same id with other content, and one that P0's refund gave the relative the money for.
  [claim('C2', 'P1', '24.00'), claim('C1', 'P1')],
  [claim('C3', 'P2'), claim('C3', 'P2')],
];
const SECOND = [[claim('C9', 'P0', '3.00')], [claim('C4', 'P1')], [refund('R3', 'C3', 'P2')]];

/** Everything that the books have. */
const booksOf = ({ ledger }: SettleDeps) =>
  Promise.all(
    [
      'select psn_no, version, prior_year, current_year, held, credits, debits, emptied from account order by psn_no',
      'select psn_no, version, kind, reference, prior_year_after, book_day from entry order by psn_no, version',
      'select event_id, content_hash, seq, shard_id from event_id order by event_id',
      'select shard_id, seq, dest, dest_seq, lead from outcome order by shard_id, seq',
      'select topic, partition, next_offset, out_seq, result_seq, dead_seq from shard order by shard_id',
      'select payer, kind, detail from shard_work order by payer, kind, detail::text',
      'select claim_id, shard_id, seq from claim_refund order by claim_id, seq',
      'select refund_id, claim_id from parked_refund order by refund_id',
    ].map((sql) => ledger.rows(sql)),
  );

test('several shards in one transaction leave what each by itself, one after the other, would have left', async () => {
  const [together, apart] = [await open(), await open()];
  const told: string[] = [];
  for (const messages of [FIRST, SECOND]) {
    const applied = await settleTogether(await batchesOf(together.ledger, ...messages), together);
    const alone: Applied[] = [];
    for (const { lease, records } of await batchesOf(apart.ledger, ...messages))
      alone.push(await settleBatch(lease, records, apart));
    expect(applied).toEqual(alone);
    told.push(...applied.flatMap(({ rows }) => rows.map(({ value }) => String(value))));
  }
  expect(await booksOf(together)).toEqual(await booksOf(apart));
  // So it was not about nothing: money was paid for both by the same relative, and given back; an id was another's; a refund waited.
  const of = (text: string) => told.filter((outcome) => outcome.includes(text)).length;
  expect([of('"SETTLED"'), of('"REFUNDED"'), of('CLAIM_DUPLICATE_CONFLICT'), of('"R2"')]).toEqual([5, 3, 1, 1]);
});

test('so do many batches of families that share their payers, whatever the seed draws', async () => {
  const SEED = 20261128;
  const [together, apart] = [await openSettling(60_000), await openSettling(60_000)].map(({ deps }) => deps) as [
    SettleDeps,
    SettleDeps,
  ];
  onTestFinished(() => together.ledger.close());
  onTestFinished(() => apart.ledger.close());
  const { pick, upTo } = drawsOf(SEED);
  // Patient Pn is of shard n modulo 3; each payer is asked by patients of all three.
  const patients = Array.from({ length: 9 }, (_, n) => `P${n}`);
  const payers = ['Q0', 'Q1', 'Q2'];
  const town = [
    ...patients.map((person) => account(person, `${upTo(60)}.50`)),
    ...payers.map((person) => account(person, `${upTo(400)}.00`, '30.00')),
    ...patients.flatMap((person, n) =>
      [0, 1].map((k) => bindingOf(`B${n}-${k}`, person, payers[(Math.floor(n / 3) + k) % 3] as string)),
    ),
  ];
  for (const deps of [together, apart]) await load(deps, ...town);
  const claims: { readonly id: string; readonly person: string }[] = [];
  const draw = (partition: number): InputRecord => {
    const person = pick(patients.filter((_, n) => n % 3 === partition));
    const before = claims.filter((one) => one.person === person);
    if (before.length > 0 && upTo(4) === 0) return refund(`R${claims.length}-${upTo(99)}`, pick(before).id, person);
    // Now and then a repeat, or another's id.
    const id = claims.length > 0 && upTo(9) === 0 ? pick(claims).id : `C${claims.length}`;
    claims.push({ id, person });
    return claim(id, person, `${upTo(40)}.${10 + upTo(89)}`);
  };
  for (let round = 0; round < 25; round += 1) {
    const messages = [0, 1, 2].map((partition) => Array.from({ length: upTo(7) }, () => draw(partition)));
    const applied = await settleTogether(await batchesOf(together.ledger, ...messages), together);
    const alone: Applied[] = [];
    for (const { lease, records } of await batchesOf(apart.ledger, ...messages))
      alone.push(await settleBatch(lease, records, apart));
    expect(applied, `round ${round}`).toEqual(alone);
  }
  const books = await booksOf(together);
  expect(books).toEqual(await booksOf(apart));
  expect(books[1]?.length).toBeGreaterThan(100);
});

test('where one of them has lost its shard, nothing of any is written, and the others can go on', async () => {
  const deps = await open();
  const batches = await batchesOf(deps.ledger, ...FIRST);
  await acquire(deps.ledger, 1);
  const before = await booksOf(deps);
  await expect(settleTogether(batches, deps)).rejects.toBeInstanceOf(Fenced);
  expect(await booksOf(deps)).toEqual(before);
  for (const { lease, records } of [batches[0], batches[2]] as Batch[])
    expect((await settleBatch(lease, records, deps)).nextOffset).toBe(BigInt(records.length));
});

test('what is held of one shard stays held, and the others are settled', async () => {
  const deps = await open();
  const [first, second, third] = (await batchesOf(
    deps.ledger,
    [claim('C1', 'P0')],
    [claim('C2', 'P1'), claim('C4', 'P1')],
    [claim('C3', 'P2')],
  )) as [Batch, Batch, Batch];
  const core: Core = {
    apply: (lease, records) => settleBatch(lease, records, deps),
    applyTogether: (batches) => settleTogether(batches, deps),
    applyHeld: (tx, place, records) => settleHeld(tx, place, records, deps),
  };
  const { ledger, policyOf, targets } = deps;
  const worker = withQuarantine(core, { ledger, policyOf, targets });
  const [bad, behind] = second.records as [InputRecord, InputRecord];
  await worker.quarantine?.(second.lease, bad, new Error('the worker fails'));
  const lease = { ...second.lease, nextOffset: behind.offset };
  const applied = await worker.applyTogether?.([first, { lease, records: [behind] }, third]);
  expect(applied?.map(({ rows, nextOffset }) => [rows.length, nextOffset])).toEqual([
    [1, 1n],
    [0, 2n],
    [1, 1n],
  ]);
});

test('an account that somebody keeps locked holds several shards up for a moment only', async () => {
  const deps = await open();
  const batches = await batchesOf(deps.ledger, ...FIRST);
  const before = await booksOf(deps);
  await deps.ledger.transact(async (tx) => {
    await tx.lockPersons(['P2']);
    const startedAt = performance.now();
    const failure = await settleTogether(batches, deps).catch(codeOf);
    expect(failure).toBe('55P03');
    // Far less than the two seconds that a shard by itself waits, eight times over.
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
  expect(await booksOf(deps)).toEqual(before);
  // Its connection waits for locks as before, and all of it can be done now.
  expect(await deps.ledger.rows('show lock_timeout')).toEqual([{ lock_timeout: '2s' }]);
  expect(await settleTogether(batches, deps)).toHaveLength(3);
});

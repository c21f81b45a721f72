import { assert, type Books, type CalendarDate, type Contribution, formatMoney, type Money } from '@repo/domain';
import { type BindingChange, writeBindingChanges } from './binding-changes.ts';
import { type OutcomeRow, storedRows } from './outcome-blocks.ts';
import { givenRows, insertRows } from './packed.ts';
import type { LedgerTransaction, LockedShard, ShardLease } from './transaction.ts';
import { writeBindings, writeEntries, writeFacts, writeMoney } from './write-accounts.ts';

/** An outcome with its sequence numbers: in the shard's outbox, and among the results or dead letters of the shard. */
export interface PlacedOutcome extends OutcomeRow {
  readonly seq: bigint;
  readonly destSeq: bigint;
}

export interface WorkItem {
  readonly payer: string;
  readonly kind: 'BALANCE' | 'GRACE';
  readonly dueOn: CalendarDate;
  readonly detail: object;
}

/** An event id that a batch takes. */
export interface EventId {
  readonly id: string;
  readonly contentHash: Buffer;
  /** Index into the batch's outcomes; null = the event has none. */
  readonly outcome: number | null;
  /** The event's offset in the shard's input; null = it entered by a bulk load. */
  readonly offset: bigint | null;
}

/** What a batch writes for its shard: outcomes and what refers to them. */
export interface ShardWrites {
  readonly outcomes: readonly OutcomeRow[];
  readonly ids: readonly EventId[];
  /** Ids that were taken before without an outcome and now have one. */
  readonly answered?: readonly { readonly id: string; readonly outcome: number }[];
  readonly refunds?: readonly { readonly claimId: string; readonly outcome: number }[];
}

/** What a transaction writes to the books: one statement per table, whatever the number of rows. */
export interface BookWrites {
  readonly books: Books;
  readonly held?: readonly { readonly personNo: string; readonly refundId: string; readonly amount: Money }[];
  readonly paidOut?: readonly { readonly personNo: string; readonly refundId: string; readonly amount: Money }[];
  readonly contributions?: readonly Contribution[];
  readonly names?: readonly { readonly personNo: string; readonly name: string }[];
  /** What payers changed in their bindings. */
  readonly changes?: readonly BindingChange[];
  readonly work?: readonly WorkItem[];
  readonly workDone?: readonly bigint[];
  /** Arrears checks to begin, with their members shards. */
  readonly checks?: readonly { readonly checkId: string; readonly on: CalendarDate; readonly partition: number }[];
  /** Persons whose accounts this batch opens, with their members shard. */
  readonly opened?: ReadonlyMap<string, number>;
  /** Whether facts may have changed, not only money. */
  readonly facts: boolean;
}

/** Everything that one batch writes. */
export type BatchWrites = ShardWrites & BookWrites;

/** A shard's part of a transaction: its lease and locked row, its next offset, and its outcomes. */
interface ShardPart {
  readonly lease: ShardLease;
  readonly shard: LockedShard;
  readonly nextOffset: bigint;
  readonly writes: ShardWrites;
}

/** Writes a batch and moves its shard to `nextOffset`. Answers the outcomes with their sequence numbers. */
export function writeBatch(
  tx: LedgerTransaction,
  lease: ShardLease,
  shard: LockedShard,
  nextOffset: bigint,
  writes: BatchWrites,
): PlacedOutcome[] {
  return writeBatches(tx, [{ lease, shard, nextOffset, writes }], writes).flat();
}

/** Writes batches of several shards and moves each to its `nextOffset`. Answers each shard's outcomes with their sequence numbers. */
export function writeBatches(
  tx: LedgerTransaction,
  parts: readonly ShardPart[],
  writes: BookWrites,
): PlacedOutcome[][] {
  const sets = parts.map((part) => ({ ...part, ...place(part.shard, part.writes.outcomes) }));
  writeSets(tx, sets, writes);
  const { given, parameters } = givenRows(
    SHARD_WRITE,
    sets.map(({ lease, shard, nextOffset, placed, resultSeq, deadSeq }) => [
      ...[shard.shardId, nextOffset, shard.outSeq + BigInt(placed.length)],
      ...[resultSeq, deadSeq, lease.publishedSeq],
    ]),
  );
  // Without a further condition: the rows were compared when they were locked, so nothing can have moved them since.
  tx.send(
    `update shard set next_offset = given.next_offset, out_seq = given.out_seq, result_seq = given.result_seq, dead_seq = given.dead_seq,
       published_seq = greatest(shard.published_seq, given.published_seq)
     from ${given} where shard.shard_id = given.shard_id`,
    parameters,
  );
  return sets.map(({ placed }) => placed);
}

const SHARD_WRITE = [
  ['shard_id', 'int'],
  ['next_offset', 'bigint'],
  ['out_seq', 'bigint'],
  ['result_seq', 'bigint'],
  ['dead_seq', 'bigint'],
  ['published_seq', 'bigint'],
] as const;

interface PlacedPart {
  readonly shard: Pick<LockedShard, 'shardId' | 'closedThrough' | 'month'>;
  readonly placed: readonly PlacedOutcome[];
  readonly writes: ShardWrites;
}

/** Writes every table but `shard`. */
export function writeSets(tx: LedgerTransaction, parts: readonly PlacedPart[], writes: BookWrites): void {
  writeOutcomes(tx, parts);
  writeIds(tx, parts);
  for (const part of parts) {
    writeAnswers(tx, part);
    writeRefunds(tx, part);
  }
  writeHeld(tx, writes);
  if (writes.facts) writeFacts(tx, writes);
  // A day is closed for all shards once it is closed for one.
  const closed = parts.flatMap(({ shard: { closedThrough } }) => closedThrough ?? []).toSorted();
  writeEntries(tx, closed.at(-1) ?? null, writes.books.entries);
  writeMoney(tx, writes.books);
  writeBindings(tx, writes.books);
  writeBindingChanges(tx, writes.changes ?? []);
  writeWork(tx, writes);
}

function place(shard: LockedShard, outcomes: readonly OutcomeRow[]) {
  let { outSeq, resultSeq, deadSeq } = shard;
  const placed = outcomes.map((outcome): PlacedOutcome => {
    outSeq += 1n;
    if (outcome.dest === 'R') resultSeq += 1n;
    else deadSeq += 1n;
    return { ...outcome, seq: outSeq, destSeq: outcome.dest === 'R' ? resultSeq : deadSeq };
  });
  return { resultSeq, deadSeq, placed };
}

function writeOutcomes(tx: LedgerTransaction, parts: readonly PlacedPart[]): void {
  tx.copy(
    'outcome',
    ['shard_id', 'month', 'seq', 'dest', 'dest_seq', 'lead', 'stamp', 'key', 'payload'],
    parts.flatMap(({ shard: { shardId, month }, placed }) =>
      storedRows(placed).map((row) => {
        const { seq, dest, destSeq, lead, stamp, key, payload } = row;
        return [shardId, month, seq, dest, destSeq, lead, stamp, key, payload];
      }),
    ),
  );
}

function writeIds(tx: LedgerTransaction, parts: readonly PlacedPart[]): void {
  const ids = parts.flatMap((part) => part.writes.ids.map((id) => ({ id, part })));
  tx.copy(
    'event_id',
    ['event_id', 'content_hash', 'seq', 'log_offset', 'shard_id', 'month'],
    // Sorted, so that two shards that take the same ids wait for each other instead of deadlocking.
    ids
      .sort((a, b) => (a.id.id < b.id.id ? -1 : 1))
      .map(({ id: { id, contentHash, outcome, offset }, part: { shard, placed } }) => {
        const seq = outcome === null ? null : placed[outcome]?.seq;
        return [id, contentHash, seq, offset, shard.shardId, shard.month];
      }),
  );
}

function writeAnswers(
  tx: LedgerTransaction,
  { shard: { month }, placed, writes: { answered = [] } }: PlacedPart,
): void {
  if (answered.length === 0) return;
  const columns = [
    ['event_id', 'text'],
    ['seq', 'bigint'],
  ] as const;
  const { given, parameters } = givenRows(
    columns,
    answered.map(({ id, outcome }) => [id, placed[outcome]?.seq]),
  );
  tx.send(
    `update event_id set seq = given.seq, month = $${parameters.length + 1}::date from ${given} where event_id.event_id = given.event_id`,
    [...parameters, month],
  );
}

function writeRefunds(
  tx: LedgerTransaction,
  { shard: { shardId }, placed, writes: { refunds = [] } }: PlacedPart,
): void {
  const rows = refunds.map(({ claimId, outcome }) => [claimId, shardId, placed[outcome]?.seq]);
  tx.copy('claim_refund', ['claim_id', 'shard_id', 'seq'], rows);
}

function writeHeld(tx: LedgerTransaction, { held = [], paidOut = [] }: BookWrites): void {
  const parts = [
    ['psn_no', 'text'],
    ['refund_id', 'text'],
    ['amount', 'numeric'],
  ] as const;
  const values = (list: readonly { personNo: string; refundId: string; amount: Money }[]) =>
    list.map(({ personNo, refundId, amount }) => [personNo, refundId, formatMoney(amount)]);
  tx.copy(
    'held_refund',
    parts.map(([name]) => name),
    values(held),
  );
  if (paidOut.length === 0) return;
  const { given, parameters } = givenRows(parts, values(paidOut));
  tx.send(
    `update held_refund set paid = paid + given.amount from ${given}
     where held_refund.psn_no = given.psn_no and held_refund.refund_id = given.refund_id`,
    parameters,
  );
}

const WORK_WRITE = [
  ['partition', 'int'],
  ['payer', 'text'],
  ['kind', 'text'],
  ['due_on', 'date'],
  ['detail', 'jsonb'],
] as const;

const WORK_COLUMNS = WORK_WRITE.map(([name]) => name);

function writeWork(tx: LedgerTransaction, { books, work = [], workDone = [], checks = [] }: BookWrites): void {
  insertRows(
    tx,
    'arrears_check',
    [
      ['partition', 'int'],
      ['check_id', 'text'],
      ['on_day', 'date'],
    ],
    checks.map(({ partition, checkId, on }) => [partition, checkId, on]),
    { onConflict: 'on conflict (partition, check_id) do nothing' },
  );
  // A balance matters only where the account pays for somebody, which most do not. A binding in these books shows that.
  const matters = ({ payer, kind }: WorkItem) => kind !== 'BALANCE' || books.bindingsBy(payer).length > 0;
  const rowOf = ({ payer, kind, dueOn, detail }: WorkItem) => {
    const account = tx.accounts.get(payer);
    assert(account !== undefined, 'work is left only for a payer whose account is locked');
    return [account.partition, payer, kind, dueOn, JSON.stringify(detail)];
  };
  tx.copy('shard_work', WORK_COLUMNS, work.filter(matters).map(rowOf));
  insertRows(tx, 'shard_work', WORK_WRITE, work.filter((item) => !matters(item)).map(rowOf), {
    where: 'exists (select from binding where binding.payer = given.payer)',
  });
  if (workDone.length > 0) tx.send(`delete from shard_work where work_id = any($1::bigint[])`, [workDone]);
}

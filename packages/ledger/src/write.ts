import {
  add,
  addDays,
  assert,
  type Books,
  balanceOf,
  type CalendarDate,
  type Contribution,
  compareMoney,
  type Entry,
  formatMoney,
  isNegative,
  MONEY_MAX,
  type Money,
  money,
  negate,
} from '@repo/domain';
import { Fenced } from './errors.ts';
import { givenRows, listColumn, packList } from './packed.ts';
import { BINDING_WRITE, bindingValues, FACT_WRITE, factValues } from './rows.ts';
import type { LedgerTransaction, LockedShard, ShardLease } from './transaction.ts';

/** One record to publish, as it is stored: `stamp` is text that only the writer of outcomes understands. */
export interface OutcomeRow {
  readonly dest: 'R' | 'D';
  readonly key: Buffer | null;
  readonly stamp: string;
  readonly payload: Buffer | null;
}

/** An outcome row with its places: in the shard's outbox, and in its own output partition. */
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

/** Everything one batch leaves behind. Sets are written whole, one statement a table, whatever their size. */
export interface BatchWrites {
  readonly books: Books;
  readonly outcomes: readonly OutcomeRow[];
  /** `outcome` = index into `outcomes`, null = the event had none. */
  readonly ids: readonly { readonly id: string; readonly contentHash: Buffer; readonly outcome: number | null }[];
  readonly refunds?: readonly { readonly claimId: string; readonly outcome: number }[];
  readonly held?: readonly { readonly personNo: string; readonly refundId: string; readonly amount: Money }[];
  readonly paidOut?: readonly { readonly personNo: string; readonly refundId: string; readonly amount: Money }[];
  readonly contributions?: readonly Contribution[];
  readonly names?: readonly { readonly personNo: string; readonly name: string }[];
  readonly work?: readonly WorkItem[];
  readonly workDone?: readonly bigint[];
  /** Arrears checks to begin on these members shards. */
  readonly checks?: readonly { readonly checkId: string; readonly on: CalendarDate; readonly partition: number }[];
  /** Persons that this batch opened, and their members shard. */
  readonly opened?: ReadonlyMap<string, number>;
  /** Facts may have changed, not only money. */
  readonly facts: boolean;
}

/** Writes a batch and moves its shard on. Answers the outcome rows with their sequence numbers. */
export async function writeBatch(
  tx: LedgerTransaction,
  lease: ShardLease,
  shard: LockedShard,
  nextOffset: bigint,
  writes: BatchWrites,
): Promise<PlacedOutcome[]> {
  const { resultSeq, deadSeq, placed } = place(shard, writes.outcomes);
  await writeSets(tx, shard, placed, writes);
  const outSeq = shard.outSeq + BigInt(placed.length);
  const moved = await tx.rows(
    `update shard set next_offset = $5, out_seq = $6, result_seq = $7, dead_seq = $8,
       published_seq = greatest(published_seq, $9)
     where topic = $1 and partition = $2 and epoch = $3 and next_offset = $4 returning 1`,
    [
      lease.shard.topic,
      lease.shard.partition,
      lease.epoch,
      lease.nextOffset,
      nextOffset,
      outSeq,
      resultSeq,
      deadSeq,
      lease.publishedSeq,
    ],
  );
  if (moved.length !== 1) throw new Fenced('the shard moved under its own lock');
  return placed;
}

/** Every table but the shard's own, whose row says where the batch stands. */
export async function writeSets(
  tx: LedgerTransaction,
  shard: Pick<LockedShard, 'shardId' | 'closedThrough'>,
  placed: readonly PlacedOutcome[],
  writes: BatchWrites,
): Promise<void> {
  await writeOutcomes(tx, shard.shardId, placed);
  await writeIds(tx, shard.shardId, placed, writes.ids);
  await writeRefunds(tx, shard.shardId, placed, writes);
  if (writes.facts) await writeFacts(tx, writes);
  await writeEntries(tx, shard, writes.books.entries);
  await writeMoney(tx, writes.books);
  await writeBindings(tx, writes.books);
  await writeUsage(tx, writes.books);
  await writeWork(tx, writes);
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

/** An insert of one row per element, each column as one list: one statement and a handful of parameters for any size. */
async function insert(
  tx: LedgerTransaction,
  table: string,
  columns: readonly (readonly [name: string, type: string])[],
  rows: readonly (readonly unknown[])[],
  options: { constants?: Readonly<Record<string, string>>; onConflict?: string; where?: string } = {},
): Promise<void> {
  if (rows.length === 0) return;
  const constants = Object.entries(options.constants ?? {});
  const names = [...columns.map(([name]) => name), ...constants.map(([name]) => name)];
  const values = [...columns.map(([name]) => name), ...constants.map(([, value]) => value)];
  const { given, parameters } = givenRows(columns, rows);
  const where = options.where === undefined ? '' : `where ${options.where}`;
  await tx.rows(
    `insert into ${table} (${names}) select ${values} from ${given} ${where} ${options.onConflict ?? ''}`,
    parameters,
  );
}

const MONTH = `date_trunc('month', now())::date`;

/** Keys and payloads go as one block of bytes, cut by the server: an array of bytes would be written out in hexadecimal. */
async function writeOutcomes(tx: LedgerTransaction, shardId: number, placed: readonly PlacedOutcome[]): Promise<void> {
  if (placed.length === 0) return;
  const bytes: Buffer[] = [];
  let at = 1;
  const cut = (part: Buffer | null): [number, number | null] => {
    if (part === null) return [at, null];
    bytes.push(part);
    at += part.length;
    return [at - part.length, part.length];
  };
  const rows = placed.map((row) => [row.seq, row.dest, row.destSeq, row.stamp, ...cut(row.key), ...cut(row.payload)]);
  const columns = ['bigint', 'text', 'bigint', 'text', 'int', 'int', 'int', 'int'].map((type, i) =>
    listColumn(`$${i + 2}`, type),
  );
  await tx.rows(
    `insert into outcome (shard_id, month, seq, dest, dest_seq, stamp, key, payload)
     select ${shardId}, ${MONTH}, seq, dest, dest_seq, stamp, substring($1::bytea from key_at for key_length),
       substring($1::bytea from payload_at for payload_length)
     from unnest(${columns}) as given (seq, dest, dest_seq, stamp, key_at, key_length, payload_at, payload_length)`,
    [Buffer.concat(bytes), ...columns.map((_, i) => packList(rows.map((row) => row[i])))],
  );
}

const writeIds = (tx: LedgerTransaction, shardId: number, placed: readonly PlacedOutcome[], ids: BatchWrites['ids']) =>
  insert(
    tx,
    'event_id',
    [
      ['event_id', 'text'],
      ['content_hash', 'bytea'],
      ['seq', 'bigint'],
    ],
    // In one order for all, so that two shards taking the same ids wait for each other instead of deadlocking.
    [...ids]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, contentHash, outcome }) => [
        id,
        `\\x${contentHash.toString('hex')}`,
        outcome === null ? null : placed[outcome]?.seq,
      ]),
    { constants: { shard_id: String(shardId), month: MONTH } },
  );

async function writeRefunds(
  tx: LedgerTransaction,
  shardId: number,
  placed: readonly PlacedOutcome[],
  { refunds = [], held = [], paidOut = [] }: BatchWrites,
): Promise<void> {
  const columns = [
    ['claim_id', 'text'],
    ['seq', 'bigint'],
  ] as const;
  const rows = refunds.map(({ claimId, outcome }) => [claimId, placed[outcome]?.seq]);
  await insert(tx, 'claim_refund', columns, rows, { constants: { shard_id: String(shardId) } });
  const parts = [
    ['psn_no', 'text'],
    ['refund_id', 'text'],
    ['amount', 'numeric'],
  ] as const;
  const values = (list: readonly { personNo: string; refundId: string; amount: Money }[]) =>
    list.map(({ personNo, refundId, amount }) => [personNo, refundId, formatMoney(amount)]);
  await insert(tx, 'held_refund', parts, values(held));
  if (paidOut.length === 0) return;
  const { given, parameters } = givenRows(parts, values(paidOut));
  await tx.rows(
    `update held_refund set paid = paid + given.amount from ${given}
     where held_refund.psn_no = given.psn_no and held_refund.refund_id = given.refund_id`,
    parameters,
  );
}

async function writeFacts(tx: LedgerTransaction, writes: BatchWrites): Promise<void> {
  const { books, opened, contributions = [], names = [] } = writes;
  const persons = [...books.changedPersons].flatMap((personNo) => books.person(personNo) ?? []);
  const fresh = persons.filter(({ personNo }) => opened?.has(personNo));
  const known = persons.filter(({ personNo }) => !opened?.has(personNo));
  await insert(
    tx,
    'account',
    [...FACT_WRITE, ['partition', 'int']],
    fresh.map((person) => {
      const partition = opened?.get(person.personNo) ?? 0;
      tx.accounts.set(person.personNo, {
        partition,
        version: 0n,
        held: '0.00',
        credits: '0.00',
        debits: '0.00',
      });
      return [...factValues(person), partition];
    }),
  );
  if (known.length > 0) {
    const sets = FACT_WRITE.slice(1).map(([name]) => `${name} = given.${name}`);
    const { given, parameters } = givenRows(FACT_WRITE, known.map(factValues));
    await tx.rows(`update account set ${sets} from ${given} where account.psn_no = given.psn_no`, parameters);
  }
  await insert(
    tx,
    'contribution',
    [
      ['psn_no', 'text'],
      ['period', 'text'],
      ['due_date', 'date'],
      ['paid', 'boolean'],
    ],
    contributions.map(({ personNo, period, dueDate, paid }) => [personNo, period, dueDate, paid]),
    { onConflict: 'on conflict (psn_no, period) do update set due_date = excluded.due_date, paid = excluded.paid' },
  );
  await writeNames(tx, new Map(names.map(({ personNo, name }) => [personNo, name])));
}

/** In two statements: `do update set … = excluded.…` would need the right to read names, which this role does not have. */
async function writeNames(tx: LedgerTransaction, names: ReadonlyMap<string, string>): Promise<void> {
  if (names.size === 0) return;
  const columns = [
    ['psn_no', 'text'],
    ['psn_name', 'text'],
  ] as const;
  const { given, parameters } = givenRows(columns, [...names]);
  await tx.rows(
    `update person_name set psn_name = given.psn_name from ${given} where person_name.psn_no = given.psn_no`,
    parameters,
  );
  await insert(tx, 'person_name', columns, [...names], { onConflict: 'on conflict (psn_no) do nothing' });
}

const ENTRY_WRITE = [
  ['psn_no', 'text'],
  ['version', 'bigint'],
  ['kind', 'text'],
  ['counterpart', 'text'],
  ['reference', 'text'],
  ['binding_id', 'text'],
  ['prior_year', 'numeric'],
  ['current_year', 'numeric'],
  ['held', 'numeric'],
  ['prior_year_after', 'numeric'],
  ['current_year_after', 'numeric'],
  ['on_day', 'date'],
  ['book_day', 'date'],
] as const;

/** Appends the entries, each with its account's next version, on its own day or the first one still open. */
async function writeEntries(
  tx: LedgerTransaction,
  shard: Pick<LockedShard, 'closedThrough'>,
  entries: readonly Entry[],
): Promise<void> {
  const firstOpen = shard.closedThrough === null ? null : addDays(shard.closedThrough, 1);
  const rows = entries.map((entry) => {
    const account = tx.accounts.get(entry.personNo);
    assert(account !== undefined, 'an entry is written only under its account lock');
    const version = account.version + 1n;
    const moved = add(balanceOf(entry), entry.held);
    tx.accounts.set(entry.personNo, {
      ...account,
      version,
      held: formatMoney(add(money(account.held), entry.held)),
      credits: isNegative(moved) ? account.credits : formatMoney(add(money(account.credits), moved)),
      debits: isNegative(moved) ? formatMoney(add(money(account.debits), negate(moved))) : account.debits,
    });
    return [
      entry.personNo,
      version,
      entry.kind,
      entry.counterpart,
      entry.reference,
      entry.bindingId,
      formatMoney(entry.priorYear),
      formatMoney(entry.currentYear),
      formatMoney(entry.held),
      formatMoney(entry.after.priorYear),
      formatMoney(entry.after.currentYear),
      entry.on,
      firstOpen !== null && entry.on < firstOpen ? firstOpen : entry.on,
    ];
  });
  await insert(tx, 'entry', ENTRY_WRITE, rows);
}

const MONEY_WRITE = [
  ['psn_no', 'text'],
  ['version', 'bigint'],
  ['year', 'int'],
  ['prior_year', 'numeric'],
  ['current_year', 'numeric'],
  ['held', 'numeric'],
  ['credits', 'numeric'],
  ['debits', 'numeric'],
] as const;

/** Balances after the batch, absolute: the rows have been locked since they were read. */
async function writeMoney(tx: LedgerTransaction, books: Books): Promise<void> {
  const moved = [...new Set(books.entries.map(({ personNo }) => personNo))];
  if (moved.length === 0) return;
  const rows = moved.map((personNo) => {
    const account = tx.accounts.get(personNo);
    const purse = books.person(personNo)?.purse;
    assert(account !== undefined && purse != null, 'money moves only in accounts that are locked');
    assert(compareMoney(balanceOf(purse), MONEY_MAX) <= 0, 'a balance fits the national interface');
    const { version, held, credits, debits } = account;
    return [
      personNo,
      version,
      purse.year,
      formatMoney(purse.priorYear),
      formatMoney(purse.currentYear),
      held,
      credits,
      debits,
    ];
  });
  const sets = MONEY_WRITE.slice(1).map(([name]) => `${name} = given.${name}`);
  const { given, parameters } = givenRows(MONEY_WRITE, rows);
  await tx.rows(`update account set ${sets} from ${given} where account.psn_no = given.psn_no`, parameters);
}

async function writeBindings(tx: LedgerTransaction, books: Books): Promise<void> {
  const changed = [...books.changedBindings].flatMap((bindingId) => books.binding(bindingId) ?? []);
  await insert(
    tx,
    'binding',
    BINDING_WRITE,
    changed.sort((a, b) => (a.bindingId < b.bindingId ? -1 : 1)).map(bindingValues),
    {
      onConflict: `on conflict (payer, binding_id) do update set ${BINDING_WRITE.slice(5).map(
        ([name]) => `${name} = excluded.${name}`,
      )}`,
    },
  );
}

const USAGE_WRITE = [
  ['payer', 'text'],
  ['binding_id', 'text'],
  ['on_day', 'date'],
  ['amount', 'numeric'],
] as const;

/**
 * What returned more than was used in this batch was used in an earlier one, so its row is there: a plain update, since an upsert
 * would first check the negative change itself against the table's constraint.
 */
async function writeUsage(tx: LedgerTransaction, books: Books): Promise<void> {
  const changes = [...books.usageChanges.values()].map(({ bindingId, on, amount }) => ({
    back: isNegative(amount),
    row: [books.binding(bindingId)?.payer, bindingId, on, formatMoney(amount)],
  }));
  const used = changes.filter(({ back }) => !back).map(({ row }) => row);
  await insert(tx, 'binding_usage', USAGE_WRITE, used, {
    onConflict: 'on conflict (payer, binding_id, on_day) do update set amount = binding_usage.amount + excluded.amount',
  });
  const back = changes.filter((change) => change.back).map(({ row }) => row);
  if (back.length === 0) return;
  const { given, parameters } = givenRows(USAGE_WRITE, back);
  const moved = await tx.rows(
    `update binding_usage set amount = binding_usage.amount + given.amount from ${given}
     where (binding_usage.payer, binding_usage.binding_id, binding_usage.on_day) = (given.payer, given.binding_id, given.on_day)
     returning 1`,
    parameters,
  );
  assert(moved.length === back.length, 'what is given back of a day was used on it');
}

async function writeWork(tx: LedgerTransaction, { work = [], workDone = [], checks = [] }: BatchWrites): Promise<void> {
  await insert(
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
  await insert(
    tx,
    'shard_work',
    [
      ['partition', 'int'],
      ['payer', 'text'],
      ['kind', 'text'],
      ['due_on', 'date'],
      ['detail', 'jsonb'],
    ],
    // A balance matters only to someone's payer: most accounts that run dry are nobody's.
    work.map(({ payer, kind, dueOn, detail }) => [
      tx.accounts.get(payer)?.partition,
      payer,
      kind,
      dueOn,
      JSON.stringify(detail),
    ]),
    { where: `kind <> 'BALANCE' or exists (select from binding where binding.payer = given.payer)` },
  );
  if (workDone.length > 0) await tx.rows(`delete from shard_work where work_id = any($1::bigint[])`, [workDone]);
}

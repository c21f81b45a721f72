import { assert, type CalendarDate, date } from '@repo/domain';
import type { Ledger } from './ledger.ts';
import type { RowSource } from './reads.ts';

/** The partitioned tables, which grow with every settlement: the column that partitions each, and the primary key of its partitions. */
const PARTED = {
  outcome: { by: 'month', key: '(shard_id, seq)' },
  entry: { by: 'book_day', key: '(psn_no, version)' },
} as const;
export type PartedTable = keyof typeof PARTED;
const NAMES = Object.keys(PARTED) as PartedTable[];

/** A calendar month as YYYY-MM, such as 2026-11. */
export type Month = string;

/** A partition. The BEGINNING may hold all time up to its end; the NET (default partition) holds what belongs to no other. */
export interface Partition {
  readonly table: PartedTable;
  readonly name: string;
  readonly kind: 'MONTH' | 'BEGINNING' | 'NET';
  /** The last month it holds; null for the net. */
  readonly month: Month | null;
  readonly archived: boolean;
  /** The server's estimate of its rows; null where the server has not analysed it yet. */
  readonly rows: number | null;
  /** Size on disk, with indexes. */
  readonly bytes: number;
}

interface Row {
  readonly parent: PartedTable;
  readonly name: string;
  readonly schema: string;
  readonly bound: string;
  readonly rows: number;
  readonly bytes: string;
}

/** Every partition, attached or archived, in order of time, the nets last. Needs no right but on the archive's schema. */
export async function findPartitions(source: RowSource): Promise<Partition[]> {
  const rows = await source.rows<Row>(
    `select parent.relname as parent, part.relname as name, nspname as schema, pg_get_expr(part.relpartbound, part.oid) as bound,
       part.reltuples::float8 as rows, pg_total_relation_size(part.oid) as bytes
     from pg_inherits join pg_class as parent on parent.oid = inhparent join pg_class as part on part.oid = inhrelid
       join pg_namespace on pg_namespace.oid = parent.relnamespace
     where nspname in ('public', 'archive') and parent.relname = any($1::text[]) and parent.relkind = 'p'`,
    [NAMES],
  );
  return rows.map(toPartition).sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

const placeOf = ({ month, table, kind }: Partition): string => `${month ?? '9999'} ${kind} ${table}`;

function toPartition({ parent: table, name, schema, bound, rows, bytes }: Row): Partition {
  const [, from, to] = /^FOR VALUES FROM \((MINVALUE|'[\d-]+')\) TO \('(\d{4}-\d\d-01)'\)$/.exec(bound) ?? [];
  return {
    table,
    name,
    kind: to === undefined ? 'NET' : from === 'MINVALUE' ? 'BEGINNING' : 'MONTH',
    month: to === undefined ? null : addMonths(to.slice(0, 7), -1),
    archived: schema === 'archive',
    rows: rows < 0 ? null : rows,
    bytes: Number(bytes),
  };
}

const IS_MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** Whether a text is a month, YYYY-MM. */
export const isMonth = (text: string): text is Month => IS_MONTH.test(text);

/** The month `count` months later; earlier where negative. Throws where `month` is none. */
export function addMonths(month: Month, count: number): Month {
  const [, year, number] = IS_MONTH.exec(month) ?? [];
  assert(year !== undefined && number !== undefined, 'a month has the form YYYY-MM');
  const months = Number(year) * 12 + Number(number) - 1 + count;
  return `${String(Math.floor(months / 12)).padStart(4, '0')}-${String((months % 12) + 1).padStart(2, '0')}`;
}

const firstDay = (month: Month): CalendarDate => date(`${month}-01`);

/** The current month by the database's clock, under which outcomes are stored. */
export async function currentMonth(source: RowSource): Promise<Month> {
  const [row] = await source.rows<{ month: Month }>(`select to_char(now(), 'YYYY-MM') as month`, []);
  assert(row !== undefined, 'the server knows the time');
  return row.month;
}

/** For how many months after the current one both tables have partitions without a gap. */
export async function monthsAhead(source: RowSource): Promise<number> {
  const [partitions, now] = [await findPartitions(source), await currentMonth(source)];
  for (let ahead = 0; ; ahead++) if (missingFor(partitions, addMonths(now, ahead + 1)).length > 0) return ahead;
}

/** The tables that have no partition, attached or archived, for this month. */
const missingFor = (partitions: readonly Partition[], month: Month): PartedTable[] =>
  NAMES.filter(
    (table) =>
      !partitions.some(
        (part) =>
          part.table === table &&
          part.month !== null &&
          (part.kind === 'MONTH' ? part.month === month : part.month >= month),
      ),
  );

/** A partition that does not exist yet, and how many of its rows are in the net. */
export interface MissingPartition {
  readonly table: PartedTable;
  readonly name: string;
  readonly month: Month;
  readonly waiting: number;
}

/** The partitions that are missing for the months `from` to `through`, inclusive. */
export async function missingPartitions(
  source: RowSource,
  { from, through }: { readonly from: Month; readonly through: Month },
): Promise<MissingPartition[]> {
  const partitions = await findPartitions(source);
  const missing: MissingPartition[] = [];
  for (let month = from; month <= through; month = addMonths(month, 1)) {
    for (const table of missingFor(partitions, month)) {
      const [row] = await source.rows<{ waiting: string }>(
        `select count(*) as waiting from ${table}_default where ${PARTED[table].by} >= $1 and ${PARTED[table].by} < $2`,
        [firstDay(month), firstDay(addMonths(month, 1))],
      );
      missing.push({ table, month, name: nameOf(table, month), waiting: Number(row?.waiting) });
    }
  }
  return missing;
}

const nameOf = (table: PartedTable, month: Month): string => `${table}_${month.replace('-', '_')}`;

/** Bounds and condition, as SQL, of a partition's rows. */
function boundOf({ table, month, kind }: Pick<Partition, 'table' | 'month' | 'kind'>) {
  assert(month !== null, 'the net has no bounds');
  const { by } = PARTED[table];
  const [from, to] = [firstDay(month), firstDay(addMonths(month, 1))];
  return kind === 'BEGINNING'
    ? { values: `from (minvalue) to ('${to}')`, condition: `${by} < '${to}'` }
    : { values: `from ('${from}') to ('${to}')`, condition: `${by} >= '${from}' and ${by} < '${to}'` };
}

/**
 * Creates a partition and moves the net's rows of that month into it. Postings go on; only rows bound for the net wait meanwhile. Needs a
 * ledger opened as the owner.
 */
export function createPartition(ledger: Ledger, { table, month, name }: MissingPartition): Promise<void> {
  const { values, condition } = boundOf({ table, month, kind: 'MONTH' });
  return ledger.transact(async (tx) => {
    const run = (sql: string) => tx.rows(sql, []);
    // Locked first, so that nobody who holds the net waits for a lock of this transaction.
    await run(`lock table ${table}_default in access exclusive mode`);
    await run(
      `create table ${name} (like ${table} including defaults including constraints including storage, constraint pk_${name} primary key ${PARTED[table].key})`,
    );
    await run(
      `with found as (delete from ${table}_default where ${condition} returning *) insert into ${name} select * from found`,
    );
    await run(`alter table ${table} attach partition ${name} for values ${values}`);
    await run(leaveOpen(name));
  });
}

/**
 * SQL that removes, in a partition's BRIN indexes, the summary of the block range to which rows will be added. Building an index creates
 * it, and then every added row would update it; without it the range is summarised once, by a vacuum after it is full.
 */
const leaveOpen = (partition: string): string =>
  `select brin_desummarize_range(indexrelid, greatest(pg_relation_size(indrelid) / current_setting('block_size')::int - 1, 0))
   from pg_index join pg_class as brin on brin.oid = indexrelid join pg_am on pg_am.oid = brin.relam
   where amname = 'brin' and indrelid = '${partition}'::regclass`;

/** How many months after the current one `createAhead` provides for. */
const AHEAD = 3;

/** Creates the missing partitions of the current month and of those ahead. */
export async function createAhead(ledger: Ledger): Promise<void> {
  const from = await currentMonth(ledger);
  for (const missing of await missingPartitions(ledger, { from, through: addMonths(from, AHEAD) }))
    await createPartition(ledger, missing);
}

/** Why a month cannot be moved. */
export type Refusal = 'NOT_THERE' | 'NOT_OVER' | 'NOT_CLOSED' | 'NOT_PUBLISHED';

/** The partitions that end with a month, and why they cannot be archived; null where they can. */
export async function archivable(
  source: RowSource,
  month: Month,
): Promise<{ readonly partitions: readonly Partition[]; readonly refusal: Refusal | null }> {
  const found = await findPartitions(source);
  const partitions = found.filter((part) => part.month === month && !part.archived);
  const outcomes = partitions.find(({ table }) => table === 'outcome');
  if (partitions.length === 0) return { partitions, refusal: 'NOT_THERE' };
  // A batch that began before midnight may still commit. One day is more than any batch takes and than time zones differ.
  const [row] = await source.rows<{ over: boolean; closed: boolean }>(
    `select now() > $1::date + interval '1 day' as over,
       coalesce((select min(coalesce(closed_through, '-infinity')) >= $1::date - 1 from shard), false) as closed`,
    [firstDay(addMonths(month, 1))],
  );
  if (!row?.over) return { partitions, refusal: 'NOT_OVER' };
  if (!row.closed) return { partitions, refusal: 'NOT_CLOSED' };
  const waiting =
    outcomes === undefined
      ? []
      : await source.rows(
          `select from shard where exists (select from ${outcomes.name} as stored
             where stored.shard_id = shard.shard_id and seq > published_seq) limit 1`,
          [],
        );
  return { partitions, refusal: waiting.length > 0 ? 'NOT_PUBLISHED' : null };
}

/** A month could not be archived or restored, for a reason that may have arisen since it was looked at. */
export class NotArchivable extends Error {
  override readonly name = 'NotArchivable';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`the month cannot be archived: ${refusal}`);
    this.refusal = refusal;
  }
}

/**
 * Proves with a check constraint that a partition holds its months and nothing else, so that moving it need not read it. Others go on
 * meanwhile. Needs a ledger opened as the owner.
 */
export async function proveBounds(ledger: Ledger, part: Partition): Promise<void> {
  const constraint = `ck_${part.name}_bounds`;
  const [known] = await ledger.rows('select from pg_constraint where conname = $1 and convalidated', [constraint]);
  if (known !== undefined) return;
  await ledger.transact(async (tx) => {
    await tx.rows(`alter table ${part.name} drop constraint if exists ${constraint}`, []);
    await tx.rows(
      `alter table ${part.name} add constraint ${constraint} check (${boundOf(part).condition}) not valid`,
      [],
    );
  });
  await ledger.rows(`alter table ${part.name} validate constraint ${constraint}`);
}

/**
 * Moves a month's partitions to the archive in one transaction, so that every reader always finds each row in exactly one place. Not by
 * DETACH CONCURRENTLY: between its steps a refund would find the row in neither. Waits for batches and readers under way and holds up the
 * next ones, at most for the connection's lock timeout. Throws `NotArchivable`, or 55P03 where readers stay too long.
 */
export function archivePartitions(ledger: Ledger, month: Month): Promise<void> {
  return ledger.transact(async (tx) => {
    await tx.rows('lock table shard in exclusive mode', []);
    const { partitions, refusal } = await archivable(tx, month);
    if (refusal !== null) throw new NotArchivable(refusal);
    await move(tx, partitions, { from: 'public', to: 'archive' });
  });
}

/** Moves an archived month's partitions back to the tables that are written to. Throws `NotArchivable` where there are none. */
export function restorePartitions(ledger: Ledger, month: Month): Promise<void> {
  return ledger.transact(async (tx) => {
    await tx.rows('lock table shard in exclusive mode', []);
    const found = await findPartitions(tx);
    const partitions = found.filter((part) => part.month === month && part.archived);
    if (partitions.length === 0) throw new NotArchivable('NOT_THERE');
    await move(tx, partitions, { from: 'archive', to: 'public' });
  });
}

async function move(
  tx: RowSource,
  partitions: readonly Partition[],
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const part of partitions) {
    const { table, name } = part;
    await tx.rows(`alter table ${from}.${table} detach partition ${from}.${name}`, []);
    await tx.rows(`alter table ${from}.${name} set schema ${to}`, []);
    await tx.rows(`alter table ${to}.${table} attach partition ${to}.${name} for values ${boundOf(part).values}`, []);
  }
}

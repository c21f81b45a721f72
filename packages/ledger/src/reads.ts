import { type Binding, type CalendarDate, type Money, money, type Period, type Person } from '@repo/domain';
import type { Ledger, ShardKey } from './ledger.ts';
import { payloadText } from './outcome-blocks.ts';
import { ACCOUNT_COLUMNS, type AccountRow, BINDING_COLUMNS, type BindingRow, toBinding, toPerson } from './rows.ts';
import { Session } from './session.ts';

/** Something that runs a statement: a ledger (outside any transaction), a transaction or a snapshot. */
export interface RowSource {
  rows<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]>;
}

/** A person as stored, with the facts that the domain does not use. */
export interface StoredPerson {
  readonly person: Person;
  readonly name: string | null;
  readonly unpaidPeriods: readonly Period[];
}

/** The outcome stored for an id, as published, and those of its refunds, in order. */
export interface StoredOutcome {
  readonly contentHash: Buffer;
  readonly payload: string;
  readonly refunds: readonly string[];
}

/** Runs several reads on one state of the database, in a read-only transaction. */
export const readSnapshot = <T>(ledger: Ledger, work: (snapshot: RowSource) => Promise<T>): Promise<T> =>
  Session.run(ledger.orm, 'isolation level repeatable read read only', work);

/** A person by number, with name and unpaid months (YYYY-MM, ascending); undefined where unknown. */
export async function findPerson(source: RowSource, personNo: string): Promise<StoredPerson | undefined> {
  const [row] = await source.rows<AccountRow & { psn_name: string | null; unpaid: Period[] }>(
    `select ${ACCOUNT_COLUMNS}, (select psn_name from person_name where person_name.psn_no = account.psn_no),
       array(select period from contribution where contribution.psn_no = account.psn_no and not paid order by period) as unpaid
     from account where psn_no = $1`,
    [personNo],
  );
  return row === undefined ? undefined : { person: toPerson(row), name: row.psn_name, unpaidPeriods: row.unpaid };
}

/** At most `limit` persons with numbers above `after`, ascending, to read everyone in pieces. */
export async function findPersonsAfter(source: RowSource, after: string, limit: number): Promise<Person[]> {
  const rows = await source.rows<AccountRow>(
    `select ${ACCOUNT_COLUMNS} from account where psn_no > $1 order by psn_no limit $2`,
    [after, limit],
  );
  return rows.map(toPerson);
}

/** Those of these persons who are insured in an area whose code begins with one of `areas`. */
export async function findInsuredIn(
  source: RowSource,
  personNos: readonly string[],
  areas: readonly string[],
): Promise<string[]> {
  const rows = await source.rows<{ psn_no: string }>(
    'select psn_no from account where psn_no = any($1::text[]) and insu_admdvs ^@ any($2::text[])',
    [personNos, areas],
  );
  return rows.map(({ psn_no }) => psn_no);
}

/** The persons a list is limited to: those named, and everyone insured in an area whose code begins with one of `areas`. */
export interface PersonRange {
  readonly persons: readonly string[];
  readonly areas: readonly string[];
}

/** A condition on a table's `psn_no`, with the parameters numbered `first` and `first + 1`; empty where the list is about everyone. */
export const inRange = (
  table: string,
  of: PersonRange | null | undefined,
  first: number,
): { condition: string; values: unknown[] } =>
  of == null
    ? { condition: '', values: [] }
    : {
        condition: `and (${table}.psn_no = any($${first}::text[]) or exists (select from account
          where account.psn_no = ${table}.psn_no and insu_admdvs ^@ any($${first + 1}::text[])))`,
        values: [of.persons, of.areas],
      };

async function findPersons(source: RowSource, personNos: Iterable<string>): Promise<Person[]> {
  const rows = await source.rows<AccountRow>(`select ${ACCOUNT_COLUMNS} from account where psn_no = any($1::text[])`, [
    [...new Set(personNos)],
  ]);
  return rows.map(toPerson);
}

/**
 * At most `limit` bindings of a payer, of a beneficiary, or of both, by ascending id, those after the id `after`. Payer and beneficiary
 * have an index each.
 */
export async function findBindings(
  source: RowSource,
  asked: {
    readonly payer?: string | undefined;
    readonly beneficiary?: string | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  },
): Promise<Binding[]> {
  const { payer, beneficiary, after = '', limit } = asked;
  const given = Object.entries({ payer, beneficiary }).filter(([, person]) => person !== undefined);
  const rows = await source.rows<BindingRow>(
    `select ${BINDING_COLUMNS} from binding
     where binding_id > $1 ${given.map(([column], i) => `and ${column} = $${i + 3}`).join(' ')}
     order by binding_id limit $2`,
    [after, limit, ...given.map(([, person]) => person)],
  );
  return rows.map(toBinding);
}

/** Bindings by their ids, in no order. */
export async function findBindingsById(source: RowSource, bindingIds: readonly string[]): Promise<Binding[]> {
  if (bindingIds.length === 0) return [];
  const rows = await source.rows<BindingRow>(
    `select ${BINDING_COLUMNS} from binding where binding_id = any($1::text[])`,
    [bindingIds],
  );
  return rows.map(toBinding);
}

/** The outcome stored for an event id, read in one statement; undefined where the id is unknown or has no outcome of its own. */
export async function findOutcome(
  source: RowSource,
  eventId: string,
  claimId: string,
): Promise<StoredOutcome | undefined> {
  const [row] = await source.rows<{ content_hash: Buffer; payload: Buffer; refunds: Buffer[] }>(
    `select content_hash, payload, array(
         select refund.payload from claim_refund join all_outcome as refund using (shard_id, seq, month)
         where claim_refund.claim_id = $2 order by claim_refund.shard_id, claim_refund.seq) as refunds
     from event_id join all_outcome using (shard_id, seq, month) where event_id = $1 and dest = 'R'`,
    [eventId, claimId],
  );
  if (row === undefined) return undefined;
  return { contentHash: row.content_hash, payload: payloadText(row.payload), refunds: row.refunds.map(payloadText) };
}

/** What took an event's id: the hash of its content, and its published outcome where it has one of its own. */
export async function findEvent(
  source: RowSource,
  eventId: string,
): Promise<{ readonly contentHash: Buffer; readonly answer: string | null } | undefined> {
  const [row] = await source.rows<{ content_hash: Buffer; payload: Buffer | null }>(
    `select content_hash, payload from event_id left join all_outcome using (shard_id, seq, month) where event_id = $1`,
    [eventId],
  );
  return row && { contentHash: row.content_hash, answer: row.payload === null ? null : payloadText(row.payload) };
}

/** The published outcomes of these events, by their ids; none of an event without one, or where the month was dropped from the archive. */
export async function findAnswers(
  source: RowSource,
  eventIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (eventIds.length === 0) return new Map();
  const rows = await source.rows<{ event_id: string; payload: Buffer }>(
    `select event_id, payload from event_id join all_outcome using (shard_id, seq, month)
     where event_id = any($1::text[]) and dest = 'R'`,
    [eventIds],
  );
  return new Map(rows.map(({ event_id, payload }) => [event_id, payloadText(payload)]));
}

/** Where an event was read, and the hash of its content. */
export interface EventPlace extends ShardKey {
  /** Null where the offset was not kept. */
  readonly offset: bigint | null;
  readonly contentHash: Buffer;
}

/** The place of the event that took this id; undefined where the id is unknown or entered by a bulk load. */
export async function findPlace(source: RowSource, eventId: string): Promise<EventPlace | undefined> {
  const [row] = await source.rows<{
    content_hash: Buffer;
    log_offset: string | null;
    topic: string;
    partition: number;
  }>(
    'select content_hash, log_offset, topic, partition from event_id join shard using (shard_id) where event_id = $1',
    [eventId],
  );
  if (row === undefined) return undefined;
  const { content_hash: contentHash, log_offset: offset, topic, partition } = row;
  return { topic, partition, contentHash, offset: offset === null ? null : BigInt(offset) };
}

/** How far a shard has applied its input, and how many outcomes it has written; undefined where no worker has taken it yet. */
export async function findProgress(
  source: RowSource,
  shard: ShardKey,
): Promise<{ readonly nextOffset: bigint; readonly outSeq: bigint } | undefined> {
  const [row] = await source.rows<{ next_offset: string; out_seq: string }>(
    'select next_offset, out_seq from shard where topic = $1 and partition = $2',
    [shard.topic, shard.partition],
  );
  return row && { nextOffset: BigInt(row.next_offset), outSeq: BigInt(row.out_seq) };
}

/** The stamps of a shard's dead letters after an outcome, in order, without archived months. */
export async function findDeadSince(source: RowSource, shard: ShardKey, afterSeq: bigint): Promise<string[]> {
  const rows = await source.rows<{ stamp: string }>(
    `select stamp from outcome where shard_id = (select shard_id from shard where topic = $1 and partition = $2)
       and seq > $3 and dest = 'D' order by seq`,
    [shard.topic, shard.partition, afterSeq],
  );
  return rows.map(({ stamp }) => stamp);
}

/** Everything that a claim of this patient on this date looks at: the bindings, the payers and the day's usage in yuan. */
export async function findFamily(
  source: RowSource,
  patient: string,
  on: CalendarDate,
): Promise<{
  persons: Person[];
  bindings: Binding[];
  usage: { bindingId: string; on: CalendarDate; amount: Money }[];
}> {
  const rows = await source.rows<BindingRow & { used: string | null }>(
    `select ${BINDING_COLUMNS}, (select sum(-prior_year - current_year - held) from all_entry as entry
         where entry.binding_id = binding.binding_id and counted_on = $2 and book_day >= $2) as used
     from binding where beneficiary = $1`,
    [patient, on],
  );
  const bindings = rows.map(toBinding);
  const persons = await findPersons(source, [patient, ...bindings.map(({ payer }) => payer)]);
  const usage = rows.flatMap(({ binding_id: bindingId, used }) =>
    used === null ? [] : [{ bindingId, on, amount: money(used) }],
  );
  return { persons, bindings, usage };
}

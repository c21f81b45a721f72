import {
  type Binding,
  Books,
  type CalendarDate,
  type Contribution,
  type Money,
  money,
  type Person,
  type PolicyLookup,
} from '@repo/domain';
import type { Copied } from './copy-in.ts';
import { Fenced, Raced } from './errors.ts';
import { payloadText } from './outcome-blocks.ts';
import { listColumn, packedQuery, packList, unpack } from './packed.ts';
import { isHeldSql } from './quarantine.ts';
import { toBinding, toPerson } from './rows.ts';
import type { Session } from './session.ts';

/** A batch's lease of its shard: epoch, offset and the last `seq` written are compared before anything is written. */
export interface ShardLease {
  readonly shard: { readonly topic: string; readonly partition: number };
  readonly epoch: bigint;
  readonly nextOffset: bigint;
  readonly outSeq: bigint;
  readonly publishedSeq: bigint;
}

export interface LockedShard {
  readonly shardId: number;
  readonly outSeq: bigint;
  readonly resultSeq: bigint;
  readonly deadSeq: bigint;
  /** The last day whose books are closed; later postings carry a later day. */
  readonly closedThrough: CalendarDate | null;
  /** The month in which the transaction began. Outcomes are stored under it, archived by it, and event ids refer to it. */
  readonly month: CalendarDate;
  /** Messages of this shard are held: before a message is judged, its key must be looked up among them (see quarantine.ts). */
  readonly quarantined: boolean;
}

/** An event id seen before: the hash of its content, and where its outcome is (`seq` null: it had none). */
export interface KnownId {
  readonly contentHash: Buffer;
  readonly shardId: number;
  readonly seq: bigint | null;
  /** The month of its outcome, which determines the partition. */
  readonly month: CalendarDate;
}

/** Stored work. What `detail` means depends on `kind`. */
export interface StoredWork {
  readonly workId: bigint;
  readonly payer: string;
  readonly kind: 'BALANCE' | 'GRACE';
  readonly dueOn: CalendarDate;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An account row that is locked. */
export interface LockedAccount {
  /** How many entries it has; grows as entries are written. */
  version: number;
  /** The person's partition of the members topic. */
  readonly partition: number;
  /** Bindings of this payer are paused for ZERO_BALANCE: the next posting may show that the account holds money. */
  readonly isEmptied: boolean;
}

interface ShardStateRow {
  topic: string;
  partition: number;
  shard_id: number;
  out_seq: string;
  result_seq: string;
  dead_seq: string;
  closed_through: CalendarDate | null;
  month: CalendarDate;
  quarantined: boolean;
}

interface WorkRow {
  work_id: string;
  payer: string;
  kind: 'BALANCE' | 'GRACE';
  due_on: CalendarDate;
  detail: Record<string, unknown>;
}
const WORK_COLUMNS = 'work_id, payer, kind, due_on::text, detail';
const toWork = (row: WorkRow): StoredWork => ({
  workId: BigInt(row.work_id),
  payer: row.payer,
  kind: row.kind,
  dueOn: row.due_on,
  detail: row.detail,
});

/**
 * One open database transaction of a worker: reads first, `lock*` under row locks, writes last (see write.ts). Statements issued without
 * waiting in between travel together and run in that order, so that each sees the locks of those before it.
 */
export class LedgerTransaction {
  readonly accounts = new Map<string, LockedAccount>();
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  rows<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.#session.rows<Row>(sql, parameters);
  }

  /** A statement whose answer nobody waits for: if it fails, the transaction does. */
  send(sql: string, parameters: readonly unknown[]): void {
    this.#session.send(sql, parameters);
  }

  /** Appends rows to a table with COPY; like `send`, nobody waits for it. */
  copy(table: string, columns: readonly string[], rows: readonly (readonly Copied[])[]): void {
    if (rows.length > 0) this.#session.copy(table, columns, rows);
  }

  /**
   * Locks the shard's row if it is still this lease's and has lost nothing that was written. The lock holds until COMMIT, so no other owner
   * can write in between. Throws `Fenced`.
   */
  async lockShard(lease: ShardLease): Promise<LockedShard> {
    const [locked] = await this.lockShards([lease]);
    return locked as LockedShard;
  }

  /**
   * The same for several shards in one statement, which locks them in the order of their topics and partitions. Answers them in the order
   * of the leases. Throws `Fenced` where one of them is not its lease's any more.
   */
  async lockShards(leases: readonly ShardLease[]): Promise<LockedShard[]> {
    const rows = await this.rows<ShardStateRow>(LOCK_SHARDS, [
      leases.map(({ shard }) => shard.topic),
      leases.map(({ shard }) => shard.partition),
      leases.map(({ epoch }) => epoch),
      leases.map(({ nextOffset }) => nextOffset),
      leases.map(({ outSeq }) => outSeq),
    ]);
    return leases.map(({ shard: { topic, partition } }) => {
      const row = rows.find((each) => each.topic === topic && each.partition === partition);
      if (row === undefined)
        throw new Fenced('the shard has another owner or another offset, or lacks what was written');
      return {
        shardId: row.shard_id,
        outSeq: BigInt(row.out_seq),
        resultSeq: BigInt(row.result_seq),
        deadSeq: BigInt(row.dead_seq),
        closedThrough: row.closed_through,
        month: row.month,
        quarantined: row.quarantined,
      };
    });
  }

  /**
   * Which of these event ids are known. Where another shard takes one at the same moment, the later insert fails and the transaction is
   * begun again.
   */
  async findIds(ids: readonly string[]): Promise<Map<string, KnownId>> {
    const rows = await this.rows<{
      event_id: string;
      content_hash: Buffer;
      shard_id: number;
      seq: string | null;
      month: CalendarDate;
    }>(
      `select event_id, content_hash, shard_id, seq, month::text from event_id where event_id = any(${listColumn('$1', 'text')})`,
      [packList(ids)],
    );
    return new Map(
      rows.map((row) => [
        row.event_id,
        {
          contentHash: row.content_hash,
          shardId: row.shard_id,
          seq: row.seq === null ? null : BigInt(row.seq),
          month: row.month,
        },
      ]),
    );
  }

  /**
   * Locks these account rows in the order of their ids, in one statement, and reads them. Every writer of an account, of a binding or of
   * its usage holds the payer's row, so what is read afterwards stands until COMMIT. With `patients`: also these, and everybody whose
   * binding as of now may make them pay for one of them.
   */
  async lockPersons(personNos: Iterable<string>, patients: Iterable<string> = []): Promise<Person[]> {
    const lists = [[...new Set([...personNos, ...patients])], [...new Set(patients)]].filter(
      ({ length }) => length > 0,
    );
    const sql = lists.length === 2 ? LOCK_FAMILIES : LOCK_PERSONS;
    const [row] = lists.length === 0 ? [] : await this.rows<{ packed: string | null }>(sql, lists.map(packList));
    return unpack(row?.packed ?? null).map(
      ([psn_no = '', partition, version, emptied, year, prior_year = '', current_year = '', facts = '']) => {
        const isEmptied = emptied === 't';
        this.accounts.set(psn_no, { version: Number(version), partition: Number(partition), isEmptied });
        return toPerson({ psn_no, year: year === '' ? null : Number(year), prior_year, current_year, facts });
      },
    );
  }

  /**
   * Holds an advisory lock on each of these person numbers until the transaction ends, whether the person has a row or not. Must come
   * before any row lock, so that nobody who holds a row waits here.
   */
  async lockNames(personNos: Iterable<string>): Promise<void> {
    const names = [...new Set(personNos)].sort();
    if (names.length === 0) return;
    await this.rows(
      'select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) with ordinality as asked (name, n) order by n',
      [names],
    );
  }

  /**
   * Bindings that name any of these persons, read under the payers' locks. The row of a payer who was bound after the locks were taken is
   * not locked: then the transaction must begin again (`requireLocked`).
   */
  async bindingsOf(people: {
    beneficiaries?: readonly string[];
    payers?: readonly string[];
    bindingIds?: readonly string[];
  }): Promise<Binding[]> {
    const { beneficiaries = [], payers = [], bindingIds = [] } = people;
    const asked = [
      { list: beneficiaries, column: 'beneficiary' },
      { list: payers, column: 'payer' },
      { list: bindingIds, column: 'binding_id' },
    ].filter(({ list }) => list.length > 0);
    if (asked.length === 0) return [];
    const conditions = asked.map(({ column }, i) => `${column} = any(${listColumn(`$${i + 1}`, 'text')})`);
    const [row] = await this.rows<{ packed: string | null }>(
      packedQuery(['payer', 'binding_id', 'beneficiary', 'facts'], `binding where ${conditions.join(' or ')}`),
      asked.map(({ list }) => packList(list)),
    );
    return unpack(row?.packed ?? null).map(([payer = '', binding_id = '', beneficiary = '', facts = '']) =>
      toBinding({ payer, binding_id, beneficiary, facts }),
    );
  }

  /** Throws `Raced` where the payer of one of these bindings is not locked. */
  requireLocked(bindings: readonly Binding[]): void {
    if (bindings.some(({ payer }) => !this.accounts.has(payer))) throw new Raced('a payer appeared meanwhile');
  }

  /** What these bindings have paid on these days, less refunds, in yuan: the sum of the entries that count on them. */
  async usageOf(
    days: readonly { readonly bindingId: string; readonly on: CalendarDate }[],
  ): Promise<{ bindingId: string; on: CalendarDate; amount: Money }[]> {
    if (days.length === 0) return [];
    const rows = await this.rows<{ binding_id: string; on_day: CalendarDate; amount: string }>(USAGE, [
      days.map(({ bindingId }) => bindingId),
      days.map(({ on }) => on),
    ]);
    return rows.map((row) => ({ bindingId: row.binding_id, on: row.on_day, amount: money(row.amount) }));
  }

  /**
   * The payloads of the published outcomes at these places, in the order given, from any shard and archived or not. Null where there is
   * none: its month was dropped from the archive.
   */
  async outcomesAt(
    places: readonly { readonly shardId: number; readonly seq: bigint; readonly month: CalendarDate }[],
  ): Promise<(string | null)[]> {
    if (places.length === 0) return [];
    const rows = await this.rows<{ n: string; payload: Buffer }>(
      `select n, payload from unnest($1::int[], $2::bigint[], $3::date[]) with ordinality as asked (shard_id, seq, month, n)
       join all_outcome using (shard_id, seq, month)`,
      [places.map(({ shardId }) => shardId), places.map(({ seq }) => seq), places.map(({ month }) => month)],
    );
    const found = new Map(rows.map(({ n, payload }) => [Number(n), payloadText(payload)]));
    return places.map((_, i) => found.get(i + 1) ?? null);
  }

  /**
   * The payloads of the refunds paid of these claims, in order; null where the month was dropped from the archive. Must be read under the
   * locks of the claims' patients, which every refund of theirs holds.
   */
  async refundsOf(claimIds: readonly string[]): Promise<{ claimId: string; payload: string | null }[]> {
    if (claimIds.length === 0) return [];
    const rows = await this.rows<{ claim_id: string; payload: Buffer | null }>(
      `select claim_id, payload from claim_refund left join all_outcome using (shard_id, seq, month)
       where claim_id = any($1::text[]) order by claim_id, shard_id, seq`,
      [claimIds],
    );
    return rows.map(({ claim_id, payload }) => ({
      claimId: claim_id,
      payload: payload === null ? null : payloadText(payload),
    }));
  }

  /** Work left for these payers on a members shard, in the order it was left. Must be read under the payers' locks. */
  async workFor(partition: number, payers: readonly string[]): Promise<StoredWork[]> {
    const rows = await this.rows<WorkRow>(
      `select ${WORK_COLUMNS} from shard_work where partition = $1 and payer = any($2::text[]) order by work_id`,
      [partition, payers],
    );
    return rows.map(toWork);
  }

  /** The oldest work that postings left on a members shard. With a topic: only of payers of whom nothing is held on it. */
  async dueWork(partition: number, limit: number, topic: string | null): Promise<StoredWork[]> {
    const isFree = topic === null ? '' : `and not ${isHeldSql('$1', '$3', 'payer')}`;
    const rows = await this.rows<WorkRow>(
      `select ${WORK_COLUMNS} from shard_work
       where partition = $1 and kind = 'BALANCE' ${isFree}
       order by work_id limit $2`,
      topic === null ? [partition, limit] : [partition, limit, topic],
    );
    return rows.map(toWork);
  }

  async contributionsOf(personNos: readonly string[]): Promise<Contribution[]> {
    if (personNos.length === 0) return [];
    const rows = await this.rows<{ psn_no: string; period: string; due_date: CalendarDate | null; paid: boolean }>(
      `select psn_no, period, due_date::text, paid from contribution where psn_no = any($1::text[]) order by psn_no, period`,
      [personNos],
    );
    return rows.map(({ psn_no, period, due_date, paid }) => ({
      personNo: psn_no,
      period: period as Contribution['period'],
      dueDate: due_date,
      paid,
    }));
  }

  async heldFor(refundIds: readonly string[]): Promise<{ personNo: string; refundId: string; left: Money }[]> {
    if (refundIds.length === 0) return [];
    const rows = await this.rows<{ psn_no: string; refund_id: string; left: string }>(
      `select psn_no, refund_id, (amount - paid)::text as left from held_refund where refund_id = any($1::text[])`,
      [refundIds],
    );
    return rows.map((row) => ({ personNo: row.psn_no, refundId: row.refund_id, left: money(row.left) }));
  }
}

/** SQL for `LockedShard.month`. */
export const MONTH = `date_trunc('month', now())::date::text`;

const LOCK_SHARDS = `select topic, partition, shard_id, out_seq, result_seq, dead_seq, closed_through::text, ${MONTH} as month, quarantined
  from shard join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
      as lease (topic, partition, epoch, next_offset, written)
    using (topic, partition, epoch, next_offset)
  where out_seq >= written
  order by topic, partition for no key update of shard`;

const LOCKED = ['psn_no', 'partition', 'version', 'emptied', 'year', 'prior_year', 'current_year', 'facts'];
/** One index scan for all of them, in its order: with one look-up per person, free of duplicates, it took half as long again. */
const LOCK_FAMILIES = packedQuery(
  LOCKED,
  `account where psn_no = any(${listColumn('$1', 'text')} ||
     array(select payer from binding where beneficiary = any(${listColumn('$2', 'text')})))
   order by psn_no for no key update`,
);
/** Not the statement above without patients: for an empty list the planner scans a whole index of bindings, the smallest one. */
const LOCK_PERSONS = packedQuery(
  LOCKED,
  `account where psn_no = any(${listColumn('$1', 'text')}) order by psn_no for no key update`,
);

/** SQL for the usage of bindings `$1` on days `$2`. No entry is booked before the day it counts on, so earlier partitions are not read. */
const USAGE = `select asked.binding_id, asked.on_day::text, sum(-prior_year - current_year - held) as amount
  from unnest($1::text[], $2::date[]) as asked (binding_id, on_day)
    join all_entry as entry on entry.binding_id = asked.binding_id and counted_on = asked.on_day and book_day >= asked.on_day
  group by asked.binding_id, asked.on_day`;

/** Books that hold these persons, bindings and usage. */
export function booksOf(policyOf: PolicyLookup, rows: Parameters<Books['load']>[0]): Books {
  const books = new Books(policyOf);
  books.load(rows);
  return books;
}

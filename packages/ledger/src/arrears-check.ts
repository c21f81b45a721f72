import type { BlockRule, CalendarDate, Instant, Period } from '@repo/domain';
import { isHeldSql } from './quarantine.ts';
import type { RowSource } from './reads.ts';
import type { LedgerTransaction } from './transaction.ts';

/** An arrears check that a members shard has begun and not finished. `cursor`: the last person number it has come to. */
export interface OpenCheck {
  readonly checkId: string;
  readonly on: CalendarDate;
  readonly cursor: string;
}

/** The next stretch of a shard's persons, in order of their person numbers. */
export interface ArrearsChunk {
  /** The last person of the stretch; null = nobody is left. */
  readonly last: string | null;
  readonly count: number;
  /** The insured areas of the contributing persons, and the earliest month from which one of them must be checked. */
  readonly areas: readonly string[];
  readonly since: Period | null;
  /** The insured areas of the persons in arrears. */
  readonly behindIn: readonly string[];
}

/** The oldest check that this shard still works on. */
export async function openCheck(tx: LedgerTransaction, partition: number): Promise<OpenCheck | null> {
  const [row] = await tx.rows<{ check_id: string; on_day: CalendarDate; cursor_psn_no: string }>(
    `select check_id, on_day::text, cursor_psn_no from arrears_check
     where partition = $1 and not finished order by on_day, check_id limit 1`,
    [partition],
  );
  return row === undefined ? null : { checkId: row.check_id, on: row.on_day, cursor: row.cursor_psn_no };
}

const CONTRIBUTES = `insutype = '310' and employment in ('ACTIVE', 'FLEXIBLE') and year is not null`;
const IS_BEHIND = '(arrears_since is not null or uninsured_since is not null)';

/** Reads the next `size` persons after person number `after`. `since` is the earliest month in which one of their accounts was stated. */
export async function readChunk(
  tx: LedgerTransaction,
  partition: number,
  after: string,
  size: number,
): Promise<ArrearsChunk> {
  interface Row {
    readonly last: string | null;
    readonly count: string;
    readonly areas: string[] | null;
    readonly since: Period | null;
    readonly behindIn: string[] | null;
  }
  const [row] = await tx.rows<Row>(
    `select max(psn_no) as last, count(*) as count,
       array_agg(distinct insu_admdvs) filter (where ${CONTRIBUTES}) as areas, min(as_of_period) filter (where ${CONTRIBUTES}) as since,
       array_agg(distinct insu_admdvs) filter (where ${IS_BEHIND}) as "behindIn"
     from (select psn_no, insu_admdvs, as_of_period, insutype, employment, year, arrears_since, uninsured_since from account
           where partition = $1 and psn_no > $2 order by psn_no limit $3) as chunk`,
    [partition, after, size],
  );
  return {
    last: row?.last ?? null,
    count: Number(row?.count ?? 0),
    areas: row?.areas ?? [],
    since: row?.since ?? null,
    behindIn: row?.behindIn ?? [],
  };
}

/** A stretch of a shard's persons, and what a check on the date `on` needs to know about it. */
export interface CheckedStretch {
  readonly after: string;
  readonly last: string;
  readonly on: CalendarDate;
  /** By area, each month whose due date has passed; a month is listed once. */
  readonly months: readonly { readonly area: string; readonly period: Period }[];
  /** The rule of each area in which a person is in arrears. */
  readonly rules: readonly BlockRule[];
}

/**
 * The persons of a stretch whom the check concerns: a month past due without a contribution, arrears that a binding does not show as the
 * rules require, work that waits for a date, or an account that New Year may refill. A person's months are counted instead of looked up one
 * by one, so that a check costs about the same after years; bindings are looked up only for persons in arrears.
 */
export async function concernedIn(
  tx: LedgerTransaction,
  partition: number,
  { after, last, on, months, rules }: CheckedStretch,
): Promise<string[]> {
  const rows = await tx.rows<{ psn_no: string }>(
    `select psn_no from account join (
         select area, array_agg(period order by period) as periods
         from unnest($4::text[], $5::text[]) as due (area, period) group by area) as due on area = insu_admdvs
       where partition = $1 and psn_no > $2 and psn_no <= $3 and ${CONTRIBUTES}
         -- width_bucket: how many of the sorted periods are not later than the one the account was stated in
         and cardinality(periods) - width_bucket(as_of_period, periods) > (select count(*) from contribution
           where contribution.psn_no = account.psn_no and period = any (periods) and period > as_of_period)
     union select psn_no from account join unnest($7::text[], $8::date[], $9::boolean[]) as rule (area, latest, exempt) on area = insu_admdvs
       where partition = $1 and psn_no > $2 and psn_no <= $3 and ${IS_BEHIND} and exists (select from binding
         where payer = psn_no and state in ('ACTIVE', 'PAUSED') and (effective_to is null or effective_to >= $6)
           and case when latest is null or (exempt and (employment = 'RETIRED' or psn_type like '12%')) then held_arrears is not null
             else held_arrears is null and least(arrears_since, uninsured_since) <= latest end)
     union select payer from shard_work where partition = $1 and payer > $2 and payer <= $3
     union select payer from binding join account on psn_no = payer
       where partition = $1 and payer > $2 and payer <= $3 and held_zero_balance is not null and year < extract(year from $6::date)`,
    [
      ...[partition, after, last],
      ...[months.map(({ area }) => area), months.map(({ period }) => period)],
      on,
      rules.map(({ area }) => area),
      rules.map(({ latestStart }) => latestStart),
      rules.map(({ retireesExempt }) => retireesExempt),
    ],
  );
  return rows.map(({ psn_no }) => psn_no);
}

/** Records how far a check has come and what it did; `last` null = the stretch was empty. */
export async function moveCheck(
  tx: LedgerTransaction,
  partition: number,
  checkId: string,
  step: {
    readonly last: string | null;
    readonly checked: number;
    readonly marked: number;
    readonly paused: number;
    readonly finished: boolean;
  },
): Promise<void> {
  await tx.rows(
    `update arrears_check set cursor_psn_no = coalesce($3, cursor_psn_no), finished = $7, checked = checked + $4,
       marked = marked + $5, paused = paused + $6, moved_at = now() where partition = $1 and check_id = $2`,
    [partition, checkId, step.last, step.checked, step.marked, step.paused, step.finished],
  );
}

/** Records persons whom a check passes over because messages of theirs are held, so that they are checked later. */
export function leaveOut(
  tx: LedgerTransaction,
  partition: number,
  { checkId, on }: Pick<OpenCheck, 'checkId' | 'on'>,
  people: readonly string[],
): void {
  if (people.length === 0) return;
  tx.send(
    `insert into arrears_left (partition, psn_no, check_id, on_day) select $1, psn_no, $2, $3 from unnest($4::text[]) as given (psn_no)
     on conflict (partition, psn_no, check_id) do nothing`,
    [partition, checkId, on, people],
  );
}

/**
 * Takes one person who was passed over, with the earliest check, off the list. With a topic: only one of whom nothing is held on it now.
 */
export async function leftOut(
  tx: LedgerTransaction,
  partition: number,
  topic: string | null,
): Promise<(Pick<OpenCheck, 'checkId' | 'on'> & { readonly personNo: string }) | null> {
  const isFree = topic === null ? '' : `and not ${isHeldSql('$1', '$2', 'psn_no')}`;
  const [row] = await tx.rows<{ psn_no: string; check_id: string; on_day: CalendarDate }>(
    `delete from arrears_left where partition = $1 and (psn_no, check_id) = (
       select psn_no, check_id from arrears_left where partition = $1 ${isFree} order by on_day, check_id, psn_no limit 1)
     returning psn_no, check_id, on_day::text`,
    topic === null ? [partition] : [partition, topic],
  );
  return row === undefined ? null : { personNo: row.psn_no, checkId: row.check_id, on: row.on_day };
}

/** How far an arrears check has come over all shards that have begun it. */
export interface CheckProgress {
  readonly checkId: string;
  readonly on: CalendarDate;
  readonly shards: number;
  readonly finished: number;
  readonly checked: number;
  readonly marked: number;
  readonly paused: number;
  readonly startedAt: Instant;
  readonly movedAt: Instant;
}

/** At most `limit` checks, the latest first. With `after`: those listed after that check, and none where it is unknown. */
export const findChecks = (
  source: RowSource,
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): Promise<CheckProgress[]> =>
  source.rows<CheckProgress>(
    `with found as (
       select check_id, on_day, count(*)::int as shards, (count(*) filter (where finished))::int as finished, sum(checked)::int as checked,
         sum(marked)::int as marked, sum(paused)::int as paused, min(started_at) as started, max(moved_at) as moved
       from arrears_check group by check_id, on_day
     )
     select check_id as "checkId", on_day::text as "on", shards, finished, checked, marked, paused,
       (extract(epoch from started) * 1000)::float8 as "startedAt", (extract(epoch from moved) * 1000)::float8 as "movedAt"
     from found where $2::text is null or exists (
       select from found as last where last.check_id = $2 and (found.started < last.started or (found.started = last.started and found.check_id > $2)))
     order by started desc, check_id limit $1`,
    [limit, after ?? null],
  );

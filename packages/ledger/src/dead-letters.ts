import type { OutcomePlace } from './outcome-log.ts';
import type { RowSource } from './reads.ts';

/** A dead letter as stored. `stamp` is text that only the writer of outcomes understands. */
export interface DeadRow {
  readonly place: OutcomePlace;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly stamp: string;
  /** The message's timestamp, as its stamp has it. */
  readonly at: string;
}

export interface DeadFilter {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** The code in the stamp. */
  readonly code?: string | undefined;
  readonly key?: string | undefined;
  /** At or after `since`, before `until`; both in the format that the stamp uses. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

interface Row {
  readonly shard_id: number;
  readonly seq: string;
  readonly key: Buffer | null;
  readonly payload: Buffer | null;
  readonly stamp: string;
  readonly at: string;
}

/** The expression of `ix_outcome_dead`. Moments in a stamp sort as text. */
const AT = `(substring(stamp from '"at":"([^"]*)"[}][}]$') collate "C")`;
const CODE = `substring(stamp from '"note":[{]"code":"([^"]*)"')`;

const toDead = ({ shard_id: shardId, seq, payload: value, ...row }: Row): DeadRow => ({
  place: { shardId, seq },
  key: row.key,
  value,
  stamp: row.stamp,
  at: row.at,
});

/** Bytes of a dead letter's row. */
const BYTES = 'coalesce(octet_length(key), 0) + coalesce(octet_length(payload), 0) + octet_length(stamp)';
const LATEST_FIRST = 'at desc, shard_id desc, seq desc';

/** Where a reading of dead letters begins, and how much it takes: `limit` of them and `bytesMax` bytes, but always the first. */
export interface DeadPage {
  readonly before?: (OutcomePlace & { readonly at: string }) | undefined;
  readonly limit: number;
  readonly bytesMax: number;
}

/** Dead letters that match, the latest first, after the place `before`, and whether there may be more behind them. */
export async function findDead(
  source: RowSource,
  filter: DeadFilter,
  { before, limit, bytesMax }: DeadPage,
): Promise<{ readonly rows: DeadRow[]; readonly more: boolean }> {
  const rows = await source.rows<Row & { readonly found: number }>(
    `select shard_id, seq, key, payload, stamp, at, found from (
       select *, (count(*) over ())::int as found, sum(bytes) over (order by ${LATEST_FIRST}) - bytes as bytes_before from (
         select shard_id, seq, key, payload, stamp, ${AT} as at, ${BYTES} as bytes from all_outcome
         where dest = 'D' and ($1::text is null or ${AT} >= $1) and ($2::text is null or ${AT} < $2)
           and ($3::text is null or ${CODE} = $3) and ($4::text is null or key = convert_to($4, 'UTF8'))
           and (($5::text is null and $6::int is null) or shard_id in (
             select shard_id from shard where ($5::text is null or topic = $5) and ($6::int is null or partition = $6)))
           and ($7::text is null or (${AT}, shard_id, seq) < ($7, $8::int, $9::bigint))
         order by ${AT} desc, shard_id desc, seq desc limit $10) as first) as sized
     where bytes_before <= $11::bigint order by ${LATEST_FIRST}`,
    [
      ...[filter.since ?? null, filter.until ?? null, filter.code ?? null, filter.key ?? null],
      ...[filter.topic ?? null, filter.partition ?? null],
      ...[before?.at ?? null, before?.shardId ?? null, before?.seq ?? null, limit, bytesMax],
    ],
  );
  const found = rows[0]?.found ?? 0;
  return { rows: rows.map(toDead), more: found === limit || rows.length < found };
}

/** The dead letters at these places, by shard and sequence number. A place without a dead letter is left out. */
export async function findDeadAt(source: RowSource, places: readonly OutcomePlace[]): Promise<DeadRow[]> {
  const rows = await source.rows<Row>(
    `select shard_id, seq, key, payload, stamp, ${AT} as at from unnest($1::int[], $2::bigint[]) as asked (shard_id, seq)
     join all_outcome using (shard_id, seq) where dest = 'D' order by shard_id, seq`,
    [places.map(({ shardId }) => shardId), places.map(({ seq }) => seq)],
  );
  return rows.map(toDead);
}

/** How many dead letters there are since a moment (as the stamp writes it), by code, the most frequent first. */
export async function countDead(source: RowSource, since: string): Promise<{ code: string; count: number }[]> {
  return source.rows(
    `select ${CODE} as code, count(*)::int as count from all_outcome where dest = 'D' and ${AT} >= $1
     group by 1 order by 2 desc, 1`,
    [since],
  );
}

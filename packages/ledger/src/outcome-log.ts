import { readStored, STORED_PAYLOAD, type ViewedOutcome } from './outcome-blocks.ts';
import type { RowSource } from './reads.ts';

/** The place of a published outcome in the outbox: its shard, and its number there, which counts without gaps. */
export interface OutcomePlace {
  readonly shardId: number;
  readonly seq: string;
}

/** A published outcome as it was published. */
export interface LoggedOutcome {
  readonly place: OutcomePlace;
  /** Text that only the writer of outcomes understands. */
  readonly stamp: string;
  readonly payload: string;
}

interface Row extends ViewedOutcome {
  readonly shard_id: number;
  readonly seq: string;
}

function toLogged({ shard_id: shardId, seq, ...row }: Row): LoggedOutcome {
  const { stamp, payload } = readStored(row);
  return { place: { shardId, seq }, stamp, payload: payload.toString() };
}

/**
 * At most `limit` outcomes published about a person in answer to the input topic `topic`, the latest first, those before the place
 * `before`. A person has few, so all are found through `ix_outcome_key` before they are sorted: the planner must not read the whole table
 * in order instead.
 */
export async function findOutcomesOf(
  source: RowSource,
  { topic, personNo, before, limit }: { topic: string; personNo: string; before?: OutcomePlace; limit: number },
): Promise<LoggedOutcome[]> {
  const rows = await source.rows<Row>(
    `with theirs as materialized (
       select shard_id, seq, stamp, payload from all_outcome where key = convert_to($1, 'UTF8') and dest = 'R')
     select shard_id, seq, stamp, payload from theirs
     where shard_id in (select shard_id from shard where topic = $2)
       and ($3::int is null or (shard_id, seq) < ($3::int, $4::bigint))
     order by shard_id desc, seq desc limit $5`,
    [personNo, topic, before?.shardId ?? null, before?.seq ?? null, limit],
  );
  return rows.map(toLogged);
}

/** How many outcomes a shard of an input topic has committed, and how many of them are published. */
export interface ShardProgress {
  readonly shardId: number;
  readonly answered: bigint;
  readonly published: bigint;
}

/** How far each shard of a topic has come. */
export async function readProgress(source: RowSource, topic: string): Promise<ShardProgress[]> {
  const rows = await source.rows<{ shard_id: number; out_seq: string; published_seq: string }>(
    'select shard_id, out_seq, published_seq from shard where topic = $1 order by partition',
    [topic],
  );
  return rows.map(({ shard_id: shardId, out_seq, published_seq }) => ({
    shardId,
    answered: BigInt(out_seq),
    published: BigInt(published_seq),
  }));
}

/** The outcomes with the next `limit` sequence numbers of a shard after `seq`, in order, without dead letters and archived outcomes. */
export async function outcomesAfter(
  source: RowSource,
  { shardId, seq, limit }: { shardId: number; seq: bigint; limit: number },
): Promise<LoggedOutcome[]> {
  const rows = await source.rows<Row>(
    `select shard_id, seq, stamp, ${STORED_PAYLOAD} from outcome
     where shard_id = $1 and seq > $2::bigint and seq <= $2::bigint + $3::int and dest = 'R' order by seq`,
    [shardId, String(seq), limit],
  );
  return rows.map(toLogged);
}

/** Whether a shard's outcomes can be read from the first on. They cannot once the months in which it began are archived. */
export async function isFirstAttached(source: RowSource, shardId: number): Promise<boolean> {
  const rows = await source.rows('select from outcome where shard_id = $1 and seq = 1', [shardId]);
  return rows.length > 0;
}

/** How many bindings are paused for each reason, and how many payers have at least one paused binding. */
export async function countPaused(
  source: RowSource,
): Promise<{ payers: number; reasons: { reason: string; bindings: number }[] }> {
  const [row] = await source.rows<Record<string, number>>(
    `select count(distinct payer)::int as payers, count(held_arrears)::int as "ARREARS",
       count(held_employer_off)::int as "EMPLOYER_OFF", count(held_user)::int as "USER",
       count(held_zero_balance)::int as "ZERO_BALANCE" from binding where state = 'PAUSED'`,
    [],
  );
  const { payers = 0, ...reasons } = row ?? {};
  return { payers, reasons: Object.entries(reasons).map(([reason, bindings]) => ({ reason, bindings })) };
}

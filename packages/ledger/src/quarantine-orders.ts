import { type HeldMessage, type HeldRow, type OrderResult, toHeld } from './quarantine.ts';
import type { RowSource } from './reads.ts';
import { VALUE_BYTES } from './stored-content.ts';

/** One quarantined key of a shard, without the key itself; it is identified by the place of its first held message. */
export interface Quarantine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly since: Date;
  readonly messages: number;
  readonly bytes: number;
  /** The first held message, or work, on which the worker failed, and how. */
  readonly failedOffset: bigint | null;
  readonly failure: string | null;
  /** What is ordered and not carried out yet. */
  readonly ordered: 'RELEASE' | 'DROP' | null;
}

export interface QuarantineFilter {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** The offset of any held message of the key. */
  readonly offset?: bigint | undefined;
  readonly key?: string | undefined;
  /** Quarantined at or after `since`, before `until`. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

/** The quarantined keys, by topic, partition and offset. Needs the owner's rights, since it reads held messages. */
export async function findQuarantines(source: RowSource, filter: QuarantineFilter = {}): Promise<Quarantine[]> {
  const rows = await source.rows<{
    topic: string;
    partition: number;
    first: string;
    since_ms: string;
    messages: string;
    bytes: string;
    failed: string | null;
    failure: string | null;
    ordered: 'RELEASE' | 'DROP' | null;
  }>(
    `select topic, partition, min(log_offset) as first, floor(extract(epoch from min(held_at)) * 1000) as since_ms,
       count(*) filter (where log_offset >= 0) as messages,
       sum(${VALUE_BYTES}) as bytes, min(log_offset) filter (where failure is not null) as failed,
       (array_agg(failure order by log_offset) filter (where failure is not null))[1] as failure,
       (select action from quarantine_order where quarantine_order.partition = held.partition
          and quarantine_order.topic = held.topic and ended_at is null
          and quarantine_order.log_offset = any (array_agg(held.log_offset)) order by order_id limit 1) as ordered
     from quarantined_message as held
     where ($1::text is null or topic = $1) and ($2::int is null or partition = $2) and ($4::bytea is null or key = $4)
     group by topic, partition, key
     having ($3::bigint is null or bool_or(log_offset = $3)) and ($5::timestamptz is null or min(held_at) >= $5)
       and ($6::timestamptz is null or min(held_at) < $6)
     order by topic, partition, first`,
    [
      filter.topic ?? null,
      filter.partition ?? null,
      filter.offset ?? null,
      filter.key === undefined ? null : Buffer.from(filter.key),
      filter.since ?? null,
      filter.until ?? null,
    ],
  );
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    offset: BigInt(row.first),
    since: new Date(Number(row.since_ms)),
    messages: Number(row.messages),
    bytes: Number(row.bytes),
    failedOffset: row.failed === null ? null : BigInt(row.failed),
    failure: row.failure,
    ordered: row.ordered,
  }));
}

/** The place of a held message. */
export interface HeldPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** At most `limit` held messages and work of the key that the message at this place has, in order, those after offset `after`. */
export async function findHeld(
  source: RowSource,
  { topic, partition, offset }: HeldPlace,
  { after, limit }: { readonly after?: bigint; readonly limit: number },
): Promise<(HeldMessage & { readonly failure: string | null; readonly heldAt: Date })[]> {
  const rows = await source.rows<HeldRow & { failure: string | null; held_ms: string }>(
    `select log_offset, record_ms, headers, key, value, failure, floor(extract(epoch from held_at) * 1000) as held_ms
     from quarantined_message
     where partition = $1 and topic = $2 and ($4::bigint is null or log_offset > $4) and key = (
       select key from quarantined_message where partition = $1 and topic = $2 and log_offset = $3)
     order by log_offset limit $5`,
    [partition, topic, offset, after ?? null, limit],
  );
  return rows.map((row) => ({ ...toHeld(row), failure: row.failure, heldAt: new Date(Number(row.held_ms)) }));
}

/** An order about a held message. */
export interface NewOrder {
  readonly action: 'RELEASE' | 'DROP';
  /** The code of the dead letter; null for a release. */
  readonly code: string | null;
  readonly by: string;
  readonly reason: string;
  /** A name that its sender gave the order: a second order of the same name is not a new one. */
  readonly commandId?: string | undefined;
}

/** This name was given to a different order before. */
export class OrderNameTaken extends Error {
  override readonly name = 'OrderNameTaken';
}

/** SQL for the offset of the first message that is held of the key of the message at `$4`; null where that is not held. */
const FIRST_OF_KEY = `(select min(log_offset) from quarantined_message where partition = $1 and topic = $2 and key = (
       select key from quarantined_message where partition = $1 and topic = $2 and log_offset = $4))`;

/**
 * Leaves an order for the shard's owner and answers its id. A release begins with the first message held of the key, whichever of them the
 * place names: a key's messages are applied in their order. Answers the id of the existing one where `commandId` repeats it. Throws
 * `OrderNameTaken`.
 */
export async function leaveOrder(source: RowSource, place: HeldPlace, order: NewOrder): Promise<bigint> {
  const { topic, partition, offset } = place;
  const { action, code, by, reason, commandId = null } = order;
  const [left] = await source.rows<{ order_id: string }>(
    `insert into quarantine_order (partition, topic, action, log_offset, code, ordered_by, reason, command_id)
     values ($1, $2, $3, case when $3 = 'RELEASE' then coalesce(${FIRST_OF_KEY}, $4) else $4 end, $5, $6, $7, $8)
     on conflict (command_id) do nothing returning order_id`,
    [partition, topic, action, offset, code, by, reason, commandId],
  );
  if (left !== undefined) return BigInt(left.order_id);
  // A release moves its offset as it goes on, so a repeated one is recognised by its shard, action, code and reason only.
  const [known] = await source.rows<{ order_id: string }>(
    `select order_id from quarantine_order where command_id = $1 and partition = $2 and topic = $3 and action = $4
       and code is not distinct from $5 and reason = $6 and (action = 'RELEASE' or log_offset = $7)`,
    [commandId, partition, topic, action, code, reason, offset],
  );
  if (known === undefined) throw new OrderNameTaken('this name was given to another order');
  return BigInt(known.order_id);
}

export interface OrderState {
  /** Messages applied or dropped so far. */
  readonly messages: number;
  readonly result: OrderResult | null;
}

/** An order and how far it has come; undefined where there is none of this id. */
export async function readOrder(
  source: RowSource,
  partition: number,
  orderId: bigint,
): Promise<(OrderState & Pick<NewOrder, 'action'>) | undefined> {
  const [row] = await source.rows<{ action: NewOrder['action']; messages: string; result: OrderResult | null }>(
    'select action, messages, result from quarantine_order where partition = $1 and order_id = $2',
    [partition, orderId],
  );
  return row && { action: row.action, messages: Number(row.messages), result: row.result };
}

/** Which of these messages of a shard are held. */
export async function heldAmong(
  source: RowSource,
  { topic, partition }: Pick<HeldPlace, 'topic' | 'partition'>,
  offsets: readonly bigint[],
): Promise<ReadonlySet<bigint>> {
  const rows = await source.rows<{ log_offset: string }>(
    'select log_offset from quarantined_message where partition = $1 and topic = $2 and log_offset = any ($3::bigint[])',
    [partition, topic, offsets],
  );
  return new Set(rows.map(({ log_offset: offset }) => BigInt(offset)));
}

/** How many keys and messages each shard of a topic holds; only shards that hold any. */
export async function countHeld(
  source: RowSource,
  topic: string,
): Promise<{ readonly partition: number; readonly keys: number; readonly messages: number }[]> {
  const rows = await source.rows<{ partition: number; keys: string; messages: string }>(
    `select partition, count(distinct sha256(key)) as keys, count(*) filter (where log_offset >= 0) as messages from quarantined_message
     where topic = $1 and partition in (select partition from shard where topic = $1 and quarantined) group by partition`,
    [topic],
  );
  return rows.map(({ partition, keys, messages }) => ({ partition, keys: Number(keys), messages: Number(messages) }));
}

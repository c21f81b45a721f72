import { hash } from 'node:crypto';
import { timestampOf } from '@repo/domain';
import type { StoredContent } from '@repo/sealing';
import type { ShardKey } from './ledger.ts';
import type { RowSource } from './reads.ts';
import { contentColumns, contentFrom, type StoredHeaders } from './stored-content.ts';
import type { LedgerTransaction, LockedShard } from './transaction.ts';

/**
 * Keys whose messages wait because a worker failed on one of them. A key is quarantined as long as a message of it is held, and later
 * messages of the key are held behind. Only the shard's owner writes here, under the lock of the shard's row; operators leave orders.
 *
 *   free ──the worker fails on a message, or on work of the key──> quarantined ──RELEASE applied the last, or DROP took it──> free
 *
 * Work between messages (a refund that expires, what a posting or a check left) has no message. Its key is held by a row without a message,
 * at an offset below 0 and so before all messages; the work itself stays in its own table and is done once nothing of the key is held.
 */

/** A held message: its offset, key and content, which may be sealed. */
export interface HeldMessage {
  readonly offset: bigint;
  readonly key: Buffer;
  readonly content: StoredContent;
  readonly timestampMs: number;
}

/** An order of an operator. `offset`: the message to drop, or the first one that a release still has to apply. */
export interface QuarantineOrder {
  readonly orderId: bigint;
  readonly action: 'RELEASE' | 'DROP';
  readonly offset: bigint;
  readonly code: string | null;
}

/** GONE: nothing is held at that offset any more. */
export type OrderResult = 'DONE' | 'FAILED' | 'GONE';

export interface HeldRow {
  log_offset: string;
  record_ms: string;
  headers: StoredHeaders;
  key: Buffer;
  value: Buffer | null;
}

const COLUMNS = 'log_offset, record_ms, headers, key, value';
const OF_SHARD = 'partition = $1 and topic = $2';

export const toHeld = (row: HeldRow): HeldMessage => ({
  offset: BigInt(row.log_offset),
  key: row.key,
  content: contentFrom(row.headers, row.value),
  // One version stored timestamps as they came.
  timestampMs: timestampOf(Number(row.record_ms)),
});

/** Whether a held row stands for work instead of a message. */
export const isWork = ({ offset }: Pick<HeldMessage, 'offset'>): boolean => offset < 0n;

const hashOf = (key: Buffer): Buffer => hash('sha256', key, 'buffer');

/**
 * SQL: whether the key that `person` names is quarantined on `topic`, a parameter such as `$2`. Use it only where the shard's row says that
 * something is held.
 */
export const isHeldSql = (partition: string, topic: string, person: string): string =>
  `exists (select from quarantined_message as behind where behind.partition = ${partition} and behind.topic = ${topic}
     and sha256(behind.key) = sha256(convert_to(${person}, 'UTF8')))`;

/**
 * Divides messages into free ones and those that must be held behind an earlier one of their key. Asks the database only where the shard
 * holds any.
 */
export async function partHeld<M>(
  tx: LedgerTransaction,
  { shard, locked }: { readonly shard: ShardKey; readonly locked: Pick<LockedShard, 'quarantined'> },
  messages: readonly M[],
  keyOf: (message: M) => Buffer | null,
): Promise<{ readonly free: readonly M[]; readonly held: readonly M[] }> {
  if (!locked.quarantined) return { free: messages, held: [] };
  const keys = new Set<string>();
  for (const message of messages) {
    const key = keyOf(message);
    if (key !== null) keys.add(hashOf(key).toString('hex'));
  }
  const rows = await tx.rows<{ hex: string }>(
    `select hex from unnest($3::text[]) as asked (hex) where exists (
       select from quarantined_message where ${OF_SHARD} and sha256(key) = decode(hex, 'hex'))`,
    [shard.partition, shard.topic, [...keys]],
  );
  const found = new Set(rows.map(({ hex }) => hex));
  const isHeld = (message: M): boolean => {
    const key = keyOf(message);
    return key !== null && found.has(hashOf(key).toString('hex'));
  };
  return { free: messages.filter((message) => !isHeld(message)), held: messages.filter(isHeld) };
}

/**
 * Holds messages. `failure`: what the worker met on them; null = they wait behind another. A message that is already held stays as it is.
 */
export function holdMessages(
  tx: LedgerTransaction,
  { shard, locked }: { readonly shard: ShardKey; readonly locked: Pick<LockedShard, 'shardId' | 'quarantined'> },
  messages: readonly HeldMessage[],
  failure: string | null,
): void {
  if (messages.length === 0) return;
  const contents = messages.map(({ content }) => contentColumns(content));
  tx.send(
    `insert into quarantined_message (partition, topic, ${COLUMNS}, failure)
     select $1, $2, log_offset, record_ms, headers, key, value, $8
     from unnest($3::bigint[], $4::bigint[], $5::jsonb[], $6::bytea[], $7::bytea[]) as given (${COLUMNS})
     on conflict (partition, topic, log_offset) do nothing`,
    [
      shard.partition,
      shard.topic,
      messages.map(({ offset }) => offset),
      messages.map(({ timestampMs }) => timestampMs),
      contents.map(({ headers }) => headers),
      messages.map(({ key }) => key),
      contents.map(({ value }) => value),
      failure,
    ],
  );
  noteQuarantine(tx, locked);
}

/** Records in the shard's row that something is held, so that shards which hold nothing need no look-up. */
function noteQuarantine(tx: LedgerTransaction, locked: Pick<LockedShard, 'shardId' | 'quarantined'>): void {
  if (!locked.quarantined) tx.send('update shard set quarantined = true where shard_id = $1', [locked.shardId]);
}

/** Holds a key of which nothing is held yet, because of failing work between messages. */
export function holdForWork(
  tx: LedgerTransaction,
  { shard, locked }: { readonly shard: ShardKey; readonly locked: Pick<LockedShard, 'shardId' | 'quarantined'> },
  key: Buffer,
  failure: string,
): void {
  tx.send(
    `insert into quarantined_message (partition, topic, log_offset, record_ms, headers, key, failure)
     select $1, $2, least(min(log_offset), 0) - 1, floor(extract(epoch from now()) * 1000), '[]', $3, $4
     from quarantined_message where ${OF_SHARD}`,
    [shard.partition, shard.topic, key, failure],
  );
  noteQuarantine(tx, locked);
}

/** How many rows of a shard are held, and the bytes of their values as stored (sealed, a value takes a third more). */
export async function heldSize(
  tx: LedgerTransaction,
  shard: ShardKey,
): Promise<{ readonly messages: number; readonly bytes: number }> {
  const [row] = await tx.rows<{ messages: string; bytes: string }>(
    `select count(*) as messages, coalesce(sum(octet_length(value)), 0) as bytes from quarantined_message where ${OF_SHARD}`,
    [shard.partition, shard.topic],
  );
  return { messages: Number(row?.messages ?? 0), bytes: Number(row?.bytes ?? 0) };
}

/** How many keys of a shard are held because of work. */
export async function heldForWork(tx: LedgerTransaction, shard: ShardKey): Promise<number> {
  const [row] = await tx.rows<{ keys: string }>(
    `select count(*) as keys from quarantined_message where ${OF_SHARD} and log_offset < 0`,
    [shard.partition, shard.topic],
  );
  return Number(row?.keys ?? 0);
}

/**
 * How many keys of a shard are quarantined, and on how many messages the worker failed since the last one before `offset` that is not held.
 */
export async function quarantineDepth(
  tx: LedgerTransaction,
  shard: ShardKey,
  offset: bigint,
): Promise<{ readonly keys: number; readonly failedInARow: number }> {
  const [row] = await tx.rows<{ keys: string; in_a_row: string }>(
    `select (select count(distinct sha256(key)) from quarantined_message where ${OF_SHARD}) as keys,
       (select count(*) from quarantined_message as failed where ${OF_SHARD} and failure is not null and log_offset < $3
          and $3 - log_offset = (select count(*) from quarantined_message as after
            where after.partition = $1 and after.topic = $2 and after.log_offset >= failed.log_offset and after.log_offset < $3)) as in_a_row`,
    [shard.partition, shard.topic, offset],
  );
  return { keys: Number(row?.keys ?? 0), failedInARow: Number(row?.in_a_row ?? 0) };
}

/** The held message at this offset and later ones of its key, in order, up to the limits, but always the first. */
export async function heldFrom(
  tx: LedgerTransaction,
  shard: ShardKey,
  offset: bigint,
  { countMax, bytesMax }: { readonly countMax: number; readonly bytesMax: number },
): Promise<HeldMessage[]> {
  const rows = await tx.rows<HeldRow>(
    `select ${COLUMNS} from (
       select *, sum(octet_length(coalesce(value, ''))) over (order by log_offset) - octet_length(coalesce(value, '')) as bytes_before
       from (select * from quarantined_message where ${OF_SHARD} and log_offset >= $3
               and sha256(key) = (select sha256(key) from quarantined_message where ${OF_SHARD} and log_offset = $3)
             order by log_offset limit $4) as first) as sized
     where bytes_before <= $5 order by log_offset`,
    [shard.partition, shard.topic, offset, countMax, bytesMax],
  );
  return rows.map(toHeld);
}

/**
 * Deletes held messages of one key, and with the shard's last one its mark that any is held. Answers the offset of the key's next held
 * message; null = none.
 */
export async function letGo(
  tx: LedgerTransaction,
  { shard, locked }: { readonly shard: ShardKey; readonly locked: LockedShard },
  messages: readonly HeldMessage[],
): Promise<bigint | null> {
  const [first] = messages;
  if (first === undefined) return null;
  tx.send(`delete from quarantined_message where ${OF_SHARD} and log_offset = any($3::bigint[])`, [
    shard.partition,
    shard.topic,
    messages.map(({ offset }) => offset),
  ]);
  const left = tx.rows<{ next: string | null }>(
    `select min(log_offset) as next from quarantined_message where ${OF_SHARD} and sha256(key) = $3`,
    [shard.partition, shard.topic, hashOf(first.key)],
  );
  tx.send(
    `update shard set quarantined = exists (select from quarantined_message where ${OF_SHARD}) where shard_id = $3`,
    [shard.partition, shard.topic, locked.shardId],
  );
  const [row] = await left;
  return row?.next === null || row?.next === undefined ? null : BigInt(row.next);
}

/** Records what the worker met on a held message when it was to be released. */
export const noteFailure = (tx: LedgerTransaction, shard: ShardKey, offset: bigint, failure: string): void =>
  tx.send(`update quarantined_message set failure = $4 where ${OF_SHARD} and log_offset = $3`, [
    shard.partition,
    shard.topic,
    offset,
    failure,
  ]);

/** The oldest order of a shard that is not carried out yet. */
export async function openOrder(source: RowSource, shard: ShardKey): Promise<QuarantineOrder | null> {
  const [row] = await source.rows<{ order_id: string; action: 'RELEASE' | 'DROP'; log_offset: string; code: string }>(
    `select order_id, action, log_offset, code from quarantine_order
     where ${OF_SHARD} and ended_at is null order by order_id limit 1`,
    [shard.partition, shard.topic],
  );
  if (row === undefined) return null;
  return { orderId: BigInt(row.order_id), action: row.action, offset: BigInt(row.log_offset), code: row.code };
}

/** Records an order's progress: `next` is the offset where it goes on, or its result. */
export function moveOrder(
  tx: LedgerTransaction,
  { partition }: ShardKey,
  { orderId }: QuarantineOrder,
  step: { readonly messages: number; readonly next: bigint | OrderResult },
): void {
  const ended = typeof step.next === 'string';
  tx.send(
    `update quarantine_order set messages = messages + $3, log_offset = coalesce($4, log_offset), result = $5,
       ended_at = case when $5::text is null then null else now() end where partition = $1 and order_id = $2`,
    [partition, orderId, step.messages, ended ? null : step.next, ended ? step.next : null],
  );
}

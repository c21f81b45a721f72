import { timestampOf } from '@repo/domain';
import { contentColumns, contentFrom, type Ledger, type LedgerTransaction, type StoredHeaders } from '@repo/ledger';
import type { InputRecord, ShardId } from '@repo/messaging';
import type { Envelopes } from '@repo/sealing';

/** A refund that came before its claim. Its message is kept, sealed, until the claim comes or the waiting time is over. */
export interface Parked {
  readonly refundId: string;
  readonly claimId: string;
  readonly record: InputRecord;
}

interface Keys {
  readonly envelopes: Envelopes;
}

/** A parked refund as stored. */
interface ParkedRow {
  refund_id: string;
  claim_id: string;
  log_offset: string;
  record_ms: string;
  headers: StoredHeaders;
  value: Buffer;
  key: Buffer | null;
}

const COLUMNS = `refund_id, claim_id, log_offset, record_ms, headers, value, key`;

/** A shard's claims, of which refunds may wait there. */
interface ShardClaims {
  readonly shard: ShardId;
  readonly claimIds: readonly string[];
}

/** The refunds that wait in each of these shards for its claims, in the order in which they came. Throws `Unopened`. */
export async function parkedFor(
  tx: LedgerTransaction,
  arrived: readonly ShardClaims[],
  keys: Keys,
): Promise<Parked[][]> {
  const asked = arrived.filter(({ claimIds }) => claimIds.length > 0);
  if (asked.length === 0) return arrived.map(() => []);
  const rows = await tx.rows<ParkedRow & { partition: number }>(
    `select partition, ${COLUMNS} from parked_refund where partition = any($1::int[]) and claim_id = any($2::text[]) order by log_offset`,
    [asked.map(({ shard }) => shard.partition), asked.flatMap(({ claimIds }) => claimIds)],
  );
  return arrived.map(({ shard, claimIds }) => {
    // A refund waits in its own shard only, whichever shard the claim it names comes to.
    const own = rows.filter((row) => row.partition === shard.partition && claimIds.includes(row.claim_id));
    return own.map((row) => openParked(shard, row, keys));
  });
}

/** Expired refunds, except of a quarantined patient: their claim may be among the held messages. */
const EXPIRED = `parked_refund where partition = $1 and until <= now() - $3 * interval '1 ms' and not (
  exists (select from shard where topic = $2 and partition = $1 and quarantined)
  and exists (select from quarantined_message as held where held.partition = $1 and held.topic = $2
    and sha256(held.key) = sha256(parked_refund.key)))`;

/** How many refunds of a shard may wait. Further ones are answered at once. */
const PARKED_MAX = 10_000;

/** How many more refunds of the shard may wait. */
export async function parkingRoom(tx: LedgerTransaction, partition: number): Promise<number> {
  const [row] = await tx.rows<{ waiting: number }>(
    'select count(*)::int as waiting from (select from parked_refund where partition = $1 limit $2) as first',
    [partition, PARKED_MAX],
  );
  return PARKED_MAX - (row?.waiting ?? 0);
}

/** Whether the waiting time of any refund is over, by the database's clock. */
export async function isAnyExpired(ledger: Ledger, { partition, topic }: ShardId): Promise<boolean> {
  const [row] = await ledger.rows<{ expired: boolean }>(`select exists (select from ${EXPIRED}) as expired`, [
    ...[partition, topic, 0],
  ]);
  return row?.expired === true;
}

/** The stored refunds whose waiting time was over `agoMs` ms ago, at most `limit`. */
export const expired = (
  tx: LedgerTransaction,
  { partition, topic }: ShardId,
  { agoMs, limit }: { readonly agoMs: number; readonly limit: number },
): Promise<readonly ParkedRow[]> =>
  tx.rows<ParkedRow>(`select ${COLUMNS} from ${EXPIRED} order by until, log_offset limit $4`, [
    ...[partition, topic, agoMs, limit],
  ]);

/** Unseals a stored refund. Throws `Unopened`. */
export function openParked(shard: ShardId, row: ParkedRow, { envelopes }: Keys): Parked {
  const { refund_id: refundId, claim_id: claimId, log_offset: offset, key } = row;
  const timestampMs = timestampOf(Number(row.record_ms));
  const content = envelopes.open({ ...shard, offset }, contentFrom(row.headers, row.value));
  return { refundId, claimId, record: { offset: BigInt(offset), key, timestampMs, ...content } };
}

/** Stores refunds that begin to wait, for `waitMs` ms, and deletes those that are answered. */
export function writeParked(
  tx: LedgerTransaction,
  shard: ShardId,
  { parked, answered, waitMs }: { parked: readonly Parked[]; answered: readonly string[]; waitMs: number },
  { envelopes }: Keys,
): void {
  const { partition } = shard;
  if (parked.length > 0) {
    const contents = parked.map(({ record }) =>
      contentColumns(envelopes.seal({ ...shard, offset: record.offset }, record)),
    );
    tx.send(
      `insert into parked_refund (partition, ${COLUMNS}, until)
       select $1, refund_id, claim_id, log_offset, record_ms, headers, value, key, now() + $9 * interval '1 ms'
       from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::bytea[], $8::bytea[])
         as given (refund_id, claim_id, log_offset, record_ms, headers, value, key)`,
      [
        partition,
        parked.map(({ refundId }) => refundId),
        parked.map(({ claimId }) => claimId),
        parked.map(({ record }) => record.offset),
        parked.map(({ record }) => record.timestampMs),
        contents.map(({ headers }) => headers),
        contents.map(({ value }) => value),
        parked.map(({ record }) => record.key),
        waitMs,
      ],
    );
  }
  if (answered.length > 0) {
    tx.send(`delete from parked_refund where partition = $1 and refund_id = any($2::text[])`, [partition, answered]);
  }
}

import { hash } from 'node:crypto';
import type { Topics } from '@repo/contracts';
import { BadBlock, readStored, type Snapshot, type ViewedOutcome } from '@repo/ledger';
import { type Envelopes, type Place, Unopened } from '@repo/sealing';

/** What the record of an outcome row must be: key in hex, SHA-256 of the value in hex, and the stamp its headers derive from. */
export interface ExpectedRow {
  readonly seq: string;
  readonly dest_seq: string;
  readonly key: string | null;
  readonly digest: string | null;
  readonly stamp: string;
}

type Headers = readonly (readonly [name: string, value: Buffer])[];

interface Source {
  readonly shardId: number;
  readonly dest: 'R' | 'D';
  readonly topic: string;
  readonly partition: number;
  readonly publishedSeq: bigint;
  /** The last sequence that must have been published; 0 = none. */
  readonly due: bigint;
}

const ROWS_PER_PAGE = 1_000;

/** What one output partition must contain: the rows of one shard and destination, read a page at a time. */
export class OutboxStream {
  /** The highest sequence found in the partition so far. */
  last = 0n;
  /** The offset after the last record found in the partition. */
  next = 0n;
  readonly #snapshot: Snapshot;
  readonly #source: Source;
  readonly #envelopes: Envelopes | null;
  #page: ExpectedRow[] = [];
  #next = 0;
  /** The `seq` of the last row that was passed. */
  #passed = '0';
  #isRead = false;

  constructor(snapshot: Snapshot, source: Source, envelopes: Envelopes | null) {
    this.#snapshot = snapshot;
    this.#source = source;
    this.#envelopes = envelopes;
  }

  get publishedSeq(): bigint {
    return this.#source.publishedSeq;
  }

  /** The last sequence that must have been published; 0 = none. */
  get due(): bigint {
    return this.#source.due;
  }

  /** Whether everything that must have been published has been found. */
  get isComplete(): boolean {
    return this.last >= this.due;
  }

  get topic(): string {
    return this.#source.topic;
  }

  get name(): string {
    return `${this.topic}/${this.#source.partition}`;
  }

  /** Names the counter that numbers this partition's records. */
  get writer(): string {
    return writerKey(this.#source);
  }

  /** The row with this sequence, null where it is younger than the snapshot; and the rows before it that were skipped. */
  async take(sequence: bigint): Promise<{ row: ExpectedRow | null; skipped: ExpectedRow[] }> {
    this.last = sequence;
    const skipped: ExpectedRow[] = [];
    for (;;) {
      const row = await this.#peek();
      if (row === undefined || BigInt(row.dest_seq) > sequence) return { row: null, skipped };
      this.#pass(row);
      if (BigInt(row.dest_seq) === sequence) return { row, skipped };
      skipped.push(row);
    }
  }

  /** Continues at the row with this sequence without reading those before it. Answers how many those are. */
  async passTo(sequence: bigint): Promise<number> {
    const { shardId, dest } = this.#source;
    const [row] = await this.#snapshot.rows<{ passed: string; last: string | null }>(
      `select count(*) as passed, max(seq) as last
       from all_outcome where shard_id = $1 and dest = $2 and seq > $3 and dest_seq < $4`,
      [shardId, dest, this.#passed, sequence],
    );
    this.#page = [];
    this.#next = 0;
    this.#passed = row?.last ?? this.#passed;
    this.#isRead = false;
    return Number(row?.passed);
  }

  async *rest(): AsyncGenerator<ExpectedRow> {
    for (;;) {
      const row = await this.#peek();
      if (row === undefined) return;
      this.#pass(row);
      yield row;
    }
  }

  /** A row as it was before sealing; null where no key at hand opens it. A row that was changed after sealing matches no record. */
  async opened(row: ExpectedRow): Promise<ExpectedRow | null> {
    const { sealed: bytes, note } = parse(row.stamp) ?? {};
    if (this.#source.dest === 'R' || typeof bytes !== 'number') return row;
    if (this.#envelopes === null) return null;
    const [stored] = await this.#snapshot.rows<{ payload: Buffer | null }>(
      'select payload from all_outcome where shard_id = $1 and seq = $2',
      [this.#source.shardId, row.seq],
    );
    try {
      const sealed = stored?.payload ?? Buffer.alloc(0);
      const { headers, value } = this.#envelopes.open(note as Place, { sealed, bytes });
      const inBase64 = headers.map(([name, header]) => [name, header.toString('base64')]);
      const digest = value === null ? null : hash('sha256', value);
      return { ...row, digest, stamp: JSON.stringify({ headers: inBase64, note }) };
    } catch (error) {
      if (!(error instanceof Unopened)) throw error;
      return error.code === 'KEY_MISSING' ? null : { ...row, digest: 'changed' };
    }
  }

  /** Whether a record's headers are those that follow from the row's stamp, shard and place. */
  hasHeaders(headers: Headers, row: ExpectedRow): boolean {
    const stamp = parse(row.stamp);
    if (stamp === null) return false;
    return this.#source.dest === 'R' ? isResult(headers, row, stamp) : isDeadLetter(headers, row, stamp);
  }

  #pass({ seq }: ExpectedRow): void {
    this.#next += 1;
    this.#passed = seq;
  }

  async #peek(): Promise<ExpectedRow | undefined> {
    if (this.#next === this.#page.length && !this.#isRead) {
      const { shardId, dest } = this.#source;
      const rows = await this.#snapshot.rows<StoredRow>(
        `select seq, dest_seq, encode(key, 'hex') as key, stamp, payload
         from all_outcome where shard_id = $1 and dest = $2 and seq > $3 order by seq limit ${ROWS_PER_PAGE}`,
        [shardId, dest, this.#passed],
      );
      this.#page = rows.map(toExpected);
      this.#next = 0;
      this.#isRead = this.#page.length < ROWS_PER_PAGE;
    }
    return this.#page[this.#next];
  }
}

type StoredRow = Pick<ExpectedRow, 'seq' | 'dest_seq' | 'key'> & ViewedOutcome<Buffer | null>;

/** An outcome whose block cannot be read matches no record. */
function toExpected({ seq, dest_seq, key, ...stored }: StoredRow): ExpectedRow {
  try {
    const { stamp, payload } = readStored(stored);
    return { seq, dest_seq, key, digest: payload === null ? null : hash('sha256', payload), stamp };
  } catch (error) {
    if (!(error instanceof BadBlock)) throw error;
    return { seq, dest_seq, key, digest: 'unreadable', stamp: '' };
  }
}

const writerKey = ({ shardId, dest }: { shardId: number; dest: string }): string => `${shardId} ${dest}`;

interface ShardRow {
  readonly shard_id: number;
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number;
  readonly published_seq: string;
  readonly result_due: string | null;
  readonly dead_due: string | null;
}

/**
 * A stream for every output partition that a shard writes: the one with its own number, and for dead letters those of claims first, then
 * those of members.
 */
export async function openStreams(
  snapshot: Snapshot,
  topics: Topics,
  envelopes: Envelopes | null,
): Promise<Map<string, OutboxStream>> {
  const due = (dest: string): string =>
    `(select dest_seq from all_outcome as outcome where outcome.shard_id = shard.shard_id and dest = '${dest}' and seq <= published_seq
      order by seq desc limit 1)`;
  const shards = await snapshot.rows<ShardRow>(
    `select shard_id, topic, partition, partitions, published_seq, ${due('R')} as result_due, ${due('D')} as dead_due
     from shard where topic = any($1::text[]) order by topic, partition`,
    [[topics.claims, topics.members]],
  );
  const streams = shards.flatMap((shard): Source[] => {
    const isClaims = shard.topic === topics.claims;
    const { shard_id: shardId, partition, partitions } = shard;
    const common = { shardId, publishedSeq: BigInt(shard.published_seq) };
    const results = isClaims ? topics.settlements : topics.sharing;
    const deadPartition = isClaims ? partition : partitions + partition;
    return [
      { ...common, dest: 'R', topic: results, partition, due: BigInt(shard.result_due ?? 0) },
      { ...common, dest: 'D', topic: topics.deadLetters, partition: deadPartition, due: BigInt(shard.dead_due ?? 0) },
    ];
  });
  return new Map(
    streams.map((source) => [`${source.topic}/${source.partition}`, new OutboxStream(snapshot, source, envelopes)]),
  );
}

/** How far each counter of the outbox has come, by `OutboxStream.writer`. */
export async function writtenBy(snapshot: Snapshot): Promise<Map<string, bigint>> {
  const shards = await snapshot.rows<{ shard_id: number; result_seq: string; dead_seq: string }>(
    `select shard_id, result_seq, dead_seq from shard`,
  );
  return new Map(
    shards.flatMap(({ shard_id: shardId, result_seq, dead_seq }) => [
      [writerKey({ shardId, dest: 'R' }), BigInt(result_seq)] as const,
      [writerKey({ shardId, dest: 'D' }), BigInt(dead_seq)] as const,
    ]),
  );
}

type Stamp = Readonly<Record<string, unknown>>;

function parse(stamp: string): Stamp | null {
  try {
    const value: unknown = JSON.parse(stamp);
    return typeof value === 'object' && value !== null ? (value as Stamp) : null;
  } catch {
    return null;
  }
}

/**
 * Whether the CloudEvents headers are right: the stamp's, the sequence, the two constant ones, and a source that names the writer. The last
 * result of a Kafka transaction also has the last row published by that transaction, which is never less than its own.
 */
function isResult(headers: Headers, { seq, dest_seq }: ExpectedRow, stamp: Stamp): boolean {
  const found = new Map(headers.map(([name, value]) => [name, value.toString()]));
  const position = found.get('gongji-position');
  if (position !== undefined && !(/^\d+$/.test(position) && BigInt(position) >= BigInt(seq))) return false;
  const expected = {
    ce_specversion: '1.0',
    'content-type': 'application/json',
    ce_type: stamp.type,
    ce_id: stamp.id,
    ce_time: stamp.time,
    ce_sequence: dest_seq,
    ...(stamp.traceparent === undefined ? {} : { traceparent: stamp.traceparent }),
  };
  const isAllThere = Object.entries(expected).every(([name, text]) => found.get(name) === text);
  const others = position === undefined ? 1 : 2;
  return isAllThere && found.has('ce_source') && headers.length === Object.keys(expected).length + others;
}

/** Our headers of a dead letter; any other header whose name begins like them is the sender's. */
const OURS: ReadonlySet<string> = new Set(
  ['code', 'detail', 'topic', 'partition', 'offset', 'at', 'sequence'].map((name) => `gongji-${name}`),
);

/** Whether a dead letter has the original's headers, without ours from an earlier dead letter, followed by ours. */
function isDeadLetter(headers: Headers, { dest_seq }: ExpectedRow, stamp: Stamp): boolean {
  const { headers: original, note } = stamp as { headers?: [string, string][]; note?: Record<string, unknown> };
  const expected = [
    ...(original ?? []).filter(([name]) => !OURS.has(name)),
    ...Object.entries({ ...note, sequence: dest_seq }).map(([name, value]) => [
      `gongji-${name}`,
      Buffer.from(String(value)).toString('base64'),
    ]),
  ];
  const found = headers.map(([name, value]) => [name, value.toString('base64')]);
  return JSON.stringify(found) === JSON.stringify(expected);
}

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OUTCOME_DICTIONARY_1 } from './outcome-dictionary.ts';

/** One record to publish, as stored. `stamp` is text that only the writer of outcomes understands. */
export interface OutcomeRow {
  readonly dest: 'R' | 'D';
  readonly key: Buffer | null;
  readonly stamp: string;
  readonly payload: Buffer | null;
  /** Stored by itself, so that SQL can read its stamp; other results share a block with their neighbours. */
  readonly alone?: boolean;
}

/** The content of one outcome in a block. */
interface BlockPart {
  readonly stamp: string;
  readonly payload: Buffer;
}

/**
 * Outcomes and bytes in a block, at most. Fewer outcomes compress less (one alone to a quarter, eight to a seventh, fifty to a ninth); more
 * would make reading a single one dearer.
 */
const ROWS_MAX = 50;
const BYTES_MAX = 262_144;

const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
  dictionary: OUTCOME_DICTIONARY_1,
};
/** The first byte of a block, which says how to read the rest. */
const FORMAT_1 = 1;
/** Bytes that a block may decompress to. More than any block holds: the largest result that its topic accepts is far smaller. */
const OPENED_MAX = 64 * 1024 * 1024;

/** A block is not what was written, or a row points to no block. */
export class BadBlock extends Error {
  override readonly name = 'BadBlock';
}

/** A row as its table has it. `lead`: how many rows before it the first row of its block is, whose payload holds the block. */
type StoredRow<Row extends OutcomeRow> = Omit<Row, 'stamp'> & {
  readonly stamp: string | null;
  readonly lead: number | null;
};

/** Turns consecutive rows into stored rows: results in blocks, dead letters and rows that must be alone as they are. */
export function storedRows<Row extends OutcomeRow>(rows: readonly Row[]): StoredRow<Row>[] {
  return blocksOf(rows).flatMap((block): StoredRow<Row>[] => {
    const parts = block.filter(isPart);
    if (parts.length === 0) return block.map((row) => ({ ...row, lead: null }));
    const packed = packBlock(parts);
    return block.map((row, lead) => ({ ...row, stamp: null, lead, payload: lead === 0 ? packed : null }));
  });
}

const isPart = <Row extends OutcomeRow>(row: Row): row is Row & BlockPart =>
  row.dest === 'R' && row.payload !== null && row.alone !== true;

/** Begins a new block where one is full, and before and after every row that must be alone. */
function blocksOf<Row extends OutcomeRow>(rows: readonly Row[]): Row[][] {
  const blocks: Row[][] = [];
  let room = 0;
  for (const row of rows) {
    const bytes = row.stamp.length + (row.payload?.length ?? 0);
    const last = blocks.at(-1);
    if (last !== undefined && last.length < ROWS_MAX && bytes <= room && isPart(row)) last.push(row);
    else {
      blocks.push([row]);
      room = isPart(row) ? BYTES_MAX : 0;
    }
    room -= bytes;
  }
  return blocks;
}

/**
 * Packs consecutive outcomes into one block, which the first of their rows holds: a format byte, then a Zstandard frame (RFC 8878) with a
 * checksum and that format's dictionary. The frame holds the number of outcomes, the lengths of each one's stamp and payload, then the
 * stamps and payloads; all numbers are 4 bytes, little-endian.
 */
function packBlock(outcomes: readonly BlockPart[]): Buffer {
  const stamps = outcomes.map(({ stamp }) => Buffer.from(stamp));
  const head = Buffer.alloc(4 + 8 * outcomes.length);
  head.writeUInt32LE(outcomes.length, 0);
  const parts: Buffer[] = [head];
  for (const [i, { payload }] of outcomes.entries()) {
    const stamp = stamps[i] as Buffer;
    head.writeUInt32LE(stamp.length, 4 + 8 * i);
    head.writeUInt32LE(payload.length, 8 + 8 * i);
    parts.push(stamp, payload);
  }
  return Buffer.concat([Buffer.from([FORMAT_1]), zstdCompressSync(Buffer.concat(parts), ZSTD)]);
}

/** The outcomes of a block. Throws `BadBlock`. */
function unpackBlock(block: Buffer): BlockPart[] {
  if (block[0] !== FORMAT_1) throw new BadBlock('a block of outcomes has a format that this version does not know');
  let bytes: Buffer;
  try {
    bytes = zstdDecompressSync(block.subarray(1), { dictionary: OUTCOME_DICTIONARY_1, maxOutputLength: OPENED_MAX });
  } catch {
    throw new BadBlock('a block of outcomes cannot be read');
  }
  const count = bytes.readUInt32LE(0);
  let at = 4 + 8 * count;
  return Array.from({ length: count }, (_, i) => {
    const payloadAt = at + bytes.readUInt32LE(4 + 8 * i);
    const end = payloadAt + bytes.readUInt32LE(8 + 8 * i);
    const outcome = { stamp: bytes.toString('utf8', at, payloadAt), payload: bytes.subarray(payloadAt, end) };
    at = end;
    return outcome;
  });
}

/** How many unpacked blocks are kept, because reading outcomes one after another asks for each block again and again. */
const OPENED_BLOCKS = 64;
const opened = new Map<string, { readonly block: Buffer; readonly outcomes: readonly BlockPart[] }>();

function openBlock(block: Buffer): readonly BlockPart[] {
  // The checksum is only the map's key; comparing the bytes tells whether it is the same block.
  const checksum = block.toString('latin1', Math.max(0, block.length - 4));
  const known = opened.get(checksum);
  if (known?.block.equals(block)) return known.outcomes;
  const outcomes = unpackBlock(block);
  const [oldest] = opened.keys();
  if (opened.size === OPENED_BLOCKS && oldest !== undefined) opened.delete(oldest);
  opened.set(checksum, { block: Buffer.from(block), outcomes });
  return outcomes;
}

/** SQL: a row's payload in the form that the view `all_outcome` gives it. */
export const STORED_PAYLOAD = `case when lead is null then payload else int4send(lead) || (select head.payload from outcome as head
    where head.shard_id = outcome.shard_id and head.seq = outcome.seq - outcome.lead and head.month = outcome.month)
  end as payload`;

/** Bytes before the block in a payload from `all_outcome`: the index of the outcome within the block. */
const PLACE_BYTES = 4;

/** The columns of `all_outcome` from which `readStored` reads an outcome. */
export interface ViewedOutcome<P extends Buffer | null = Buffer> {
  readonly stamp: string | null;
  readonly payload: P;
}

/**
 * The stamp and payload of a row of `all_outcome`. A row with its own stamp has its own payload; the payload of any other is an index
 * followed by a block. Throws `BadBlock`.
 */
export function readStored<P extends Buffer | null>({
  stamp,
  payload,
}: ViewedOutcome<P>): { readonly stamp: string; readonly payload: P | Buffer } {
  if (stamp !== null) return { stamp, payload };
  if (payload === null || payload.length < PLACE_BYTES) throw new BadBlock('an outcome has no block');
  const outcome = openBlock(payload.subarray(PLACE_BYTES))[payload.readUInt32BE(0)];
  if (outcome === undefined) throw new BadBlock('a block has fewer outcomes than its rows say');
  return outcome;
}

/**
 * The payload, as text, of a published result from `all_outcome`, stored in a block (which begins with a zero byte) or as JSON. Throws
 * `BadBlock`.
 */
export const payloadText = (payload: Buffer): string =>
  (payload[0] === 0 ? readStored({ stamp: null, payload }).payload : payload).toString();

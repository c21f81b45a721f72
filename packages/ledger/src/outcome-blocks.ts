import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OUTCOME_DICTIONARY_1 } from './outcome-dictionary.ts';

/** One record to publish, as it is stored: `stamp` is text that only the writer of outcomes understands. */
export interface OutcomeRow {
  readonly dest: 'R' | 'D';
  readonly key: Buffer | null;
  readonly stamp: string;
  readonly payload: Buffer | null;
  /** A result that is kept by itself, so that SQL can read its stamp; any other goes into a block with those beside it. */
  readonly alone?: boolean;
}

/** What one outcome of a block says. */
interface BlockPart {
  readonly stamp: string;
  readonly payload: Buffer;
}

/**
 * At most so many outcomes, and so many bytes, in a block: fewer compress less (one alone to a quarter, eight to a seventh, fifty to a
 * ninth), more would cost whoever looks up one of them.
 */
const ROWS_MAX = 50;
const BYTES_MAX = 262_144;

const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
  dictionary: OUTCOME_DICTIONARY_1,
};
/** The first byte of a block: how the rest is to be read. */
const FORMAT_1 = 1;
/** More than a block ever holds: the largest result that its topic takes is far below. */
const OPENED_MAX = 64 * 1024 * 1024;

/** A block that is not what was written, or a row that points to none. */
export class BadBlock extends Error {
  override readonly name = 'BadBlock';
}

/** A row as its table has it: `lead` says how many rows before it the first one of its block is, which keeps the block as its payload. */
type StoredRow<Row extends OutcomeRow> = Omit<Row, 'stamp'> & {
  readonly stamp: string | null;
  readonly lead: number | null;
};

/** Rows that follow each other, as they are stored: results in blocks, dead letters and whatever is to be alone as they are. */
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

/** Cut where a block is full, and before and behind every row that is to be alone. */
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
 * Outcomes that follow each other as one block of bytes, which the first of their rows keeps: its format, then a frame of Zstandard
 * (RFC 8878) with a checksum and the dictionary of that format; in it how many there are, the lengths of each one's stamp and payload,
 * and then those, all numbers 4 bytes, the least first.
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

/** As many blocks are kept opened: whoever reads one outcome after another meets each again and again. */
const OPENED_BLOCKS = 64;
const opened = new Map<string, { readonly block: Buffer; readonly outcomes: readonly BlockPart[] }>();

function openBlock(block: Buffer): readonly BlockPart[] {
  // By its checksum it is found, by its bytes it is known.
  const checksum = block.toString('latin1', Math.max(0, block.length - 4));
  const known = opened.get(checksum);
  if (known?.block.equals(block)) return known.outcomes;
  const outcomes = unpackBlock(block);
  const [oldest] = opened.keys();
  if (opened.size === OPENED_BLOCKS && oldest !== undefined) opened.delete(oldest);
  opened.set(checksum, { block: Buffer.from(block), outcomes });
  return outcomes;
}

/** SQL: the payload of a row of `outcome` as `all_outcome` gives it. */
export const STORED_PAYLOAD = `case when lead is null then payload else int4send(lead) || (select head.payload from outcome as head
    where head.shard_id = outcome.shard_id and head.seq = outcome.seq - outcome.lead and head.month = outcome.month)
  end as payload`;

/** How many bytes stand before the block in what `all_outcome` gives as a payload: which of its outcomes is meant. */
const PLACE_BYTES = 4;

/** What is asked of a row of `all_outcome` by whoever reads what it says. */
export interface ViewedOutcome<P extends Buffer | null = Buffer> {
  readonly stamp: string | null;
  readonly payload: P;
}

/**
 * What a row of `all_outcome` says. A row that keeps its own stamp keeps its own payload; the payload of any other is the place in a block
 * and the block. Throws `BadBlock`.
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

/** The payload of a published result as `all_outcome` gives it, as text: a JSON object, whether it stood in a block or not. */
export const payloadText = (payload: Buffer): string =>
  (payload[0] === 0 ? readStored({ stamp: null, payload }).payload : payload).toString();

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { eventSchemas } from '@repo/contracts';

export type Format = 'csv' | 'ndjson';
type Fields = Readonly<Record<string, unknown>>;

/** The event that a line states, with its JSON as written where the line is JSON; or why it states none, without any value of the line. */
type Stated = { readonly type: string; readonly fields: Fields; readonly json: string } | { readonly problem: string };
export type Line = { readonly line: number } & Stated;

const LOADABLE = ['account.opened', 'binding.opened'] as const;
const SCHEMAS = new Map(
  eventSchemas().flatMap(({ topic, type, schema }) =>
    topic === 'members' && LOADABLE.some((each) => each === type)
      ? [[type, schema.properties as Readonly<Record<string, object>>] as const]
      : [],
  ),
);

/** Unknown columns that a problem names. */
const COLUMNS_SHOWN = 10;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The lines of a file as text; null for one that is no UTF-8, lest a name in another encoding be entered as something else. */
export async function* textsOf(file: Readable): AsyncGenerator<string | null, void> {
  // Each byte as a character, so that lines end where the file ends them, and each is decoded alone.
  file.setEncoding('latin1');
  for await (const bytes of createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })) yield decoded(bytes);
}

function decoded(bytes: string): string | null {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

/** Reads the lines of a file that holds accounts and bindings. Empty lines are none. */
export async function* readLines(texts: AsyncIterable<string | null>, format: Format): AsyncGenerator<Line, void> {
  let line = 0;
  let columns: Columns | string | undefined;
  for await (const given of texts) {
    line += 1;
    if (given === null) {
      yield { line, problem: 'expected UTF-8' };
      if (format === 'csv' && columns === undefined) return;
      continue;
    }
    const text = line === 1 ? given.replace(/^\ufeff/, '') : given;
    if (text.trim() === '') continue;
    if (format === 'ndjson') yield { line, ...fromJson(text) };
    else if (columns === undefined) {
      columns = columnsOf(text);
      if (typeof columns !== 'string') continue;
      yield { line, problem: columns };
      return;
    } else if (typeof columns !== 'string') yield { line, ...fromCells(text, columns) };
  }
}

/** One event per line, as in its message, with its type in `ce_type`. */
function fromJson(text: string): Stated {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    fields = null;
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    return { problem: 'expected a JSON object' };
  const { ce_type: type } = fields as { ce_type?: unknown };
  if (typeof type !== 'string' || !SCHEMAS.has(type))
    return { problem: `ce_type: expected one of ${LOADABLE.join(', ')}` };
  return { type, fields: fields as Fields, json: text };
}

interface Columns {
  readonly type: string;
  readonly names: readonly string[];
}

/** The event type and fields of a CSV header: with `binding_id` bindings, else accounts; or what is wrong with it. */
function columnsOf(text: string): Columns | string {
  const names = cellsOf(text);
  if (names === null) return 'expected every quote to be closed on its line';
  const type = names.includes('binding_id') ? 'binding.opened' : 'account.opened';
  const unknown = names.filter((name) => !Object.hasOwn(SCHEMAS.get(type) ?? {}, name));
  if (unknown.length > 0) {
    const named = unknown.length < names.length ? namedOf(unknown) : '';
    return `expected a header of the fields of ${type}: ${unknown.length} columns are none${named}`;
  }
  return new Set(names).size < names.length ? 'expected every column once' : { type, names };
}

/** Unknown columns by name, where they look like names of fields: a file without a header begins with somebody's data. */
function namedOf(unknown: readonly string[]): string {
  const names = unknown.filter((name) => /^[a-zA-Z][a-zA-Z_]{0,39}$/.test(name));
  if (names.length === 0) return '';
  const shown = names.slice(0, COLUMNS_SHOWN);
  return ` (${shown.join(', ')}${shown.length < unknown.length ? ', …' : ''})`;
}

/** An empty cell is an absent field; list items are separated by semicolons. */
function fromCells(text: string, { type, names }: Columns): Stated {
  const cells = cellsOf(text);
  if (cells === null) return { problem: 'expected every quote to be closed on its line' };
  if (cells.length !== names.length) return { problem: `expected ${names.length} cells` };
  const schema = SCHEMAS.get(type) ?? {};
  const stated = names.flatMap((name, i) => {
    const cell = cells[i] ?? '';
    return cell === '' ? [] : [[name, readCell(cell, schema[name] ?? {})] as const];
  });
  const fields = Object.fromEntries(stated);
  return { type, fields, json: JSON.stringify(fields) };
}

/** Converts a cell to the kind of its field. A cell that is not of that kind stays text, for the decoder to report. */
function readCell(cell: string, schema: object): unknown {
  const kinds = JSON.stringify(schema);
  if (kinds.includes('"boolean"')) return cell === 'true' ? true : cell === 'false' ? false : cell;
  if (kinds.includes('"integer"')) return /^-?\d{1,10}$/.test(cell) ? Number(cell) : cell;
  return kinds.includes('"array"') ? cell.split(';') : cell;
}

/**
 * The cells of one line; null where a quote is not closed on it. Unlike in a CSV library each line stands alone: an unclosed quote spoils
 * only its own line, and all others are still checked.
 */
function cellsOf(text: string): string[] | null {
  const cells: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return null;
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return cells;
  }
}

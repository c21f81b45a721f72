import { assert } from '@repo/domain';

/**
 * Sets of rows travel to and from PostgreSQL as one text: the driver's work for each value, and the server's for each array element, were a
 * third of a claim's cost. Fields and rows are separated by control characters, which no identifier may contain (see contracts) and which
 * JSON escapes.
 */
const FIELD = '\x1f';
const ROW = '\x1e';
/** Stands for NULL in a packed list. */
const NONE = '\x1d';

const FIELD_SQL = `E'\\x1f'`;
const ROW_SQL = `E'\\x1e'`;

/** SQL for a query that answers all its rows, of the given expressions, as one text; `from` is the rest of the query. */
export const packedQuery = (expressions: readonly string[], from: string): string =>
  `select string_agg(line, ${ROW_SQL}) as packed from (
     select concat(${expressions.join(`, ${FIELD_SQL}, `)}) as line
     from ${from}) as lines`;

/** The rows of a packed text, each a list of fields; NULL is read as an empty field. */
export const unpack = (packed: string | null): string[][] =>
  packed === null ? [] : packed.split(ROW).map((line) => line.split(FIELD));

/** A column of values as one text, for `listColumn`. A value may hold no character below U+0020. */
export function packList(values: readonly unknown[]): string {
  return pack(values.map(written));
}

const written = (value: unknown): string => (value === null || value === undefined ? NONE : String(value));

function pack(values: readonly string[]): string {
  const text = values.join(FIELD);
  assert(values.length === 0 || count(text) === values.length - 1, 'no value of a list contains its separator');
  return text;
}

function count(text: string): number {
  let found = 0;
  for (let at = text.indexOf(FIELD); at >= 0; at = text.indexOf(FIELD, at + 1)) found += 1;
  return found;
}

/** SQL that turns a packed parameter, such as `$3`, into an array. */
export const listColumn = (parameter: string, type: string): string =>
  `string_to_array(${parameter}, ${FIELD_SQL}, E'\\x1d')::${type}[]`;

/** Rows as input of a statement: the `from` item that holds them, named `given`, and its parameters from `$1` on. */
export function givenRows(
  columns: readonly (readonly [name: string, type: string])[],
  rows: readonly (readonly unknown[])[],
): { readonly given: string; readonly parameters: readonly string[] } {
  const lists = columns.map(([, type], i) => listColumn(`$${i + 1}`, type));
  return {
    given: `unnest(${lists}) as given (${columns.map(([name]) => name)})`,
    parameters: columns.map((_, i) => pack(rows.map((row) => written(row[i])))),
  };
}

/**
 * Sends an insert of `rows` with each column as one list: one statement and few parameters whatever the number of rows. Where no `on
 * conflict` or condition is needed, `copy` costs less.
 */
export function insertRows(
  tx: { send(sql: string, parameters: readonly unknown[]): void },
  table: string,
  columns: readonly (readonly [name: string, type: string])[],
  rows: readonly (readonly unknown[])[],
  options: {
    readonly onConflict?: string;
    readonly where?: string;
  } = {},
): void {
  if (rows.length === 0) return;
  const { onConflict = '', where } = options;
  const { given, parameters } = givenRows(columns, rows);
  const names = columns.map(([name]) => name);
  tx.send(
    `insert into ${table} (${names}) select ${names}
     from ${given} ${where === undefined ? '' : `where ${where}`} ${onConflict}`,
    parameters,
  );
}

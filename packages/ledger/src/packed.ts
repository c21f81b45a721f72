import { assert } from '@repo/domain';

/**
 * Sets of rows travel between us and PostgreSQL as one text: the driver's work for each value of each row, and the server's for each
 * element of an array, were a third of a claim's cost. Fields and rows are parted by control characters, which no identifier may
 * contain (see contracts) and JSON escapes.
 */
const FIELD = '\x1f';
const ROW = '\x1e';
/** Stands for NULL in a column of a written list. */
const NONE = '\x1d';

const FIELD_SQL = `E'\\x1f'`;
const ROW_SQL = `E'\\x1e'`;

/** SQL for a query whose rows, of the given expressions, come back as one text; `from` is the rest of the query. */
export const packedQuery = (expressions: readonly string[], from: string): string =>
  `select string_agg(line, ${ROW_SQL}) as packed from (
     select concat(${expressions.join(`, ${FIELD_SQL}, `)}) as line
     from ${from}) as lines`;

/** The rows of a packed text, each a list of its fields; an empty field was NULL. */
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

/** SQL for the array of a packed parameter, such as `$3`. */
export const listColumn = (parameter: string, type: string): string =>
  `string_to_array(${parameter}, ${FIELD_SQL}, E'\\x1d')::${type}[]`;

/** Rows handed to a statement: the `from` item that holds them, named `given`, and its parameters, `$1` onwards. */
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
 * Sends an insert of one row per element of `rows`, each column as one list: one statement and a handful of parameters for any size.
 * Where neither a conflict nor a condition is to be answered, `copy` costs less.
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

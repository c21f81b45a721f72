import { assert } from '@repo/domain';
import type { AccountRow, BindingRow } from './rows.ts';

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
     select ${expressions.map((expression) => `coalesce(${expression}::text, '')`).join(` || ${FIELD_SQL} || `)} as line
     from ${from}) as lines`;

/** The rows of a packed text, each a list of its fields; an empty field was NULL. */
export const unpack = (packed: string | null): string[][] =>
  packed === null ? [] : packed.split(ROW).map((line) => line.split(FIELD));

/** A column of values as one text, for `listColumn`. A value may hold no character below U+0020. */
export function packList(values: readonly unknown[]): string {
  const text = values.map((value) => (value === null || value === undefined ? NONE : String(value))).join(FIELD);
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
    parameters: columns.map((_, i) => packList(rows.map((row) => row[i]))),
  };
}

export const ACCOUNT_FIELDS = [
  'psn_no',
  'partition',
  'version',
  'year',
  'prior_year',
  'current_year',
  'held',
  'credits',
  'debits',
  'insutype',
  'psn_type',
  'employment',
  'insu_admdvs',
  'status',
  'card_active',
  'employer_enabled',
  'wallet_open',
  'uninsured_since',
  'arrears_since',
  'spell_since',
  'spell_start',
  'recovered_on',
  'as_of_period',
] as const satisfies readonly (keyof AccountRow)[];

const orNull = <T extends string>(text: string | undefined) => (text === undefined || text === '' ? null : (text as T));
const BOOLEAN_TRUE = 'true';

export function accountOf(fields: readonly string[]): AccountRow {
  const [
    psn_no = '',
    partition,
    version = '',
    year,
    prior_year = '',
    current_year = '',
    held = '',
    credits = '',
    debits = '',
  ] = fields;
  return {
    psn_no,
    partition: Number(partition),
    version,
    year: year === '' ? null : Number(year),
    prior_year,
    current_year,
    held,
    credits,
    debits,
    insutype: fields[9] ?? '',
    psn_type: fields[10] ?? '',
    employment: fields[11] ?? '',
    insu_admdvs: fields[12] ?? '',
    status: fields[13] ?? '',
    card_active: fields[14] === BOOLEAN_TRUE,
    employer_enabled: fields[15] === BOOLEAN_TRUE,
    wallet_open: fields[16] === BOOLEAN_TRUE,
    uninsured_since: orNull(fields[17]),
    arrears_since: orNull(fields[18]),
    spell_since: orNull(fields[19]),
    spell_start: fields[20] as AccountRow['spell_start'],
    recovered_on: orNull(fields[21]),
    as_of_period: fields[22] as AccountRow['as_of_period'],
  };
}

export const BINDING_FIELDS = [
  'payer',
  'binding_id',
  'beneficiary',
  'relation',
  'type',
  'state',
  'held_arrears',
  'held_employer_off',
  'held_user',
  'held_zero_balance',
  'priority',
  'floor(extract(epoch from bound_at) * 1000)',
  'effective_from',
  'effective_to',
  'daily_limit',
  'authorised_amount',
  'premium_registered',
] as const;

export function bindingOf(fields: readonly string[]): BindingRow {
  const [payer = '', binding_id = '', beneficiary = '', relation = '', type = '', state = ''] = fields;
  return {
    payer,
    binding_id,
    beneficiary,
    relation,
    type,
    state,
    held_arrears: orNull(fields[6]),
    held_employer_off: orNull(fields[7]),
    held_user: orNull(fields[8]),
    held_zero_balance: orNull(fields[9]),
    priority: fields[10] === '' ? null : Number(fields[10]),
    bound_at_ms: fields[11] ?? '',
    effective_from: fields[12] as BindingRow['effective_from'],
    effective_to: orNull(fields[13]),
    daily_limit: orNull(fields[14]),
    authorised_amount: orNull(fields[15]),
    premium_registered: fields[16] === BOOLEAN_TRUE,
  };
}

/** Amount fields: a JSON number in one of them is read from its source text, since a binary float would lose fen. */
const AMOUNT_FIELDS: readonly string[] = [
  'medfee_sumamt',
  'fund_pay_sumamt',
  'hosp_part_amt',
  'psn_part_amt',
  'fulamt_ownpay_amt',
  'overlmt_selfpay',
  'preselfpay_amt',
  'inscp_scp_amt',
  'amount',
  'prior_year',
  'current_year',
  'daily_limit',
  'authorised_amount',
];
const AMOUNT_FIELD_SET: ReadonlySet<string> = new Set(AMOUNT_FIELDS);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/** The JSON object in these bytes, with numbers in amount fields as their source text without exponent; null when they hold no JSON object in UTF-8. */
export function readJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const text = utf8.decode(bytes);
    const first: unknown = JSON.parse(text);
    if (typeof first !== 'object' || first === null || Array.isArray(first)) return null;
    const fields = first as Record<string, unknown>;
    if (!AMOUNT_FIELDS.some((name) => typeof fields[name] === 'number')) return fields;
    return JSON.parse(text, keepAmountSource as (this: unknown, key: string, value: unknown) => unknown);
  } catch {
    return null;
  }
}

const keepAmountSource: Reviver = (key, value, context) =>
  typeof value === 'number' && AMOUNT_FIELD_SET.has(key) ? withoutExponent(context.source ?? String(value)) : value;

const EXPONENT = /^(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/;
/** Digits of an amount before the point, and after it, at most. */
const WHOLE_DIGITS_MAX = 14;
const DECIMALS_MAX = 2;

/** A number without its exponent, exactly: `1.005e2` as `100.5`. One that is no amount stays as written: `1e400` would be a long text. */
function withoutExponent(source: string): string {
  const [match, whole = '', fraction = '', exponent] = EXPONENT.exec(source) ?? [];
  if (match === undefined) return source;
  const significant = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = withoutEndZeros(significant);
  if (digits === '') return '0';
  const point = significant.length - fraction.length + Number(exponent);
  if (point > WHOLE_DIGITS_MAX || digits.length - point > DECIMALS_MAX) return source;
  const split = Math.max(point, 0);
  const before = digits.slice(0, split).padEnd(split, '0') || '0';
  const after = digits.slice(split).padStart(digits.length - point, '0');
  return after === '' ? before : `${before}.${after}`;
}

/** In one pass; a pattern would begin anew at every zero. */
function withoutEndZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

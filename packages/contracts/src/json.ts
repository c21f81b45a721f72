/** Amount fields: a JSON number in one of them is read as its source text, since a binary float would lose fen. */
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

/** The JSON object in these bytes, with numbers in amount fields as their source text; null when they hold no JSON object in UTF-8. */
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
  typeof value === 'number' && AMOUNT_FIELD_SET.has(key) ? (context.source ?? value) : value;

import { dateOf, formatMoney, isZero } from '@repo/domain';
import { isAmount, parseInstant, toMoney } from './fields.ts';
import { ENDED } from './members-in.ts';

type Wire = Readonly<Record<string, unknown>>;

/** What an absent field means; stating this value adds nothing. */
const DEFAULTS: Wire = {
  hosp_part_amt: '0.00',
  purpose: 'MEDICAL',
  cross_region_filed: false,
  acct_used_flag: '1',
  status: 'ACTIVE',
  card_active: true,
  employer_enabled: true,
  wallet_open: false,
  type: 'FAMILY_SHARING',
  premium_registered: false,
  reason: 'USER',
  at_stated: false,
};

/** In a change every stated fact counts, and null clears a setting that may be absent. */
const NO_DEFAULTS: Wire = {};
const CLEARABLE: ReadonlySet<string> = new Set(['priority', 'daily_limit', 'authorised_amount', 'effective_to']);

const MOMENTS: ReadonlySet<string> = new Set(['setl_time', 'at', 'bound_at', 'as_of']);
const AMOUNT = /amt$|^(amount|overlmt_selfpay|prior_year|current_year|daily_limit|authorised_amount)$/;

/** An amount in the form that `formatMoney` gives it. */
const AS_WRITTEN = /^(?:0|[1-9]\d*)\.\d\d$/;

/**
 * An event's decoded fields as one text: the same for `"1"`, `1` and `"1.00"`, for a moment in any time zone, and for null, absent and
 * stated defaults. Two messages with the same id are the same event if and only if their texts are equal.
 */
export function canonicalContent(type: string, names: readonly string[], given: Wire): string {
  const wire = type === 'account.opened' ? withBothPortions(given) : given;
  const defaults = type.endsWith('.changed') ? NO_DEFAULTS : DEFAULTS;
  const parts: unknown[] = [type];
  for (const name of names) {
    const value = saysNothing(type, name, wire) ? undefined : wire[name];
    const plain = value == null ? cleared(type, name, value) : canonicalValue(name, value);
    if (plain !== undefined && plain !== defaults[name]) parts.push(name, plain);
  }
  return JSON.stringify(parts);
}

const cleared = (type: string, name: string, value: unknown): null | undefined =>
  value === null && type === 'binding.changed' && CLEARABLE.has(name) ? null : undefined;

/** Whether a stated field leaves the decoded event as it would be without the field. */
function saysNothing(type: string, name: string, wire: Wire): boolean {
  switch (name) {
    case 'at':
    case 'bound_at':
      return typeof wire.command_id === 'string' && wire.at_stated !== true;
    case 'state':
      // The state of a live binding follows from its reasons and dates.
      return !isEnded(wire);
    case 'pause_reasons':
      return isEnded(wire);
    case 'effective_from':
      return typeof wire.bound_at === 'string' && wire[name] === dateOf(parseInstant(wire.bound_at) ?? 0);
    case 'certno':
      // Not even a trace of it is kept, and so not in the content's hash.
      return true;
    case 'amount':
      return type === 'contribution.received' && isNothing(wire[name]);
    default:
      return false;
  }
}

/** Where one portion is stated there is an account, and the other portion is 0.00. */
function withBothPortions(wire: Wire): Wire {
  const { prior_year = null, current_year = null } = wire;
  if (prior_year === null && current_year === null) return wire;
  return { ...wire, prior_year: prior_year ?? '0.00', current_year: current_year ?? '0.00' };
}

const isEnded = ({ state }: Wire): boolean => ENDED.some((ended) => ended === state);
const isNothing = (amount: unknown): boolean =>
  typeof amount === 'string' && isAmount(amount) && isZero(toMoney(amount));

function canonicalValue(name: string, value: unknown): unknown {
  if (typeof value === 'string') {
    if (MOMENTS.has(name)) return parseInstant(value);
    if (!AMOUNT.test(name) || AS_WRITTEN.test(value) || !isAmount(value)) return value;
    return formatMoney(toMoney(value));
  }
  // The order of sets (months, reasons) does not matter, and an empty set says nothing.
  return Array.isArray(value) ? (value.length === 0 ? undefined : [...new Set(value)].sort()) : value;
}

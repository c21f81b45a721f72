import {
  type Binding,
  type Cause,
  type Claim,
  dateOf,
  type MemberEvent,
  type Money,
  money,
  type PauseReason,
  type Period,
  type Person,
  type PersonChanges,
  type Policy,
  parseDate,
  parsePeriod,
  yearOf,
  ZERO,
} from '../src/index.ts';
import { binding, claim, person } from './builders.ts';

/** A JSON object of a case file. */
export type Plain = Readonly<Record<string, unknown>>;
type Field = readonly [name: string, read: (value: unknown) => unknown];

const as = (kind: string, ok: boolean, value: unknown): unknown => {
  if (!ok) throw new Error(`expected ${kind}, found ${JSON.stringify(value)}`);
  return value;
};
const text = (value: unknown) => as('a text', typeof value === 'string', value);
const flag = (value: unknown) => as('true or false', typeof value === 'boolean', value);
const count = (value: unknown) => as('a number', value === null || typeof value === 'number', value);
const day = (value: unknown) => (value === null ? null : as('a date', parseDate(String(value)) !== null, value));
const month = (value: unknown): Period => as('a month', parsePeriod(String(value)) !== null, value) as Period;
const yuan = (value: unknown) => (value === null ? null : money(text(value) as string));
const set = (value: unknown) => new Set(as('a list', Array.isArray(value), value) as unknown[]);
export const moment = (value: unknown): number => {
  const ms = Date.parse(String(value));
  as('a moment', !Number.isNaN(ms), value);
  return ms;
};

/** Turns a JSON object into fields of the domain; a field that the table does not know stops with the list of those it does. */
function read(table: Readonly<Record<string, Field>>, given: Plain): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const field = table[name];
    if (field === undefined) throw new Error(`unknown field ${name}; known: ${Object.keys(table).join(', ')}`);
    fields[field[0]] = field[1](value);
  }
  return fields;
}

const FACTS: Readonly<Record<string, Field>> = {
  insutype: ['insuranceKind', text],
  psn_type: ['personCategory', text],
  employment: ['employment', text],
  insu_admdvs: ['insuredArea', text],
  insured: ['insured', flag],
  status: ['status', text],
  card_active: ['cardActive', flag],
  employer_enabled: ['employerEnabled', flag],
  wallet_open: ['walletOpen', flag],
};

const ACCOUNT: Readonly<Record<string, Field>> = {
  ...FACTS,
  prior_year: ['priorYear', yuan],
  current_year: ['currentYear', yuan],
  year: ['year', count],
  no_account: ['noAccount', flag],
  uninsured_since: ['uninsuredSince', day],
  arrears_since: ['arrearsSince', day],
  spell_start: ['lastSpellStart', day],
  recovered_on: ['recoveredOn', day],
  unpaid_periods: ['unpaidPeriods', (value) => [...set(value)].map(month)],
};

const BINDING: Readonly<Record<string, Field>> = {
  binding_id: ['bindingId', text],
  payer: ['payer', text],
  beneficiary: ['beneficiary', text],
  relation: ['relation', text],
  type: ['type', text],
  state: ['state', text],
  pause_reasons: ['holds', (value) => new Map(Object.entries(value as Plain).map(([name, from]) => [name, day(from)]))],
  priority: ['priority', count],
  bound_at: ['boundAt', moment],
  effective_from: ['effectiveFrom', day],
  effective_to: ['effectiveTo', day],
  daily_limit: ['dailyLimit', yuan],
  authorised_amount: ['authorisedAmount', yuan],
  premium_registered: ['premiumRegistered', flag],
};

const CLAIM: Readonly<Record<string, Field>> = {
  claim_id: ['claimId', text],
  psn_no: ['personNo', text],
  designated: ['designated', flag],
  fix_blng_admdvs: ['providerArea', text],
  med_type: ['visitType', text],
  purpose: ['purpose', text],
  cross_region_filed: ['crossRegionFiled', flag],
  acct_used_flag: ['accountsUsed', (value) => value !== '0'],
  setl_time: ['settledAt', moment],
  psn_part_amt: ['personalShare', yuan],
  fulamt_ownpay_amt: ['fullyOwnPaid', yuan],
  overlmt_selfpay: ['overLimit', yuan],
};

const POLICY_SETS = new Set(['allowedRelations', 'allowedServiceClasses', 'excludedPurposes', 'premiumRelations']);
const POLICY_AMOUNTS = new Set([
  'shareThreshold',
  'minRemaining',
  'dailyLimitDefault',
  'dailyLimitMax',
  'perClaimPayerCap',
]);

/** Policy overrides by the parameter names of a policy file. */
export function readPolicy(given: Plain, base: Policy): Policy {
  const overrides: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(base, name)) throw new Error(`unknown policy parameter ${name}`);
    if (POLICY_SETS.has(name)) overrides[name] = set(value);
    else if (POLICY_AMOUNTS.has(name)) overrides[name] = yuan(value);
    else if (name === 'residentPremium') {
      const years = Object.entries(value as Record<string, string[]>);
      overrides[name] = new Map(years.map(([year, tiers]) => [Number(year), tiers.map((tier) => money(tier))]));
    } else overrides[name] = value;
  }
  return { ...base, ...overrides };
}

interface ReadAccount extends Person {
  readonly priorYear?: Money;
  readonly currentYear?: Money;
  readonly year?: number;
  readonly noAccount?: boolean;
  readonly insured?: boolean;
}

export function readPerson(personNo: string, given: Plain): Person {
  const {
    priorYear = ZERO,
    currentYear = ZERO,
    year = 2025,
    noAccount = false,
    insured,
    ...facts
  } = read(ACCOUNT, given) as unknown as ReadAccount;
  const uninsuredSince = insured === false ? { uninsuredSince: person({ personNo }).lastSpellStart } : {};
  return person({
    ...uninsuredSince,
    ...facts,
    spellSince: facts.arrearsSince ?? facts.uninsuredSince ?? null,
    personNo,
    purse: noAccount ? null : { year, priorYear, currentYear },
  });
}

export const readBinding = (given: Plain): Binding => binding(read(BINDING, given) as Partial<Binding>);

export function readClaim(given: Plain): Claim {
  const {
    fullyOwnPaid = null,
    overLimit = null,
    ...fields
  } = read(CLAIM, given) as Partial<Claim> & {
    fullyOwnPaid?: Money;
    overLimit?: Money;
  };
  return claim({ ...fields, scope: { fullyOwnPaid, overLimit, preSelfPaid: null, inScope: null } });
}

const MOVES = {
  'binding.approved': 'BINDING_APPROVED',
  'binding.rejected': 'BINDING_REJECTED',
  'binding.revoked': 'BINDING_REVOKED',
  'binding.paused': 'BINDING_PAUSED',
} as const;

/** A member event as its topic would carry it, `type` for `ce_type`; `at` is its moment. */
export function readEvent({ type, at: when, ...given }: Plain): MemberEvent {
  const at = moment(when);
  const cause: Cause = { type: String(type), id: 'case' };
  const { psn_no: personNo = '', payer = '', binding_id: bindingId = '' } = given as Record<string, string>;
  switch (type) {
    case 'account.opened': {
      const { unpaid_periods, arrears_since = null, psn_no, ...facts } = given;
      const opened = readPerson(personNo, { year: yearOf(dateOf(at)), ...facts });
      const unpaidPeriods = (read(ACCOUNT, { unpaid_periods: unpaid_periods ?? [] }).unpaidPeriods ?? []) as Period[];
      const arrearsSince = day(arrears_since) as Person['arrearsSince'];
      return { kind: 'ACCOUNT_OPENED', at, cause, name: null, unpaidPeriods, arrearsSince, asOf: at, person: opened };
    }
    case 'account.changed': {
      const { psn_no, ...changes } = given;
      return { kind: 'ACCOUNT_CHANGED', at, cause, personNo, changes: read(FACTS, changes) as PersonChanges };
    }
    case 'account.credited':
      return { kind: 'ACCOUNT_CREDITED', at, cause, personNo, amount: yuan(given.amount) as Money, reference: 'case' };
    case 'contribution.received':
    case 'contribution.recovered': {
      const amount = yuan(given.amount ?? null) as Money | null;
      return { kind: 'CONTRIBUTION_PAID', at, cause, personNo, period: month(given.period), amount, reference: 'case' };
    }
    case 'contribution.missed': {
      const dueDate = day(given.due_date) as NonNullable<Person['arrearsSince']>;
      return { kind: 'CONTRIBUTION_MISSED', at, cause, personNo, period: month(given.period), dueDate };
    }
    case 'binding.opened':
      return { kind: 'BINDING_OPENED', at, cause, binding: readBinding(given) };
    case 'binding.requested':
      return {
        kind: 'BINDING_REQUESTED',
        at,
        cause,
        binding: readBinding({ state: 'PENDING', ...given, bound_at: when }),
      };
    case 'binding.approved':
    case 'binding.rejected':
    case 'binding.revoked':
    case 'binding.paused':
      return { kind: MOVES[type], at, cause, payer, bindingId };
    case 'binding.resumed': {
      const reason = (given.reason ?? 'USER') as Extract<PauseReason, 'USER' | 'ARREARS'>;
      return { kind: 'BINDING_RESUMED', at, cause, payer, bindingId, reason };
    }
    case 'binding.changed': {
      const { payer: _, binding_id, ...changes } = given;
      return { kind: 'BINDING_CHANGED', at, cause, payer, bindingId, changes: read(BINDING, changes) };
    }
    case 'refund.paid': {
      const refundId = String(given.refund_id);
      return { kind: 'REFUND_PAID', at, cause, personNo, refundId, amount: yuan(given.amount) as Money };
    }
    default:
      throw new Error(`unknown event type ${JSON.stringify(type)}`);
  }
}

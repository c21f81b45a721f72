import {
  type AccountStatus,
  type Binding,
  type BindingState,
  type BindingType,
  type CalendarDate,
  type Employment,
  formatInstant,
  formatMoney,
  type Money,
  money,
  type PauseReason,
  type Period,
  type Person,
  type Relation,
} from '@repo/domain';

/** A row of `account` as the driver gives it: numbers as text, dates as text. */
export interface AccountRow {
  psn_no: string;
  partition: number;
  version: string;
  year: number | null;
  prior_year: string;
  current_year: string;
  held: string;
  credits: string;
  debits: string;
  insutype: string;
  psn_type: string;
  employment: string;
  insu_admdvs: string;
  status: string;
  card_active: boolean;
  employer_enabled: boolean;
  wallet_open: boolean;
  uninsured_since: CalendarDate | null;
  arrears_since: CalendarDate | null;
  spell_since: CalendarDate | null;
  spell_start: CalendarDate;
  recovered_on: CalendarDate | null;
  as_of_period: Period;
}

export const ACCOUNT_COLUMNS = `psn_no, partition, version, year, prior_year, current_year, held, credits, debits, insutype, psn_type,
  employment, insu_admdvs, status, card_active, employer_enabled, wallet_open, uninsured_since::text, arrears_since::text,
  spell_since::text, spell_start::text, recovered_on::text, as_of_period`;

export function toPerson(row: AccountRow): Person {
  return {
    personNo: row.psn_no,
    insuranceKind: row.insutype,
    personCategory: row.psn_type,
    employment: row.employment as Employment,
    insuredArea: row.insu_admdvs,
    purse:
      row.year === null
        ? null
        : { year: row.year, priorYear: money(row.prior_year), currentYear: money(row.current_year) },
    status: row.status as AccountStatus,
    cardActive: row.card_active,
    employerEnabled: row.employer_enabled,
    walletOpen: row.wallet_open,
    uninsuredSince: row.uninsured_since,
    arrearsSince: row.arrears_since,
    spellSince: row.spell_since,
    lastSpellStart: row.spell_start,
    recoveredOn: row.recovered_on,
    asOfPeriod: row.as_of_period,
  };
}

export interface BindingRow {
  payer: string;
  binding_id: string;
  beneficiary: string;
  relation: string;
  type: string;
  state: string;
  held_arrears: CalendarDate | null;
  held_employer_off: CalendarDate | null;
  held_user: CalendarDate | null;
  held_zero_balance: CalendarDate | null;
  priority: number | null;
  bound_at_ms: string;
  effective_from: CalendarDate;
  effective_to: CalendarDate | null;
  daily_limit: string | null;
  authorised_amount: string | null;
  premium_registered: boolean;
}

export const BINDING_COLUMNS = `payer, binding_id, beneficiary, relation, type, state, held_arrears::text, held_employer_off::text,
  held_user::text, held_zero_balance::text, priority, floor(extract(epoch from bound_at) * 1000)::text as bound_at_ms,
  effective_from::text, effective_to::text, daily_limit, authorised_amount, premium_registered`;

export function toBinding(row: BindingRow): Binding {
  const holds = new Map<PauseReason, CalendarDate>();
  if (row.held_arrears !== null) holds.set('ARREARS', row.held_arrears);
  if (row.held_employer_off !== null) holds.set('EMPLOYER_OFF', row.held_employer_off);
  if (row.held_user !== null) holds.set('USER', row.held_user);
  if (row.held_zero_balance !== null) holds.set('ZERO_BALANCE', row.held_zero_balance);
  return {
    bindingId: row.binding_id,
    payer: row.payer,
    beneficiary: row.beneficiary,
    relation: row.relation as Relation,
    type: row.type as BindingType,
    state: row.state as BindingState,
    holds,
    priority: row.priority,
    boundAt: Number(row.bound_at_ms),
    effectiveFrom: row.effective_from,
    effectiveTo: row.effective_to,
    dailyLimit: toMoneyOrNull(row.daily_limit),
    authorisedAmount: toMoneyOrNull(row.authorised_amount),
    premiumRegistered: row.premium_registered,
  };
}

const toMoneyOrNull = (text: string | null): Money | null => (text === null ? null : money(text));
const fromMoneyOrNull = (amount: Money | null): string | null => (amount === null ? null : formatMoney(amount));

/** Columns of `binding` in the order of `bindingValues`, with their types for `unnest`. */
export const BINDING_WRITE = [
  ['payer', 'text'],
  ['binding_id', 'text'],
  ['beneficiary', 'text'],
  ['relation', 'text'],
  ['type', 'text'],
  ['state', 'text'],
  ['held_arrears', 'date'],
  ['held_employer_off', 'date'],
  ['held_user', 'date'],
  ['held_zero_balance', 'date'],
  ['priority', 'int'],
  ['bound_at', 'timestamptz'],
  ['effective_from', 'date'],
  ['effective_to', 'date'],
  ['daily_limit', 'numeric'],
  ['authorised_amount', 'numeric'],
  ['premium_registered', 'boolean'],
] as const;

export const bindingValues = (binding: Binding): unknown[] => [
  binding.payer,
  binding.bindingId,
  binding.beneficiary,
  binding.relation,
  binding.type,
  binding.state,
  binding.holds.get('ARREARS') ?? null,
  binding.holds.get('EMPLOYER_OFF') ?? null,
  binding.holds.get('USER') ?? null,
  binding.holds.get('ZERO_BALANCE') ?? null,
  binding.priority,
  formatInstant(binding.boundAt),
  binding.effectiveFrom,
  binding.effectiveTo,
  fromMoneyOrNull(binding.dailyLimit),
  fromMoneyOrNull(binding.authorisedAmount),
  binding.premiumRegistered,
];

/** Columns of `account` that are facts, not money, in the order of `factValues`. */
export const FACT_WRITE = [
  ['psn_no', 'text'],
  ['insutype', 'text'],
  ['psn_type', 'text'],
  ['employment', 'text'],
  ['insu_admdvs', 'text'],
  ['status', 'text'],
  ['card_active', 'boolean'],
  ['employer_enabled', 'boolean'],
  ['wallet_open', 'boolean'],
  ['uninsured_since', 'date'],
  ['arrears_since', 'date'],
  ['spell_since', 'date'],
  ['spell_start', 'date'],
  ['recovered_on', 'date'],
  ['as_of_period', 'text'],
  ['year', 'int'],
] as const;

export const factValues = (person: Person): unknown[] => [
  person.personNo,
  person.insuranceKind,
  person.personCategory,
  person.employment,
  person.insuredArea,
  person.status,
  person.cardActive,
  person.employerEnabled,
  person.walletOpen,
  person.uninsuredSince,
  person.arrearsSince,
  person.spellSince,
  person.lastSpellStart,
  person.recoveredOn,
  person.asOfPeriod,
  person.purse?.year ?? null,
];

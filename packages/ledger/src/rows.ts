import {
  type AccountStatus,
  addDays,
  type Binding,
  type BindingState,
  type BindingType,
  type CalendarDate,
  date,
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

/** Separates the facts that the server keeps as one generated text beside their columns. */
const FACT = '\x1c';

/** A row of `account` with the columns that the domain knows; amounts and facts as text. */
export interface AccountRow {
  psn_no: string;
  year: number | null;
  prior_year: string;
  current_year: string;
  facts: string;
}
export const ACCOUNT_COLUMNS = 'psn_no, year, prior_year, current_year, facts';

export interface BindingRow {
  payer: string;
  binding_id: string;
  beneficiary: string;
  facts: string;
}
export const BINDING_COLUMNS = 'payer, binding_id, beneficiary, facts';

// The remembered facts come first in both: only then does V8 copy them as a whole and not one by one.

export const toPerson = (row: AccountRow): Person => ({
  ...personFacts(row.facts),
  personNo: row.psn_no,
  purse:
    row.year === null
      ? null
      : { year: row.year, priorYear: money(row.prior_year), currentYear: money(row.current_year) },
});

export function toBinding({ payer, binding_id: bindingId, beneficiary, facts }: BindingRow): Binding {
  const boundAt = facts.slice(0, facts.indexOf(FACT));
  return {
    ...bindingFacts(facts.slice(boundAt.length + 1)),
    bindingId,
    payer,
    beneficiary,
    boundAt: Number(boundAt),
  };
}

/** Caches parsed facts: most rows share them with many others, and parsing them is most of the cost of reading a row. */
function remembered<Facts extends object>(read: (fields: readonly string[]) => Facts): (facts: string) => Facts {
  const known = new Map<string, Facts>();
  return (facts) => {
    let found = known.get(facts);
    if (found === undefined) {
      found = read(facts.split(FACT));
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(facts, found);
    }
    return found;
  };
}
const REMEMBERED_MAX = 10_000;

const EPOCH = date('1970-01-01');
const dayOf = (days = ''): CalendarDate | null => (days === '' ? null : addDays(EPOCH, Number(days)));
const dayIn = (days = ''): CalendarDate => addDays(EPOCH, Number(days));

/** The order is that of the column `account.facts`. */
const personFacts = remembered((facts): Omit<Person, 'personNo' | 'purse'> => {
  const [insuranceKind = '', personCategory = '', employment, insuredArea = '', status, ...rest] = facts;
  const [card, employer, wallet, uninsured, arrears, spell, spellStart, recovered, asOf] = rest;
  return {
    insuranceKind,
    personCategory,
    employment: employment as Employment,
    insuredArea,
    status: status as AccountStatus,
    cardActive: card === 'y',
    employerEnabled: employer === 'y',
    walletOpen: wallet === 'y',
    uninsuredSince: dayOf(uninsured),
    arrearsSince: dayOf(arrears),
    spellSince: dayOf(spell),
    lastSpellStart: dayIn(spellStart),
    recoveredOn: dayOf(recovered),
    asOfPeriod: asOf as Period,
  };
});

/** The order is that of the column `binding.facts`, after the moment of binding. */
const bindingFacts = remembered((facts): Omit<Binding, 'bindingId' | 'payer' | 'beneficiary' | 'boundAt'> => {
  const [relation, type, state, arrears, employerOff, user, zeroBalance, priority = '', ...rest] = facts;
  const [from, to, dailyLimit = '', authorised = '', premium] = rest;
  const holds = new Map<PauseReason, CalendarDate>();
  const hold = (reason: PauseReason, since: CalendarDate | null) => since !== null && holds.set(reason, since);
  hold('ARREARS', dayOf(arrears));
  hold('EMPLOYER_OFF', dayOf(employerOff));
  hold('USER', dayOf(user));
  hold('ZERO_BALANCE', dayOf(zeroBalance));
  return {
    relation: relation as Relation,
    type: type as BindingType,
    state: state as BindingState,
    holds,
    priority: priority === '' ? null : Number(priority),
    effectiveFrom: dayIn(from),
    effectiveTo: dayOf(to),
    dailyLimit: dailyLimit === '' ? null : money(dailyLimit),
    authorisedAmount: authorised === '' ? null : money(authorised),
    premiumRegistered: premium === 'y',
  };
});

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

import type { Place } from './household.ts';
import type { Random } from './random.ts';

/** The made-up day: a Tuesday in March, after two monthly credits of the year. */
export const DAY = '2026-03-10';
export const MIDNIGHT = `${DAY}T00:00:00+08:00`;

/** The value of an `account.opened` message. */
export interface AccountOpened {
  readonly psn_no: string;
  readonly psn_name: string;
  readonly insutype: '310' | '390';
  readonly psn_type: string;
  readonly employment: 'ACTIVE' | 'FLEXIBLE' | 'RETIRED' | 'NONE';
  readonly insu_admdvs: string;
  readonly insured: boolean;
  readonly prior_year?: string;
  readonly current_year?: string;
  readonly as_of?: string;
  readonly status?: 'ACTIVE' | 'FROZEN' | 'CLOSED';
  readonly card_active?: boolean;
  readonly wallet_open?: boolean;
  readonly unpaid_periods?: readonly string[];
  readonly arrears_since?: string;
}

/** Fen as yuan with two decimals. Made-up prices are whole fen in JS numbers, far below 2^53, and leave only as text. */
export const yuan = (fen: number): string => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

interface Identity {
  readonly psn_no: string;
  readonly psn_name: string;
  readonly insu_admdvs: string;
}

/** How this person is insured and what their account holds on the morning of the day. */
export function openAccount(random: Random, place: Place, identity: Identity): AccountOpened {
  const kind = insurance(random, place);
  const insured = !random.chance(0.004);
  if (kind.insutype === '390') return { ...identity, ...kind, insured };
  return {
    ...identity,
    ...kind,
    insured,
    ...balances(random, place, kind.employment),
    ...troubles(random, kind.employment),
  };
}

/**
 * Children, students and adults without work are residents (390), whose insurance has no personal account; in a coastal city
 * about four adults in five are employee-insured (310). Retirement at 60 for men, 50 or 55 for women: the gradual rise of
 * the age that began in 2025 amounts to a few months so far.
 */
function insurance(random: Random, { age, sex }: Place): Pick<AccountOpened, 'insutype' | 'psn_type' | 'employment'> {
  if (age < 22) return { insutype: '390', psn_type: '14', employment: 'NONE' };
  const retires = sex === 'M' ? 60 : random.chance(0.5) ? 55 : 50;
  const employee = random.chance(age < retires ? 0.84 : age < 75 ? 0.72 : 0.58);
  if (!employee) return { insutype: '390', psn_type: age < 60 ? '15' : '16', employment: 'NONE' };
  if (age >= retires)
    return { insutype: '310', psn_type: random.chance(0.08) ? '1202' : '1201', employment: 'RETIRED' };
  return random.weighted([
    [83, { insutype: '310', psn_type: '1101', employment: 'ACTIVE' }],
    [7, { insutype: '310', psn_type: '1102', employment: 'ACTIVE' }],
    [10, { insutype: '310', psn_type: '1103', employment: 'FLEXIBLE' }],
  ]);
}

/**
 * Since the reform of 2021 (国办发〔2021〕14号) an employee's account is credited with their own contribution, 2 % of the base;
 * a base lies between 60 % and 300 % of the mean wage, here 4,900 to 25,000 yuan, so 98 to 500 yuan a month. A retiree
 * gets a fixed sum, about 2 % of the mean pension of the reform's year: 110 to 180 yuan a month. Nationwide the accounts hold
 * some 3,700 yuan per insured employee; what is left depends far more on how often someone was ill than on what came in.
 */
function balances(random: Random, { age }: Place, employment: AccountOpened['employment']) {
  const base = Math.min(25_000, Math.max(4_900, random.logNormal(8_200, 0.45)));
  const monthly = employment === 'RETIRED' ? random.between(110, 140) + (age >= 70 ? 40 : 0) : base * 0.02;
  const left = Math.round(2 * monthly * 100 * random.next() ** 0.6);
  const saved =
    employment === 'RETIRED'
      ? random.logNormal(1_500, 1.15)
      : monthly * 12 * (age - 21) * (employment === 'FLEXIBLE' ? 0.25 : 0.55) * random.next() ** 2;
  const empty = random.chance(employment === 'RETIRED' ? 0.1 : 0.06);
  return {
    prior_year: yuan(empty ? 0 : Math.round(saved * 100)),
    current_year: yuan(empty && random.chance(0.5) ? 0 : left),
    as_of: MIDNIGHT,
  };
}

/** A few in a hundred stopped paying, had their account frozen or never activated the card. Retirees owe nothing. */
function troubles(random: Random, employment: AccountOpened['employment']): Partial<AccountOpened> {
  const behind = employment === 'FLEXIBLE' ? 0.12 : employment === 'ACTIVE' ? 0.02 : 0;
  const status = random.weighted<'ACTIVE' | 'FROZEN' | 'CLOSED'>([
    [990, 'ACTIVE'],
    [7, 'FROZEN'],
    [3, 'CLOSED'],
  ]);
  return {
    ...(status !== 'ACTIVE' && { status }),
    ...(random.chance(0.015) && { card_active: false }),
    ...(random.chance(0.4) && { wallet_open: true }),
    // January and February unpaid; January's last day was the due date, so the arrears began the day after.
    ...(random.chance(behind) && { unpaid_periods: ['2026-01', '2026-02'], arrears_since: '2026-02-01' }),
  };
}

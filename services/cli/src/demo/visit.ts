import { MIDNIGHT, yuan } from './account.ts';
import type { Person } from './binding.ts';
import type { Place } from './household.ts';
import type { Random } from './random.ts';

/** The value of a `claim.submitted` message. */
export interface ClaimSubmitted {
  readonly claim_id: string;
  readonly mdtrt_id: string;
  readonly psn_no: string;
  readonly fixmedins_code: string;
  readonly designated: boolean;
  readonly fix_blng_admdvs: string;
  readonly med_type: string;
  readonly setl_time: string;
  readonly medfee_sumamt: string;
  readonly fund_pay_sumamt: string;
  readonly hosp_part_amt: string;
  readonly psn_part_amt: string;
  readonly purpose?: string;
  readonly cross_region_filed?: boolean;
  readonly acct_used_flag?: '0' | '1';
  readonly fulamt_ownpay_amt?: string;
  readonly overlmt_selfpay?: string;
  readonly preselfpay_amt?: string;
  readonly inscp_scp_amt?: string;
}

/** Visits by age: often as a small child, seldom as a young adult, most in old age. People average some seven a year. */
export const visitsPerYear = ({ age }: Place): number =>
  age < 6 ? 8 : age < 18 ? 4 : age < 45 ? 4.5 : age < 60 ? 6.5 : age < 75 ? 11 : 14;

/** The hours from 6 to 21 of clinics (peaks at 8-11 and 14-16) and of pharmacies (after work), each adding up to about 13. */
const CLINICS = [0.1, 0.7, 1.7, 2, 1.9, 1.1, 0.4, 0.5, 1.5, 1.4, 0.9, 0.4, 0.3, 0.3, 0.2, 0.1];
const PHARMACIES = [0.1, 0.3, 0.6, 0.8, 0.8, 0.8, 0.7, 0.6, 0.6, 0.7, 0.8, 1.1, 1.5, 1.7, 1.4, 0.6];
/** Three visits of ten are to a pharmacy. */
const PHARMACY_SHARE = 0.3;
export const FIRST_HOUR = 6;
export const HOURS = CLINICS.length;
/** The day's first moment, in milliseconds since 1970, and how long it lasts. */
export const FIRST_MS = Date.parse(MIDNIGHT) + FIRST_HOUR * 3_600_000;
export const DAY_MS = HOURS * 3_600_000;

const hourWeight = (hour: number): number =>
  (1 - PHARMACY_SHARE) * (CLINICS[hour] ?? 0) + PHARMACY_SHARE * (PHARMACIES[hour] ?? 0);
const DAY_WEIGHT = CLINICS.reduce((total, _, hour) => total + hourWeight(hour), 0);

/** The second of the day by which this share (0 to 1) of the day's visits has been settled. */
export function secondOfDay(share: number): number {
  let left = share * DAY_WEIGHT;
  for (let hour = 0; hour < HOURS; hour += 1) {
    const weight = hourWeight(hour);
    if (left < weight) return Math.floor((FIRST_HOUR + hour + left / weight) * 3600);
    left -= weight;
  }
  return (FIRST_HOUR + HOURS) * 3600 - 1;
}

/**
 * What a visit costs. Medians and spreads give the means of the national health statistics: about 350 yuan for an outpatient
 * visit and somewhat over 10,000 for a stay. `pooled` is the share the pooled fund takes of an employee's bill; residents get
 * about a fifth less. `bare` is how often it takes nothing, as below the yearly deductible or for what a pharmacy sells.
 */
const PRICES = {
  '11': { median: 230, sigma: 0.85, pooled: 0.55, bare: 0.25 },
  '12': { median: 18, sigma: 0.5, pooled: 0.4, bare: 0.5 },
  '13': { median: 420, sigma: 0.8, pooled: 0.55, bare: 0.15 },
  '14': { median: 380, sigma: 0.7, pooled: 0.8, bare: 0.02 },
  '16': { median: 260, sigma: 0.6, pooled: 0.5, bare: 0.25 },
  '21': { median: 7_200, sigma: 0.85, pooled: 0.78, bare: 0 },
  '41': { median: 78, sigma: 0.7, pooled: 0.45, bare: 0.7 },
  '51': { median: 320, sigma: 0.6, pooled: 0.6, bare: 0.1 },
  '81': { median: 300, sigma: 0.9, pooled: 0.5, bare: 0.2 },
} as const;
type VisitType = keyof typeof PRICES;

function visitType(random: Random, { age, sex }: Place, hour: number): VisitType {
  const pharmacies = PHARMACY_SHARE * (PHARMACIES[hour] ?? 0);
  if (random.chance(pharmacies / hourWeight(hour))) return '41';
  const chronic = age >= 60 ? 22 : age >= 40 ? 8 : 1;
  return random.weighted([
    [100, '11'],
    [6, '12'],
    [5, '13'],
    [chronic, '14'],
    [age >= 30 ? 9 : 3, '16'],
    [age >= 60 ? 3 : 1.2, '21'],
    [sex === 'F' && age >= 23 && age <= 40 ? 6 : 0, '51'],
    [1, '81'],
  ]);
}

/** The bill in fen: total = pooled fund + hospital + person, exactly; a stay also tells what lies outside the catalogue. */
function bill(random: Random, type: VisitType, employee: boolean) {
  const { median, sigma, pooled, bare } = PRICES[type];
  const total = Math.max(100, Math.round(random.logNormal(median, sigma) * 100));
  const share = random.chance(bare)
    ? 0
    : Math.max(0, Math.min(0.95, random.normal(employee ? pooled : pooled * 0.8, 0.08)));
  const stay = type === '21';
  // What the hospital bears itself is rare: costs it may not pass on.
  const hospital = stay && random.chance(0.03) ? Math.round(total * 0.01) : 0;
  const outside = stay ? Math.round(total * (1 - share) * 0.4 * random.next()) : 0;
  const before = stay ? Math.round(outside * 0.3) : 0;
  const fund = Math.min(Math.round(total * share), total - hospital - outside - before);
  return {
    medfee_sumamt: yuan(total),
    fund_pay_sumamt: yuan(fund),
    hosp_part_amt: yuan(hospital),
    psn_part_amt: yuan(total - fund - hospital),
    ...(stay && {
      fulamt_ownpay_amt: yuan(outside),
      overlmt_selfpay: '0.00',
      preselfpay_amt: yuan(before),
      inscp_scp_amt: yuan(total - outside - before),
    }),
  };
}

/** One visit of this person, settled at that second of the day. */
export function visit(
  random: Random,
  person: Person,
  id: string,
  time: { second: number; iso: string },
): ClaimSubmitted {
  const { psn_no, insutype, insu_admdvs } = person.account;
  const type = visitType(random, person, Math.floor(time.second / 3600) - FIRST_HOUR);
  // People are treated where they live, now and then in the next city or in Shanghai.
  const away = random.chance(type === '41' ? 0.005 : 0.025);
  const area = away ? random.pick(['310104', '330402', '330602']) : `${insu_admdvs.slice(0, 4)}02`;
  const shop = Math.floor(random.next() ** 2 * (type === '41' ? 300 : 40)) + 1;
  const designated = !random.chance(0.003);
  return {
    claim_id: `C${id}`,
    mdtrt_id: `M${id}`,
    psn_no,
    fixmedins_code: `${type === '41' ? 'P' : 'H'}${area}${String(shop).padStart(5, '0')}`,
    designated,
    fix_blng_admdvs: area,
    med_type: type,
    setl_time: time.iso,
    ...bill(random, type, insutype === '310' && designated),
    ...(away && random.chance(0.6) && { cross_region_filed: true }),
    ...(random.chance(0.004) && { acct_used_flag: '0' as const }),
    ...(random.chance(0.002) && { purpose: random.pick(['FITNESS', 'WELLNESS', 'PUBLIC_HEALTH']) }),
  };
}

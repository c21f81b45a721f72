import { mulberry32 } from '@repo/seeded';

/** A made-up town: families of five, and the claims of their patients. Everything follows from the seed. Amounts are integer fen. */

export const FAMILIES = 10_000;
export const FAMILY_SIZE = 5;
/** A region without rules of its own, so that the nationwide ones hold: six relations, own account first, then relatives by priority. */
export const REGION = '410100';
export const RELATIONS = ['SPOUSE', 'PARENT', 'CHILD', 'SIBLING'] as const;
export const OPENED_AT = '2025-01-06T09:00:00+08:00';
/** Claims begin on its tenth, a tenth of a second apart. */
export const CLAIMS_MONTH = '2025-03';

interface Member {
  readonly personNo: string;
  /** Fen in the prior-year and the current-year portion. */
  readonly priorYear: number;
  readonly currentYear: number;
}

interface Binding {
  readonly bindingId: string;
  readonly payer: string;
  readonly beneficiary: string;
  readonly relation: (typeof RELATIONS)[number];
  readonly priority: number;
}

/** The first member is the patient; the others pay for them, in the order of the list. */
export type Family = readonly [patient: Member, ...relatives: Member[]];

export interface Claim {
  readonly claimId: string;
  readonly patient: string;
  /** What the patient has to bear, in fen. */
  readonly personalShare: number;
  /** The event as it stands on the topic. */
  readonly event: Readonly<Record<string, unknown>>;
}

/** An event of the members topic. */
export interface MemberMessage {
  readonly type: string;
  readonly key: string;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Whole numbers from 0 up to, but not including, `below`. */
export function randomFrom(seed: number): (below: number) => number {
  const next = mulberry32(seed);
  return (below) => Math.floor(next() * below);
}

export const yuan = (fen: number): string => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

const personNoOf = (number: number): string => `${REGION}${String(number).padStart(10, '0')}`;

/** The most a member has in each portion, in fen: the patient, three relatives whose accounts soon run dry, and one who is well off. */
const PORTION_MAX = [12_000, 7_000, 7_000, 7_000, 60_000] as const;

interface FamilyOptions {
  readonly size?: number;
  readonly penniless?: boolean;
}

/**
 * The families. Balances are small beside the claims, so that the cascade works: at first mostly the patient's own account pays, then
 * one relative after another, in the end only cash. Over six claims a family, a claim touches 1.6 accounts on the average.
 */
export const makeFamilies = (seed: number, count = FAMILIES, options: FamilyOptions = {}): Family[] => [
  ...drawFamilies(seed, count, options),
];

/** The same one by one, for a town that memory should not have to hold. */
export function* drawFamilies(
  seed: number,
  count: number,
  { size = FAMILY_SIZE, penniless = false }: FamilyOptions = {},
): Generator<Family, void> {
  const random = randomFrom(seed);
  const member = (family: number, index: number): Member => {
    const portionMax = penniless ? 0 : (PORTION_MAX[index] ?? 0);
    const personNo = personNoOf(family * size + index);
    return { personNo, priorYear: random(portionMax), currentYear: random(portionMax) };
  };
  for (let family = 0; family < count; family += 1) {
    const relatives = Array.from({ length: size - 1 }, (_, index) => member(family, index + 1));
    yield [member(family, 0), ...relatives];
  }
}

/** The same families, with one payer for all of them, who is asked first and has more than all could want. */
export function shareAPayer(families: readonly Family[]): Family[] {
  const payer = { personNo: `${REGION}9999999999`, priorYear: 0, currentYear: 10 ** 12 };
  return families.map(([patient, ...relatives]) => [patient, payer, ...relatives.slice(1)]);
}

/** The same families, with a last relative each who has more than all their claims could want. */
export function keepOneRich(families: readonly Family[]): Family[] {
  return families.map(([patient, ...relatives]) => [
    patient,
    ...relatives.slice(0, -1),
    ...relatives.slice(-1).map((last) => ({ ...last, currentYear: 10 ** 12 })),
  ]);
}

export const bindingsOf = ([patient, ...relatives]: Family): Binding[] =>
  relatives.map(({ personNo }, index) => ({
    bindingId: `B${patient.personNo}-${index + 1}`,
    payer: personNo,
    beneficiary: patient.personNo,
    relation: RELATIONS[index] ?? 'SIBLING',
    priority: index + 1,
  }));

/** The events by which a family enters the system, in an order in which each can be taken. */
export function memberEvents(family: Family): MemberMessage[] {
  const accounts = family.map(({ personNo, priorYear, currentYear }) => ({
    type: 'account.opened',
    key: personNo,
    event: {
      psn_no: personNo,
      insutype: '310',
      psn_type: '1101',
      employment: 'ACTIVE',
      insu_admdvs: REGION,
      insured: true,
      prior_year: yuan(priorYear),
      current_year: yuan(currentYear),
      as_of: OPENED_AT,
    },
  }));
  const bindings = bindingsOf(family).map(({ bindingId, payer, beneficiary, relation, priority }) => ({
    type: 'binding.opened',
    key: payer,
    event: { binding_id: bindingId, payer, beneficiary, relation, priority, bound_at: OPENED_AT },
  }));
  return [...accounts, ...bindings];
}

/** Claims of patients drawn evenly from the families: a priced outpatient visit of which the patient bears 10 to 200 yuan. */
export function makeClaims(options: {
  seed: number;
  count: number;
  families: readonly Family[];
  idPrefix: string;
}): Claim[] {
  const { seed, count, families, idPrefix } = options;
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, index) => {
    const family = families[random(families.length)];
    if (family === undefined) throw new RangeError('there are no families to draw from');
    const patient = family[0].personNo;
    const personalShare = 1_000 + random(19_001);
    const fundPaid = random(40_000);
    const claimId = `${idPrefix}${String(index).padStart(8, '0')}`;
    const time = new Date(Date.UTC(2025, 2, 10, 0, 0, 0) + index * 100).toISOString();
    const event = {
      claim_id: claimId,
      mdtrt_id: `M${claimId}`,
      psn_no: patient,
      fixmedins_code: `H${REGION}00001`,
      designated: true,
      fix_blng_admdvs: REGION,
      med_type: '11',
      setl_time: time,
      medfee_sumamt: yuan(personalShare + fundPaid),
      fund_pay_sumamt: yuan(fundPaid),
      psn_part_amt: yuan(personalShare),
    };
    return { claimId, patient, personalShare, event };
  });
}

import { draw, heldOf, seenOn } from './account.ts';
import { isInArrears } from './arrears.ts';
import { payFromRelatives, rankRelatives } from './cascade.ts';
import { shanghaiDate } from './dates.ts';
import { min, sum, toYuan } from './fen.ts';
import { type Policy, withinScope } from './policy.ts';
import { reviewZeroBalance } from './sharing.ts';
import type { WireObject } from './types.ts';
import type { Fields } from './wire.ts';
import type { Debit, Person, World } from './world.ts';

const AMOUNTS = ['medfee_sumamt', 'fund_pay_sumamt', 'hosp_part_amt', 'psn_part_amt'] as const;
const SCOPE_AMOUNTS = ['fulamt_ownpay_amt', 'overlmt_selfpay', 'preselfpay_amt', 'inscp_scp_amt'] as const;

const SERVICE_CLASSES: Readonly<Record<string, readonly string[]>> = {
  OUTPATIENT: ['11', '12', '13', '16', '81', '3102'],
  OUTPATIENT_SPECIAL: ['14', '15'],
  INPATIENT: ['21', '22', '23', '24', '25', '26', '28', '3101'],
  PHARMACY: ['41'],
  MATERNITY: ['51', '52'],
  PHYSICAL_EXAM: ['9107'],
};

/** The service class of a visit type: the exact code, else its longest listed prefix, else OTHER. */
function serviceClass(med_type: string): string {
  for (let length = med_type.length; length > 0; length -= 1) {
    const prefix = med_type.slice(0, length);
    const found = Object.entries(SERVICE_CLASSES).find(([, codes]) => codes.includes(prefix));
    if (found !== undefined) return found[0];
  }
  return 'OTHER';
}

function clearingClass(med_type: string): string {
  const service = serviceClass(med_type);
  if (service === 'PHARMACY') return '41';
  if (service === 'INPATIENT' || med_type.startsWith('52')) return '21';
  return ['OUTPATIENT', 'OUTPATIENT_SPECIAL'].includes(service) || med_type.startsWith('51') ? '11' : '99';
}

/** Tests 2 and 3 of the outcome table, on a claim whose fields are all there. */
export function amountRefusal(claim: Fields): 'CLAIM_AMOUNT_INVALID' | 'CLAIM_IDENTITY_VIOLATION' | null {
  const isValid = (name: string) => {
    const amount = claim.all.get(name);
    return amount === undefined || (typeof amount === 'bigint' && amount >= 0n);
  };
  if (![...AMOUNTS, ...SCOPE_AMOUNTS].every(isValid)) return 'CLAIM_AMOUNT_INVALID';
  const total = claim.fen('medfee_sumamt');
  const [fund, hospital, personal] = [
    claim.fen('fund_pay_sumamt'),
    claim.fen('hosp_part_amt'),
    claim.fen('psn_part_amt'),
  ];
  if (total !== fund + hospital + personal) return 'CLAIM_IDENTITY_VIOLATION';
  const hasScope = SCOPE_AMOUNTS.every((name) => claim.has(name));
  const isOff = hasScope && total !== sum(SCOPE_AMOUNTS.map((name) => claim.fen(name)));
  return isOff ? 'CLAIM_IDENTITY_VIOLATION' : null;
}

/** Tests 5 to 8 of the outcome table: settles or refuses a claim that was never seen before, and publishes the result. */
export function answerClaim(world: World, claim: Fields): void {
  const patient = world.persons.get(claim.text('psn_no'));
  const date = shanghaiDate(claim.instant('setl_time').ms);
  const code = claimRefusal(world, claim, patient, date);
  const regions = patient === undefined ? [] : [patient.insu_admdvs];
  const result: CascadeResult = { debits: [], skipped: [], regions };
  if (code === null && patient !== undefined) {
    runCascade(world, claim, patient, date, result);
    const cash = claim.fen('psn_part_amt') - sum(result.debits.map(heldOf));
    world.settled.set(claim.text('claim_id'), {
      kind: 'claim',
      psn_no: claim.text('psn_no'),
      date,
      debits: result.debits,
      cash,
      cash_returned: 0n,
    });
  }
  publishSettlement(world, claim, patient, code, result);
  const cause = { ce_type: 'claim.submitted', id: claim.text('claim_id') };
  for (const account of new Set(result.debits.map((debit) => debit.account))) {
    reviewZeroBalance(world, world.person(account), date, cause);
  }
}

function claimRefusal(world: World, claim: Fields, patient: Person | undefined, date: string): string | null {
  if (patient === undefined) return 'BENEFICIARY_UNKNOWN';
  if (!claim.flag('designated')) return 'INSTITUTION_NOT_DESIGNATED';
  return world.policy(patient, date).excludedPurposes.includes(claim.text('purpose')) ? 'PURPOSE_EXCLUDED' : null;
}

/** What the cascade gathers while it goes from source to source. */
export interface CascadeResult {
  readonly debits: Debit[];
  readonly skipped: WireObject[];
  /** Insured areas whose policy was consulted, in order. */
  readonly regions: string[];
}

function runCascade(world: World, claim: Fields, patient: Person, date: string, result: CascadeResult): void {
  const policy = world.policy(patient, date);
  let remaining = claim.fen('psn_part_amt');
  if (policy.accountScope === 'IN_SCOPE_ONLY') {
    remaining -= claim.fenOr('fulamt_ownpay_amt', 0n) + claim.fenOr('overlmt_selfpay', 0n);
  }
  if (remaining <= 0n) return;
  const relatives = rankRelatives(world, patient, policy, date);
  const code = ownRefusal(claim, patient, policy, date);
  if (code === null && patient.account !== null) {
    const { prior_year, current_year } = seenOn(patient.account, date);
    const amount = min(remaining, prior_year + current_year);
    const parts = draw(patient.account, date, amount, policy, true);
    result.debits.push({ source: 'OWN', account: patient.psn_no, binding: null, uses_authorised: false, parts });
    remaining -= amount;
  } else {
    result.skipped.push({ source: 'OWN', account: patient.psn_no, code });
  }
  payFromRelatives(
    world,
    { claim, patient, policy, date, relatives, service: serviceClass(claim.text('med_type')) },
    remaining,
    result,
  );
}

/** The first failing test of the own account, in its order; null = usable. */
function ownRefusal(claim: Fields, patient: Person, policy: Policy, date: string): string | null {
  const { account } = patient;
  if (account === null || patient.insutype !== '310') return 'OWN_NO_ACCOUNT';
  if (claim.text('acct_used_flag') === '0') return 'ACCOUNT_USE_DECLINED';
  if (patient.status === 'FROZEN') return 'OWN_ACCOUNT_FROZEN';
  if (patient.status === 'CLOSED') return 'OWN_ACCOUNT_CLOSED';
  if (policy.requireCardActive && !patient.card_active) return 'OWN_CARD_INACTIVE';
  if (!policy.ownAccountUsableInArrears && isInArrears(patient, policy, date)) return 'OWN_IN_ARREARS';
  const isAway = !withinScope(
    'SAME_POOLING_AREA',
    policy.poolAreaDigits,
    patient.insu_admdvs,
    claim.text('fix_blng_admdvs'),
  );
  if (policy.ownRequiresCrossRegionFiling && isAway && !claim.flag('cross_region_filed')) {
    return 'OWN_CROSS_REGION_NOT_FILED';
  }
  return account.prior_year + account.current_year === 0n ? 'OWN_ZERO_BALANCE' : null;
}

function publishSettlement(
  world: World,
  claim: Fields,
  patient: Person | undefined,
  code: string | null,
  result: CascadeResult,
): void {
  const paid = (source: string) => sum(result.debits.filter((debit) => debit.source === source).map(heldOf));
  const { account } = patient ?? { account: null };
  const echoed = (name: string) => [name, claim.text(name)] as const;
  const value = {
    ...Object.fromEntries(['claim_id', 'mdtrt_id', 'psn_no', 'fixmedins_code', 'med_type'].map(echoed)),
    medins_setl_id: claim.textOr('medins_setl_id', null),
    clr_type: clearingClass(claim.text('med_type')),
    setl_time: claim.instant('setl_time').text,
    refd_setl_flag: '0',
    status: code === null ? 'SETTLED' : 'REFUSED',
    code,
    ...Object.fromEntries(AMOUNTS.map((name) => [name, toYuan(claim.fen(name))])),
    acct_pay: toYuan(paid('OWN')),
    acct_mulaid_pay: toYuan(paid('RELATIVE')),
    psn_cash_pay: toYuan(claim.fen('psn_part_amt') - paid('OWN') - paid('RELATIVE')),
    balc: toYuan(account === null ? 0n : account.prior_year + account.current_year),
    allocation: result.debits.map(allocationOf),
    skipped: result.skipped,
    policy: [...new Set(result.regions)].map((region) => ({ region })),
  };
  const type = code === null ? 'settlement.settled' : 'settlement.refused';
  world.publish('settlements', claim.text('psn_no'), type, value, ['setl_id', 'policy[].version']);
}

function allocationOf(debit: Debit): WireObject {
  const from = (portion: string) =>
    toYuan(sum(debit.parts.filter((part) => part.portion === portion).map((part) => part.amount)));
  const { binding } = debit;
  return {
    source: debit.source,
    account: debit.account,
    ...(binding === null ? {} : { binding_id: binding.binding_id, relation: binding.relation }),
    amount: toYuan(heldOf(debit)),
    prior_year: from('prior_year'),
    current_year: from('current_year'),
  };
}

import { draw, seenOn, sharable } from './account.ts';
import { isBlocked, isWaiting } from './arrears.ts';
import type { CascadeResult } from './claims.ts';
import { min } from './fen.ts';
import { type Policy, withinScope } from './policy.ts';
import type { Fields } from './wire.ts';
import { type Binding, type Person, usageKey, type World } from './world.ts';

export interface ClaimCase {
  /** Who is asked, in order: by what they had before the claim, so before the patient's own account pays. */
  readonly relatives: readonly Binding[];
  readonly claim: Fields;
  readonly patient: Person;
  /** The policy of the patient's area. */
  readonly policy: Policy;
  readonly date: string;
  readonly service: string;
}

interface Rank {
  readonly binding: Binding;
  /** Sharable balance at the start of the claim. */
  readonly balance: bigint;
}

/** The patient's bindings in the order in which they are asked. */
export function rankRelatives(world: World, patient: Person, policy: Policy, date: string): Binding[] {
  const ranks = world
    .bindingsFor(patient.psn_no)
    .map((binding) => ({ binding, balance: balanceOf(world, world.persons.get(binding.payer), date) }));
  return ranks.sort((one, other) => compareRanks(one, other, policy.payerOrder)).map(({ binding }) => binding);
}

/** Lets the patient's relatives pay in order until nothing remains; each one reached either pays or is skipped with one code. */
export function payFromRelatives(world: World, given: ClaimCase, toPay: bigint, result: CascadeResult): void {
  const { relatives, date } = given;
  const paidByPayer = new Map<string, bigint>();
  let remaining = toPay;
  for (const binding of relatives) {
    if (remaining === 0n) return;
    const payer = world.person(binding.payer);
    const rules = world.policy(payer, date);
    result.regions.push(payer.insu_admdvs);
    const capLeft =
      rules.perClaimPayerCap === null ? null : rules.perClaimPayerCap - (paidByPayer.get(payer.psn_no) ?? 0n);
    const code =
      relativeRefusal(world, given, binding, payer, rules) ?? (capLeft === 0n ? 'DAILY_LIMIT_REACHED' : null);
    if (code !== null || payer.account === null) {
      result.skipped.push({ source: 'RELATIVE', account: payer.psn_no, binding_id: binding.binding_id, code });
      continue;
    }
    const isAuthorised = rules.sharablePortion === 'PRIOR_YEAR_AUTHORISED';
    const bounds = [
      balanceOf(world, payer, date) - rules.minRemaining,
      headroom(world, binding, rules, date),
      isAuthorised ? (binding.authorised_amount ?? 0n) : null,
      capLeft,
    ];
    const amount = min(remaining, ...bounds.filter((bound) => bound !== null));
    const parts = draw(payer.account, date, amount, rules, false);
    result.debits.push({ source: 'RELATIVE', account: payer.psn_no, binding, uses_authorised: isAuthorised, parts });
    if (isAuthorised) binding.authorised_amount = (binding.authorised_amount ?? 0n) - amount;
    world.day_usage.set(usageKey(binding, date), (world.day_usage.get(usageKey(binding, date)) ?? 0n) + amount);
    paidByPayer.set(payer.psn_no, (paidByPayer.get(payer.psn_no) ?? 0n) + amount);
    remaining -= amount;
  }
}

function compareRanks(one: Rank, other: Rank, payerOrder: Policy['payerOrder']): number {
  if (payerOrder === 'BALANCE_DESC' && one.balance !== other.balance) return one.balance > other.balance ? -1 : 1;
  const [first, second] = [one.binding, other.binding];
  if (first.priority !== second.priority) {
    return (first.priority ?? Number.POSITIVE_INFINITY) < (second.priority ?? Number.POSITIVE_INFINITY) ? -1 : 1;
  }
  if (first.bound_at !== second.bound_at) return first.bound_at - second.bound_at;
  return Buffer.compare(Buffer.from(first.binding_id), Buffer.from(second.binding_id));
}

/** Sharable balance as an event of that date sees it; nothing where there is no account. */
export function balanceOf(world: World, payer: Person | undefined, date: string): bigint {
  if (payer === undefined || payer.account === null) return 0n;
  return sharable(seenOn(payer.account, date), world.policy(payer, date));
}

/** What the binding's daily limit leaves on a date; null = no limit. */
function headroom(world: World, binding: Binding, rules: Policy, date: string): bigint | null {
  const { dailyLimitDefault, dailyLimitMax } = rules;
  const wanted = binding.daily_limit ?? dailyLimitDefault ?? dailyLimitMax;
  if (wanted === null) return null;
  const limit = dailyLimitMax === null ? wanted : min(wanted, dailyLimitMax);
  const left = limit - (world.day_usage.get(usageKey(binding, date)) ?? 0n);
  // A limit lowered after the day's first debit may leave less than nothing.
  return left > 0n ? left : 0n;
}

/** The first failing test of a relative's account, in the order of the rule's table; null = usable. */
function relativeRefusal(
  world: World,
  { claim, patient, date, service }: ClaimCase,
  binding: Binding,
  payer: Person,
  rules: Policy,
): string | null {
  if (claim.text('acct_used_flag') === '0') return 'ACCOUNT_USE_DECLINED';
  const bindingCode = bindingRefusal(binding, date);
  if (bindingCode !== null) return bindingCode;
  if (!rules.sharingEnabled) return 'SHARING_NOT_ENABLED';
  if (!rules.allowedRelations.includes(binding.relation)) return 'RELATION_NOT_ALLOWED';
  if (!rules.allowedServiceClasses.includes(service)) return 'SERVICE_CLASS_NOT_COVERED';
  const accountCode = payerAccountRefusal(payer);
  if (accountCode !== null) return accountCode;
  if (rules.requireCardActive && !payer.card_active) return 'PAYER_CARD_INACTIVE';
  if (rules.inactiveOwnCardBlocksSharing && !patient.card_active) return 'BENEFICIARY_CARD_INACTIVE';
  if (rules.requireBeneficiaryInsured && !patient.insured) return 'BENEFICIARY_NOT_INSURED';
  const areaCode = areaRefusal(claim, patient, payer, rules);
  if (areaCode !== null) return areaCode;
  const isEmployerOff = !payer.employer_enabled || binding.reasons.has('EMPLOYER_OFF');
  if (rules.requireEmployerEnabled && payer.employment === 'ACTIVE' && isEmployerOff) return 'EMPLOYER_NOT_ENABLED';
  const pauseCode = pauseRefusal(payer, binding, rules, date);
  if (pauseCode !== null) return pauseCode;
  const balance = balanceOf(world, payer, date);
  if (balance === 0n) return 'PAYER_ZERO_BALANCE';
  if (rules.shareThreshold !== null && balance <= rules.shareThreshold) return 'BELOW_SHARE_THRESHOLD';
  if (balance <= rules.minRemaining) return 'MIN_REMAINING_REACHED';
  const authorised = binding.authorised_amount ?? 0n;
  if (rules.sharablePortion === 'PRIOR_YEAR_AUTHORISED' && authorised === 0n) return 'AUTHORISED_AMOUNT_EXHAUSTED';
  return headroom(world, binding, rules, date) === 0n ? 'DAILY_LIMIT_REACHED' : null;
}

/** Tests 2 to 5: the kind of link, its state and its dates. Premiums share them. */
export function bindingRefusal(binding: Binding, date: string): string | null {
  if (binding.type !== 'FAMILY_SHARING') return 'NOT_A_SHARING_BINDING';
  if (binding.payer === binding.beneficiary) return 'SELF_BINDING';
  if (binding.stage !== 'LIVE') return `BINDING_${binding.stage}`;
  if (date < binding.effective_from) return 'BINDING_NOT_YET_EFFECTIVE';
  return binding.effective_to !== null && date > binding.effective_to ? 'BINDING_EXPIRED' : null;
}

/** Tests 9 and 10: the payer's insurance and the status of the account. Premiums share them. */
export function payerAccountRefusal(payer: Person): string | null {
  if (payer.account === null || payer.insutype !== '310') return 'PAYER_NOT_EMPLOYEE_INSURED';
  return payer.status === 'ACTIVE' ? null : `PAYER_ACCOUNT_${payer.status}`;
}

/** Tests 14 to 16: where the patient and the institution belong, seen from the payer's area. */
function areaRefusal(claim: Fields, patient: Person, payer: Person, rules: Policy): string | null {
  const home = payer.insu_admdvs;
  const { poolAreaDigits: digits } = rules;
  if (!withinScope(rules.memberScope, digits, home, patient.insu_admdvs)) return 'MEMBER_OUT_OF_AREA';
  const isCrossProvince = home.slice(0, 2) !== patient.insu_admdvs.slice(0, 2);
  if (isCrossProvince && rules.requireWalletCrossProvince && !(payer.wallet_open && patient.wallet_open)) {
    return 'WALLET_NOT_OPEN';
  }
  const isInside = withinScope(rules.institutionScope, digits, home, claim.text('fix_blng_admdvs'));
  return isInside ? null : 'INSTITUTION_OUT_OF_AREA';
}

/** Tests 18 to 20: arrears, waiting, the payer's own switch. Premiums share them. */
export function pauseRefusal(payer: Person, binding: Binding, rules: Policy, date: string): string | null {
  if (isBlocked(payer, binding, rules, date)) return 'PAYER_IN_ARREARS';
  if (isWaiting(payer, rules, date)) return 'PAYER_RESUME_WAITING';
  return binding.reasons.has('USER') ? 'PAUSED_BY_USER' : null;
}

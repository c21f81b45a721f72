import type { Area } from './area.ts';
import { assert } from './assert.ts';
import { type CalendarDate, dateOf, yearOf } from './calendar.ts';
import type { Claim } from './claim.ts';
import type { ClaimRefusalCode, OwnSkipCode, RelativeSkipCode } from './codes.ts';
import type { FamilyView } from './family.ts';
import {
  add,
  atLeastZero,
  compareMoney,
  isNegative,
  isPositive,
  isZero,
  least,
  type Money,
  subtract,
  sum,
  ZERO,
} from './money.ts';
import { evaluateOwn } from './own-account.ts';
import type { Binding, Person } from './person.ts';
import type { Policy, PolicyLookup, Relation } from './policy.ts';
import { balanceOf, foldTo, moveInto, outOf, type Portions, type Purse, sharableOf, splitDraw } from './purse.ts';
import { evaluateRelative, type LimitParameter } from './relative-account.ts';
import { serviceClassOf } from './service-class.ts';

/** One account's payment in yuan, and how it was drawn: a refund returns it the same way, whatever has changed since. */
interface Draw extends Portions {
  readonly account: string;
  readonly amount: Money;
  readonly order: Policy['portionOrder'];
}

export interface OwnAllocation extends Draw {
  readonly source: 'OWN';
}

export interface RelativeAllocation extends Draw {
  readonly source: 'RELATIVE';
  readonly bindingId: string;
  readonly relation: Relation;
  /** Whether it used up part of the binding's authorised amount. */
  readonly authorised: boolean;
}

export type Allocation = OwnAllocation | RelativeAllocation;

/** A source that was asked and paid nothing. */
export type Skip =
  | { readonly source: 'OWN'; readonly account: string; readonly code: OwnSkipCode }
  | {
      readonly source: 'RELATIVE';
      readonly account: string;
      readonly bindingId: string;
      readonly code: RelativeSkipCode;
      /** For a limit: the region's parameter that set it. Absent where the binding's own limit applied, and for every other code. */
      readonly parameter?: LimitParameter;
    };

/** How a claim's personal share was divided. `accountPaid + mutualAidPaid + cashPaid` is the personal share; yuan. */
export interface Settlement {
  readonly status: 'SETTLED' | 'REFUSED';
  readonly code: ClaimRefusalCode | null;
  readonly on: CalendarDate;
  readonly allocation: readonly Allocation[];
  readonly skipped: readonly Skip[];
  /** Allocations and skips together, in the order in which the accounts were asked. */
  readonly asked: readonly (Allocation | Skip)[];
  readonly accountPaid: Money;
  readonly mutualAidPaid: Money;
  readonly cashPaid: Money;
  /** The patient's own account afterwards; 0.00 without one. */
  readonly balance: Money;
  /** The rules that applied: the patient's insured area first, then that of each payer who was asked. */
  readonly policies: readonly RulesApplied[];
}

/** An insured area, and the exact rules that held there: `330000@2024-12-01.71048378`. */
export interface RulesUsed {
  readonly region: Area;
  readonly version: string;
}

/** Rules of a settlement, and the payers judged by them. */
export interface RulesApplied extends RulesUsed {
  readonly payers: readonly string[];
}

interface Rules extends RulesApplied {
  readonly payers: string[];
}

/** Names the rules of an area for an outcome: equal names mean equal rules. */
export const rulesUsed = (region: Area, policy: Policy): RulesUsed => ({
  region,
  version: `${policy.region}@${policy.version}`,
});

/**
 * The deduction cascade (rule 5): the patient's own account, then the authorised relatives' accounts in order, the rest in cash. Pure: the
 * same claim, family and policies always give the same settlement. Lack of money is never a refusal.
 */
export function decideClaim(claim: Claim, family: FamilyView, policyOf: PolicyLookup): Settlement {
  const on = dateOf(claim.settledAt);
  const patient = family.person(claim.personNo);
  if (patient === undefined) return refused(claim, on, 'BENEFICIARY_UNKNOWN', ZERO, []);
  const policy = policyOf(patient.insuredArea, on);
  const ownBalance = patient.purse === null ? ZERO : balanceOf(patient.purse);
  const rules = [{ ...rulesUsed(patient.insuredArea, policy), payers: [] }];
  if (!claim.designated) return refused(claim, on, 'INSTITUTION_NOT_DESIGNATED', ownBalance, rules);
  if (policy.excludedPurposes.has(claim.purpose)) return refused(claim, on, 'PURPOSE_EXCLUDED', ownBalance, rules);

  const run = new Cascade(claim, on, family, policyOf, policy, rules);
  if (isPositive(run.remaining)) run.askOwn(patient);
  if (isPositive(run.remaining)) run.askRelatives(patient);
  return run.settle(ownBalance);
}

/** One claim on its way through the accounts. Changes nothing outside; what has been drawn so far is kept here. */
class Cascade {
  remaining: Money;
  readonly #claim: Claim;
  readonly #on: CalendarDate;
  readonly #family: FamilyView;
  readonly #policyOf: PolicyLookup;
  readonly #policy: Policy;
  readonly #rules: Rules[];
  readonly #allocation: Allocation[] = [];
  readonly #skipped: Skip[] = [];
  readonly #asked: (Allocation | Skip)[] = [];
  readonly #paid = { OWN: ZERO, RELATIVE: ZERO };
  readonly #drawn = new Map<string, Purse>();

  constructor(
    claim: Claim,
    on: CalendarDate,
    family: FamilyView,
    policyOf: PolicyLookup,
    policy: Policy,
    rules: Rules[],
  ) {
    this.#claim = claim;
    this.#on = on;
    this.#family = family;
    this.#policyOf = policyOf;
    this.#policy = policy;
    this.#rules = rules;
    this.remaining = payableByAccounts(claim, policy);
  }

  askOwn(patient: Person): void {
    const account = patient.personNo;
    const own = evaluateOwn(this.#claim, patient, this.#on, this.#policy);
    if ('code' in own) {
      this.#skip({ source: 'OWN', account, code: own.code });
      return;
    }
    const amount = least(this.remaining, balanceOf(own.purse));
    const drawn = this.#draw(account, own.purse, amount, this.#policy.portionOrder);
    this.#pay({ ...drawn, source: 'OWN' });
  }

  askRelatives(patient: Person): void {
    const serviceClass = serviceClassOf(this.#claim.visitType);
    for (const { binding, payer, policy } of this.#relativesInOrder()) {
      if (isZero(this.remaining)) return;
      this.#nameRules(payer ?? patient, policy, binding.payer);
      const source = { source: 'RELATIVE', account: binding.payer, bindingId: binding.bindingId } as const;
      const answer = evaluateRelative({
        claim: this.#claim,
        serviceClass,
        on: this.#on,
        patient,
        binding,
        payer: payer === undefined ? undefined : this.#asDrawn(payer),
        policy,
        usage: this.#family,
        paidInClaim: policy.perClaimPayerCap === null ? ZERO : this.#paidBy(binding.payer),
      });
      if ('code' in answer) {
        this.#skip({ ...source, ...answer });
        continue;
      }
      const amount = least(this.remaining, answer.most);
      const drawn = this.#draw(binding.payer, answer.purse, amount, drawOrder(policy));
      const authorised = usesAuthorisation(policy);
      this.#pay({ ...drawn, ...source, relation: binding.relation, authorised });
    }
  }

  settle(ownBalance: Money): Settlement {
    const { OWN: accountPaid, RELATIVE: mutualAidPaid } = this.#paid;
    const cashPaid = subtract(this.#claim.personalShare, add(accountPaid, mutualAidPaid));
    assert(!isNegative(cashPaid), 'no more is paid than the personal share');
    const paidByPatient = this.#drawn.get(this.#claim.personNo);
    return {
      status: 'SETTLED',
      code: null,
      on: this.#on,
      allocation: this.#allocation,
      skipped: this.#skipped,
      asked: this.#asked,
      accountPaid,
      mutualAidPaid,
      cashPaid,
      balance: paidByPatient === undefined ? ownBalance : balanceOf(paidByPatient),
      policies: this.#rules,
    };
  }

  /** The relatives in the order in which they are asked (rule 5.3); each payer's own region decides which part of the balance counts. */
  #relativesInOrder() {
    const byBalance = this.#policy.payerOrder === 'BALANCE_DESC';
    const relatives = this.#family.bindingsFor(this.#claim.personNo).map((binding) => {
      const payer = this.#family.person(binding.payer);
      const policy = payer === undefined ? this.#policy : this.#policyOf(payer.insuredArea, this.#on);
      const purse = byBalance ? payer?.purse : null;
      const sharable = purse ? sharableOf(foldTo(purse, yearOf(this.#on)), policy) : ZERO;
      return { binding, payer, policy, sharable };
    });
    return relatives.sort(
      (left, right) =>
        (byBalance ? compareMoney(right.sharable, left.sharable) : 0) || compareOrder(left.binding, right.binding),
    );
  }

  #pay(part: Allocation): void {
    this.#paid[part.source] = add(this.#paid[part.source], part.amount);
    this.#allocation.push(part);
    this.#asked.push(part);
  }

  #skip(skip: Skip): void {
    this.#skipped.push(skip);
    this.#asked.push(skip);
  }

  #draw(account: string, purse: Purse, amount: Money, order: Policy['portionOrder']): Draw {
    assert(isPositive(amount), 'an allocation is never 0.00');
    const parts = splitDraw(purse, amount, order);
    this.#drawn.set(account, moveInto(purse, outOf(parts)));
    this.remaining = subtract(this.remaining, amount);
    return { ...parts, account, amount, order };
  }

  /** A payer with two bindings is asked the second time with what the first draw left. */
  #asDrawn(payer: Person): Person {
    const purse = this.#drawn.get(payer.personNo);
    return purse === undefined ? payer : { ...payer, purse };
  }

  /** Names each area once, with every payer judged by its rules. */
  #nameRules({ insuredArea }: Person, policy: Policy, payer: string): void {
    const named = this.#rules.find(({ region }) => region === insuredArea);
    if (named === undefined) this.#rules.push({ ...rulesUsed(insuredArea, policy), payers: [payer] });
    else if (!named.payers.includes(payer)) named.payers.push(payer);
  }

  #paidBy(account: string): Money {
    const parts = this.#allocation.filter((part) => part.source === 'RELATIVE' && part.account === account);
    return sum(parts.map((part) => part.amount));
  }
}

/** The part of the personal share that accounts may pay: all of it, or only what is in the policy's scope. */
function payableByAccounts(claim: Claim, policy: Policy): Money {
  if (policy.accountScope === 'PERSONAL_BURDEN') return claim.personalShare;
  const outOfScope = add(claim.scope.fullyOwnPaid ?? ZERO, claim.scope.overLimit ?? ZERO);
  return atLeastZero(subtract(claim.personalShare, outOfScope));
}

/** The order in which a payer's portions are drawn. Where only prior-year money may be shared, nothing else is drawn. */
export const drawOrder = (policy: Policy): Policy['portionOrder'] =>
  policy.sharablePortion === 'TOTAL' ? policy.portionOrder : 'PRIOR_YEAR_FIRST';

export const usesAuthorisation = (policy: Policy): boolean => policy.sharablePortion === 'PRIOR_YEAR_AUTHORISED';

/** The order of relatives (rule 5.3): ascending priority with none last, then the earlier bound, then the id by code point. */
export function compareOrder(left: Binding, right: Binding): number {
  const byPriority = (left.priority ?? Number.POSITIVE_INFINITY) - (right.priority ?? Number.POSITIVE_INFINITY);
  if (byPriority !== 0 && !Number.isNaN(byPriority)) return byPriority;
  if (left.boundAt !== right.boundAt) return left.boundAt - right.boundAt;
  return compareCodePoints(left.bindingId, right.bindingId);
}

/** Compares by code point. JavaScript compares UTF-16 units, which puts characters outside the basic plane before some inside it. */
export function compareCodePoints(left: string, right: string): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
    if (a !== b) return rankOfUnit(a) - rankOfUnit(b);
  }
  return left.length - right.length;
}

/** Halves of characters outside the basic plane (D800 to DFFF) rank above every character inside it. */
const rankOfUnit = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit);

function refused(
  claim: Claim,
  on: CalendarDate,
  code: ClaimRefusalCode,
  balance: Money,
  policies: readonly RulesApplied[],
): Settlement {
  return {
    status: 'REFUSED',
    code,
    on,
    allocation: [],
    skipped: [],
    asked: [],
    accountPaid: ZERO,
    mutualAidPaid: ZERO,
    cashPaid: claim.personalShare,
    balance,
    policies,
  };
}

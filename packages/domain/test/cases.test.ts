import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  afterRefund,
  applyArrearsCheck,
  applyCrossing,
  applyMemberEvent,
  applyNewYear,
  applyPremium,
  applyRefund,
  applySettlement,
  balanceOf,
  type CalendarDate,
  date,
  decideClaim,
  decidePremium,
  decideRefund,
  enforceArrears,
  formatMoney,
  type Money,
  money,
  type Paid,
  type PolicyLookup,
  paidByClaim,
  paidByPremium,
  type SharingEvent,
  startOf,
  stateOn,
} from '../src/index.ts';
import { BASE_POLICY, World } from './builders.ts';
import { moment, type Plain, readBinding, readClaim, readEvent, readPerson, readPolicy } from './case-format.ts';

interface Case {
  readonly it: string;
  readonly policy?: Plain;
  readonly policy_by_area?: Readonly<Record<string, Plain>>;
  readonly accounts?: Readonly<Record<string, Plain>>;
  readonly bindings?: readonly Plain[];
  readonly used_today?: Readonly<Record<string, string>>;
  readonly claim?: Plain;
  readonly expected?: Plain;
  readonly steps?: readonly Step[];
  readonly after?: {
    readonly accounts?: Readonly<Record<string, Plain>>;
    readonly bindings?: Readonly<Record<string, Plain>>;
  };
}

interface Step {
  readonly claim?: Plain;
  readonly refund?: Plain;
  readonly premium?: Plain;
  readonly event?: Plain;
  /** A day of the calendar as the payer's next event finds it. */
  readonly calendar?: { readonly payer: string; readonly on: string };
  readonly arrears_check?: { readonly psn_no: string; readonly on: string };
  readonly expected: Plain;
}

const CASE_KEYS = [
  'it',
  'policy',
  'policy_by_area',
  'accounts',
  'bindings',
  'used_today',
  'claim',
  'expected',
  'steps',
  'after',
];
const folder = new URL('cases/', import.meta.url);

for (const file of readdirSync(folder).sort()) {
  describe(file, () => {
    const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Case[];
    for (const one of cases) test(one.it, () => run(one));
  });
}

/** The day of the claim step and of `used_today`, for cases that state none. */
const DAY = date('2025-03-10');

function run(one: Case): void {
  for (const key of Object.keys(one)) if (!CASE_KEYS.includes(key)) throw new Error(`unknown part of a case: ${key}`);
  const everywhere = readPolicy(one.policy ?? {}, BASE_POLICY);
  const byArea = Object.entries(one.policy_by_area ?? {}).map(([area, given]) => ({
    area,
    policy: readPolicy(given, everywhere),
  }));
  const policyOf: PolicyLookup = (area) => byArea.find((region) => area.startsWith(region.area))?.policy ?? everywhere;
  const world = new World(
    {
      persons: Object.entries(one.accounts ?? {}).map(([personNo, given]) => readPerson(personNo, given)),
      bindings: (one.bindings ?? []).map(readBinding),
      usage: Object.entries(one.used_today ?? {}).map(([bindingId, amount]) => ({
        bindingId,
        on: DAY,
        amount: money(amount),
      })),
    },
    policyOf,
  );
  const paid = new Map<string, Paid>();
  const steps = one.steps ?? [{ claim: one.claim ?? {}, expected: one.expected ?? {} }];
  steps.forEach((step, i) => {
    expect(Object.keys(step.expected), `step ${i + 1} expects something`).not.toHaveLength(0);
    expect(only(take(step, world, paid), step.expected), `step ${i + 1}`).toEqual(step.expected);
  });
  const shown = stateAfter(world, one);
  expect(only(shown, one.after ?? {})).toEqual(one.after ?? {});
}

/** Does one step and answers everything that can be expected of it. */
function take(step: Step, world: World, paid: Map<string, Paid>): Plain {
  const { books, policyOf } = world;
  if (step.claim !== undefined) {
    const claim = readClaim(step.claim);
    const settlement = decideClaim(claim, books, policyOf);
    applySettlement(claim, settlement, books);
    paid.set(claim.claimId, paidByClaim(claim, settlement));
    return {
      status: settlement.status,
      code: settlement.code,
      allocation: settlement.allocation.map(({ priorYear, currentYear, order, ...part }) => ({
        ...('bindingId' in part ? { binding_id: part.bindingId } : {}),
        source: part.source,
        account: part.account,
        amount: formatMoney(part.amount),
        prior_year: formatMoney(priorYear),
        current_year: formatMoney(currentYear),
      })),
      skipped: settlement.skipped.map((skip) => ({
        ...('bindingId' in skip ? { binding_id: skip.bindingId } : {}),
        source: skip.source,
        account: skip.account,
        code: skip.code,
      })),
      acct_pay: formatMoney(settlement.accountPaid),
      acct_mulaid_pay: formatMoney(settlement.mutualAidPaid),
      psn_cash_pay: formatMoney(settlement.cashPaid),
      balc: formatMoney(settlement.balance),
      events: crossings(world),
    };
  }
  if (step.refund !== undefined) return refund(step.refund, world, paid);
  if (step.premium !== undefined) return premium(step.premium, world, paid);
  if (step.event !== undefined) {
    const verdict = applyMemberEvent(readEvent(step.event), world);
    if (verdict.kind === 'DEAD') return { dead: verdict.code };
    return { events: verdict.events.map(shownEvent), due: verdict.due.map(({ dueOn }) => dueOn) };
  }
  if (step.arrears_check !== undefined) {
    const { psn_no, on } = step.arrears_check;
    const { marked, events, due } = applyArrearsCheck(world, psn_no, date(on), { type: 'arrears.check', id: 'case' });
    return { marked, events: events.map(shownEvent), due: due.map(({ dueOn }) => dueOn) };
  }
  if (step.calendar !== undefined)
    return { events: calendar(step.calendar.payer, date(step.calendar.on), world).map(shownEvent) };
  throw new Error('a step is a claim, refund, premium, event, arrears_check or calendar');
}

function refund(given: Plain, world: World, paid: Map<string, Paid>): Plain {
  const claimId = String(given.claim_id ?? 'C1');
  const original = paid.get(claimId);
  const request = {
    refundId: String(given.refund_id ?? 'R1'),
    claimId,
    personNo: String(given.psn_no ?? 'P1'),
    at: moment(given.at ?? '2025-03-11T09:00:00+08:00'),
    amount: given.amount === undefined ? null : given.amount === 'INVALID' ? 'INVALID' : money(String(given.amount)),
  } as const;
  const decision = decideRefund(request, original, world.books);
  if (original !== undefined && decision.status === 'REFUNDED') {
    applyRefund(request, original, decision, world.books);
    paid.set(claimId, afterRefund(original, decision));
  }
  return {
    status: decision.status,
    code: decision.code,
    amount: formatMoney(decision.amount),
    returned: decision.returned.map((step) =>
      step.source === 'CASH'
        ? { source: 'CASH', amount: formatMoney(step.amount) }
        : {
            source: step.allocation.source,
            account: step.allocation.account,
            amount: formatMoney(step.amount),
            prior_year: formatMoney(step.into.priorYear),
            current_year: formatMoney(step.into.currentYear),
            manual: step.manual,
          },
    ),
    acct_pay: formatMoney(decision.accountPaid),
    acct_mulaid_pay: formatMoney(decision.mutualAidPaid),
    psn_cash_pay: formatMoney(decision.cashPaid),
    events: crossings(world),
  };
}

function premium(given: Plain, world: World, paid: Map<string, Paid>): Plain {
  const request = {
    premiumId: String(given.premium_id ?? 'Q1'),
    payer: String(given.payer ?? 'P2'),
    beneficiary: String(given.beneficiary ?? 'P1'),
    year: Number(given.year ?? 2025),
    at: moment(given.at ?? '2025-03-10T10:00:00+08:00'),
    amount: given.amount === 'INVALID' ? 'INVALID' : money(String(given.amount ?? '400.00')),
  } as const;
  const decision = decidePremium(request, world.books, world.policyOf);
  applyPremium(request, decision, world.books);
  const part = decision.allocation;
  if (part !== null) paid.set(request.premiumId, paidByPremium(request, part, decision.on));
  return {
    status: decision.status,
    code: decision.code,
    binding_id: decision.bindingId,
    prior_year: part === null ? null : formatMoney(part.priorYear),
    current_year: part === null ? null : formatMoney(part.currentYear),
    events: crossings(world),
  };
}

/** What settling left for whoever pauses sharing, done at once. */
function crossings(world: World): Plain[] {
  const left = world.books.takeCrossings();
  return left
    .flatMap(({ payer, empty, at, cause }) => applyCrossing(world, payer, empty, { at, cause }))
    .map(shownEvent);
}

function calendar(payer: string, on: CalendarDate, world: World): readonly SharingEvent[] {
  const person = world.books.person(payer);
  if (person === undefined) throw new Error(`no account ${payer}`);
  const cause = { type: 'calendar', id: 'case' };
  const newYear = applyNewYear(world, payer, on, cause);
  const now = world.books.person(payer) ?? person;
  return [...newYear, ...enforceArrears(world, now, { at: startOf(on), cause }).events];
}

const shownEvent = (event: SharingEvent): Plain => ({
  type: `${event.kind === 'PAUSED' || event.kind === 'RESUMED' ? 'sharing' : 'binding'}.${event.kind.toLowerCase()}`,
  binding_id: event.binding.bindingId,
  ...('reason' in event
    ? {
        reason: event.reason,
        effective_on: event.effectiveOn,
        pause_reasons: [...event.binding.holds.keys()].sort(),
        state: event.binding.state,
      }
    : {}),
  ...('code' in event ? { code: event.code } : {}),
});

function stateAfter({ books, contributions }: World, { after = {} }: Case): Plain {
  const accounts = Object.keys(after.accounts ?? {}).map((personNo) => {
    const found = books.person(personNo);
    if (found === undefined) throw new Error(`no account ${personNo}`);
    const { purse } = found;
    const unpaid = [...contributions.monthsOf(personNo)].filter((month) => !month.paid).map(({ period }) => period);
    return [
      personNo,
      {
        prior_year: yuan(purse?.priorYear),
        current_year: yuan(purse?.currentYear),
        balance: yuan(purse ? balanceOf(purse) : null),
        arrears_since: found.arrearsSince,
        recovered_on: found.recoveredOn,
        unpaid_periods: unpaid.sort(),
      },
    ];
  });
  const bindings = Object.keys(after.bindings ?? {}).map((bindingId) => {
    const found = books.binding(bindingId);
    if (found === undefined) return [bindingId, null];
    const { authorisedAmount } = found;
    return [
      bindingId,
      {
        state: stateOn(found, date('2026-12-31')),
        pause_reasons: [...found.holds.keys()].sort(),
        authorised_amount: yuan(authorisedAmount),
        used_today: formatMoney(books.usage(bindingId, DAY)),
      },
    ];
  });
  return { accounts: Object.fromEntries(accounts), bindings: Object.fromEntries(bindings) };
}

const yuan = (amount: Money | null | undefined) => (amount == null ? null : formatMoney(amount));

/** Of what came about, only what the case says something of; lists must agree in length. */
function only(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected)) return actual.map((item, i) => only(item, expected[i] ?? item));
  if (!isObject(actual) || !isObject(expected)) return actual;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, only(actual[key], expected[key])]));
}

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

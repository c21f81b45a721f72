import fc from 'fast-check';
import {
  addDays,
  type BINDING_STATES,
  type Binding,
  type CalendarDate,
  type Claim,
  date,
  type Money,
  money,
  PAUSE_REASONS,
  type Person,
  type Policy,
  type PolicyLookup,
  startOf,
  ZERO,
} from '../src/index.ts';
import { BASE_POLICY, binding, claim, person } from './builders.ts';

/** Yuan from 0.00 to 300.00, often a round or a small amount, so that balances, limits and bills meet exactly. */
export const amount: fc.Arbitrary<Money> = fc
  .oneof(fc.constantFrom(0, 1, 100, 5000, 10_000), fc.integer({ min: 0, max: 30_000 }))
  .map((fen) => money((fen / 100).toFixed(2)));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 2 });
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });
const mostly = (value: boolean) => fc.integer({ min: 0, max: 9 }).map((dice) => (dice === 0 ? !value : value));

const FIRST = date('2024-12-01');
export const day: fc.Arbitrary<CalendarDate> = fc.integer({ min: 0, max: 90 }).map((days) => addDays(FIRST, days));
const area = fc.constantFrom('330106', '330106', '330106', '330108', '330206', '440106');

export const policy: fc.Arbitrary<Policy> = fc
  .record({
    accountScope: fc.constantFrom('PERSONAL_BURDEN', 'IN_SCOPE_ONLY'),
    memberScope: fc.constantFrom('SAME_POOLING_AREA', 'NATIONWIDE'),
    institutionScope: fc.constantFrom('NATIONWIDE', 'SAME_PROVINCE'),
    requireWalletCrossProvince: fc.boolean(),
    sharablePortion: fc.constantFrom('TOTAL', 'PRIOR_YEAR', 'PRIOR_YEAR_AUTHORISED'),
    shareThreshold: optional(amount),
    minRemaining: fc.oneof(fc.constant(ZERO), amount),
    dailyLimitDefault: optional(amount),
    dailyLimitMax: optional(amount),
    perClaimPayerCap: optional(amount),
    payerOrder: fc.constantFrom('CONFIGURED_PRIORITY', 'BALANCE_DESC'),
    portionOrder: fc.constantFrom('CURRENT_YEAR_FIRST', 'PRIOR_YEAR_FIRST'),
    ownAccountUsableInArrears: fc.boolean(),
    pauseOnArrears: mostly(true),
    retireesExempt: mostly(true),
    pauseOnZeroBalance: mostly(true),
    requireEmployerEnabled: fc.boolean(),
    arrearsGraceDays: fc.constantFrom(0, 0, 20),
    resumeWaitDays: fc.constantFrom(0, 0, 15),
    resumeMode: fc.constantFrom('AUTO', 'AUTO', 'MANUAL'),
  } satisfies { [K in keyof Policy]?: fc.Arbitrary<Policy[K]> })
  .map((chosen) => ({ ...BASE_POLICY, ...chosen }));

/** Rules that differ between two provinces, so that patient and payer can be under different ones. */
const policies: fc.Arbitrary<PolicyLookup> = fc.tuple(policy, policy).map(
  ([one, other]) =>
    (where) =>
      where.startsWith('33') ? one : other,
);

export const purse = fc.record({ year: fc.constantFrom(2024, 2024, 2025), priorYear: amount, currentYear: amount });

const personOf = (personNo: string): fc.Arbitrary<Person> =>
  fc
    .record({
      insuredArea: area,
      purse: fc.option(purse, { nil: null, freq: 9 }),
      insuranceKind: fc.constantFrom('310', '310', '310', '310', '310', '390'),
      status: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'ACTIVE', 'FROZEN', 'CLOSED'),
      employment: fc.constantFrom('ACTIVE', 'ACTIVE', 'FLEXIBLE', 'RETIRED'),
      cardActive: mostly(true),
      employerEnabled: mostly(true),
      walletOpen: fc.boolean(),
      arrearsSince: seldom(day),
      recoveredOn: seldom(day),
    } satisfies { [K in keyof Person]?: fc.Arbitrary<Person[K]> })
    .map((chosen) => person({ personNo, ...chosen, spellSince: chosen.arrearsSince }));

const ids = ['B1', 'B2', 'B3', 'B4', 'B5'];
const state = fc.constantFrom<(typeof BINDING_STATES)[number]>(
  'ACTIVE',
  'ACTIVE',
  'ACTIVE',
  'ACTIVE',
  'PENDING',
  'REVOKED',
);
const holds = fc
  .tuple(mostly(false), fc.subarray([...PAUSE_REASONS], { minLength: 1 }), day)
  .map(([paused, reasons, from]) => new Map(paused ? reasons.map((reason) => [reason, from]) : []));

const bindingOf = (bindingId: string): fc.Arbitrary<Binding> =>
  fc
    .record({
      payer: fc.constantFrom('P2', 'P3', 'P4', 'P5', 'P1', 'P404'),
      state,
      holds,
      priority: optional(fc.integer({ min: 0, max: 2 })),
      boundAt: fc.constantFrom(startOf(date('2024-01-01')), startOf(date('2024-02-01'))),
      effectiveTo: seldom(day),
      dailyLimit: optional(amount),
      authorisedAmount: optional(amount),
    })
    .map(({ holds: held, ...chosen }) =>
      binding({
        bindingId,
        ...chosen,
        ...(chosen.state === 'ACTIVE' && held.size > 0 ? { state: 'PAUSED', holds: held } : {}),
      }),
    );

export const claimOf = (claimId: string): fc.Arbitrary<Claim> =>
  fc
    .record({
      personalShare: amount,
      settledAt: day.map((on) => startOf(on) + 3_600_000),
      designated: mostly(true),
      accountsUsed: mostly(true),
      crossRegionFiled: fc.boolean(),
      visitType: fc.constantFrom('11', '11', '21', '41', '9107'),
      providerArea: area,
    })
    .map((chosen) => claim({ claimId, ...chosen }));

export interface Family {
  readonly persons: readonly Person[];
  readonly bindings: readonly Binding[];
  readonly policyOf: PolicyLookup;
}

/** A patient P1, four possible payers and up to five bindings, some of them of nobody known, of the patient or paused. */
export const family: fc.Arbitrary<Family> = fc.record({
  persons: fc.tuple(...['P1', 'P2', 'P3', 'P4', 'P5'].map(personOf)),
  bindings: fc.integer({ min: 1, max: ids.length }).chain((many) => fc.tuple(...ids.slice(0, many).map(bindingOf))),
  policyOf: policies,
});

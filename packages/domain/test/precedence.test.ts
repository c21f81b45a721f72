import { describe, expect, test } from 'vitest';
import {
  applyMemberEvent,
  BEGINNING,
  BIND_REFUSAL_CODES,
  type Binding,
  type CalendarDate,
  CLAIM_REFUSAL_CODES,
  type Claim,
  date,
  decideClaim,
  decidePremium,
  type Money,
  money,
  OWN_SKIP_CODES,
  type PauseReason,
  type Person,
  type Policy,
  PREMIUM_REFUSAL_CODES,
  RELATIVE_SKIP_CODES,
} from '../src/index.ts';
import { binding, booksOf, claim, lookup, person, World } from './builders.ts';

/** A way to fail one test: what differs from a case in which everything passes. */
interface Failing {
  readonly code: string;
  readonly policy?: Partial<Policy>;
  readonly claim?: Partial<Claim>;
  readonly binding?: Partial<Omit<Binding, 'holds'>>;
  readonly holds?: readonly PauseReason[];
  /** Null: the payer is not known. */
  readonly payer?: Partial<Person> | null;
  readonly patient?: Partial<Person> | null;
  readonly usedToday?: string;
  readonly amount?: Money | 'INVALID';
  readonly noBinding?: true;
}

/** Two failures at once. Where they set the same thing the earlier test's setting stands. */
const both = (first: Failing, second: Failing): Failing => ({
  ...second,
  ...first,
  policy: { ...second.policy, ...first.policy },
  claim: { ...second.claim, ...first.claim },
  binding: { ...second.binding, ...first.binding },
  holds: [...(first.holds ?? []), ...(second.holds ?? [])],
  payer: first.payer === null || second.payer === null ? null : { ...second.payer, ...first.payer },
  patient: first.patient === null || second.patient === null ? null : { ...second.patient, ...first.patient },
});

type Ladder = readonly (readonly Failing[])[];

/** Each failure alone gives its code; of two neighbouring tests that both fail, the first gives it. */
function climb(name: string, ladder: Ladder, codes: readonly string[], run: (failing: Failing) => string | null): void {
  describe(name, () => {
    test('with nothing wrong no code is given', () => expect(run({ code: '' })).toBeNull());
    test('every code has its place, in order (I14)', () => {
      expect([...new Set(ladder.flat().map(({ code }) => code))]).toEqual(codes);
    });
    ladder.forEach((rung, i) => {
      rung.forEach((failing, way) => {
        test(`${failing.code} (${way + 1})`, () => expect(run(failing)).toBe(failing.code));
      });
      const pairs = rung.flatMap((first) => (ladder[i + 1] ?? []).map((second) => ({ first, second })));
      // What the numbered invariant I14 says, for each pair of neighbours.
      test.each(pairs.map((pair) => ({ ...pair, name: `${pair.first.code} before ${pair.second.code}` })))(
        '$name',
        ({ first, second }) => {
          expect(run(both(first, second))).toBe(first.code);
        },
      );
    });
  });
}

const zero = money('0.00');
const day = (text: string): CalendarDate => date(text);
const empty = { purse: { year: 2025, priorYear: zero, currentYear: zero } };
const lastYear = { purse: { year: 2025, priorYear: money('1000.00'), currentYear: zero } };
const unpaid = { arrearsSince: day('2025-03-10') };
const recovered = { recoveredOn: day('2025-03-05'), lastSpellStart: day('2025-01-01') };
const waiting = { resumeWaitDays: 6 };

function scene(failing: Failing) {
  const policyOf = lookup(failing.policy);
  const payers = failing.payer === null ? [] : [person({ personNo: 'P2', ...failing.payer })];
  const patients = failing.patient === null ? [] : [person({ personNo: 'P1', purse: null, ...failing.patient })];
  const holds = new Map((failing.holds ?? []).map((reason) => [reason, BEGINNING]));
  const one = binding({
    ...failing.binding,
    ...(holds.size === 0 ? {} : { state: failing.binding?.state ?? 'PAUSED', holds }),
  });
  const usage =
    failing.usedToday === undefined
      ? []
      : [{ bindingId: 'B1', on: day('2025-03-10'), amount: money(failing.usedToday) }];
  const rows = { persons: [...payers, ...patients], bindings: failing.noBinding ? [] : [one], usage };
  return { policyOf, rows, one };
}

const settle = (failing: Failing) => {
  const { policyOf, rows } = scene(failing);
  return decideClaim(claim(failing.claim), booksOf(rows, policyOf), policyOf);
};

climb(
  'a claim (rule 4)',
  [
    [{ code: 'BENEFICIARY_UNKNOWN', patient: null }],
    [{ code: 'INSTITUTION_NOT_DESIGNATED', claim: { designated: false } }],
    [{ code: 'PURPOSE_EXCLUDED', claim: { purpose: 'WELLNESS' } }],
  ],
  CLAIM_REFUSAL_CODES,
  (failing) => settle(failing).code,
);

climb(
  'the own account (rule 5.1)',
  [
    [
      { code: 'OWN_NO_ACCOUNT', patient: { purse: null } },
      { code: 'OWN_NO_ACCOUNT', patient: { insuranceKind: '390' } },
    ],
    [{ code: 'ACCOUNT_USE_DECLINED', claim: { accountsUsed: false } }],
    [
      { code: 'OWN_ACCOUNT_FROZEN', patient: { status: 'FROZEN' } },
      { code: 'OWN_ACCOUNT_CLOSED', patient: { status: 'CLOSED' } },
    ],
    [{ code: 'OWN_CARD_INACTIVE', patient: { cardActive: false } }],
    [
      { code: 'OWN_IN_ARREARS', policy: { ownAccountUsableInArrears: false, arrearsGraceDays: 90 }, patient: unpaid },
      { code: 'OWN_IN_ARREARS', policy: { ownAccountUsableInArrears: false }, patient: { uninsuredSince: BEGINNING } },
    ],
    [{ code: 'OWN_CROSS_REGION_NOT_FILED', claim: { providerArea: '330206' } }],
    [{ code: 'OWN_ZERO_BALANCE', patient: empty }],
  ],
  OWN_SKIP_CODES,
  (failing) => {
    const settlement = settle({ ...failing, patient: { purse: person({ personNo: 'P1' }).purse, ...failing.patient } });
    return settlement.skipped.find((skip) => skip.source === 'OWN')?.code ?? null;
  },
);

const authorised = { sharablePortion: 'PRIOR_YEAR_AUTHORISED' } as const;

climb(
  "a relative's account (rule 5.2)",
  [
    [{ code: 'ACCOUNT_USE_DECLINED', claim: { accountsUsed: false } }],
    [{ code: 'NOT_A_SHARING_BINDING', binding: { type: 'KINSHIP_CODE' } }],
    [{ code: 'SELF_BINDING', binding: { payer: 'P1' } }],
    [
      { code: 'BINDING_PENDING', binding: { state: 'PENDING' } },
      { code: 'BINDING_REJECTED', binding: { state: 'REJECTED' } },
      { code: 'BINDING_REVOKED', binding: { state: 'REVOKED' } },
    ],
    [
      { code: 'BINDING_NOT_YET_EFFECTIVE', binding: { effectiveFrom: day('2025-03-11') } },
      { code: 'BINDING_EXPIRED', binding: { effectiveTo: day('2025-03-09') } },
    ],
    [{ code: 'SHARING_NOT_ENABLED', policy: { sharingEnabled: false } }],
    [{ code: 'RELATION_NOT_ALLOWED', policy: { allowedRelations: new Set(['CHILD']) } }],
    [{ code: 'SERVICE_CLASS_NOT_COVERED', claim: { visitType: '9107' } }],
    [
      { code: 'PAYER_NOT_EMPLOYEE_INSURED', payer: null },
      { code: 'PAYER_NOT_EMPLOYEE_INSURED', payer: { purse: null } },
      { code: 'PAYER_NOT_EMPLOYEE_INSURED', payer: { insuranceKind: '390' } },
    ],
    [
      { code: 'PAYER_ACCOUNT_FROZEN', payer: { status: 'FROZEN' } },
      { code: 'PAYER_ACCOUNT_CLOSED', payer: { status: 'CLOSED' } },
    ],
    [{ code: 'PAYER_CARD_INACTIVE', payer: { cardActive: false } }],
    [
      {
        code: 'BENEFICIARY_CARD_INACTIVE',
        policy: { inactiveOwnCardBlocksSharing: true },
        patient: { cardActive: false },
      },
    ],
    [{ code: 'BENEFICIARY_NOT_INSURED', patient: { uninsuredSince: BEGINNING } }],
    [{ code: 'MEMBER_OUT_OF_AREA', patient: { insuredArea: '440106' }, policy: { memberScope: 'SAME_PROVINCE' } }],
    [
      {
        code: 'WALLET_NOT_OPEN',
        patient: { insuredArea: '440106', walletOpen: true },
        policy: { memberScope: 'NATIONWIDE' },
      },
    ],
    [{ code: 'INSTITUTION_OUT_OF_AREA', claim: { providerArea: '330206' } }],
    [
      { code: 'EMPLOYER_NOT_ENABLED', policy: { requireEmployerEnabled: true }, payer: { employerEnabled: false } },
      { code: 'EMPLOYER_NOT_ENABLED', policy: { requireEmployerEnabled: true }, holds: ['EMPLOYER_OFF'] },
    ],
    [
      { code: 'PAYER_IN_ARREARS', payer: unpaid },
      { code: 'PAYER_IN_ARREARS', holds: ['ARREARS'] },
      { code: 'PAYER_IN_ARREARS', payer: { uninsuredSince: day('2025-03-10') } },
    ],
    [{ code: 'PAYER_RESUME_WAITING', policy: waiting, payer: recovered }],
    [{ code: 'PAUSED_BY_USER', holds: ['USER'] }],
    [
      { code: 'PAYER_ZERO_BALANCE', payer: empty },
      { code: 'PAYER_ZERO_BALANCE', policy: { sharablePortion: 'PRIOR_YEAR' } },
    ],
    [{ code: 'BELOW_SHARE_THRESHOLD', policy: { shareThreshold: money('1000.00') } }],
    [{ code: 'MIN_REMAINING_REACHED', policy: { minRemaining: money('1000.00') } }],
    [
      { code: 'AUTHORISED_AMOUNT_EXHAUSTED', policy: authorised, payer: lastYear },
      { code: 'AUTHORISED_AMOUNT_EXHAUSTED', policy: authorised, payer: lastYear, binding: { authorisedAmount: zero } },
    ],
    [
      { code: 'DAILY_LIMIT_REACHED', policy: { dailyLimitDefault: money('60.00') }, usedToday: '60.00' },
      { code: 'DAILY_LIMIT_REACHED', binding: { dailyLimit: zero } },
      {
        code: 'DAILY_LIMIT_REACHED',
        policy: { dailyLimitMax: money('50.00') },
        binding: { dailyLimit: money('90.00') },
        usedToday: '50.00',
      },
    ],
  ],
  RELATIVE_SKIP_CODES,
  (failing) => {
    // Who pays for themselves is asked as a relative too, and then known as payer and patient in one.
    const self = failing.binding?.payer === 'P1' ? { patient: { ...failing.patient, purse: null } } : {};
    const { policyOf, rows } = scene({ ...failing, ...self });
    const settlement = decideClaim(claim(failing.claim), booksOf(rows, policyOf), policyOf);
    return settlement.skipped.find((skip) => skip.source === 'RELATIVE')?.code ?? null;
  },
);

climb(
  'a premium (rule 8)',
  [
    [{ code: 'PREMIUM_AMOUNT_INVALID', amount: 'INVALID' }],
    [
      { code: 'BINDING_NOT_FOUND', noBinding: true },
      { code: 'BINDING_NOT_FOUND', payer: null },
    ],
    [{ code: 'NOT_A_SHARING_BINDING', binding: { type: 'KINSHIP_CODE' } }],
    [{ code: 'SELF_BINDING', binding: { beneficiary: 'P2' } }],
    [
      { code: 'BINDING_PENDING', binding: { state: 'PENDING' } },
      { code: 'BINDING_REJECTED', binding: { state: 'REJECTED' } },
      { code: 'BINDING_REVOKED', binding: { state: 'REVOKED' } },
    ],
    [
      { code: 'BINDING_NOT_YET_EFFECTIVE', binding: { effectiveFrom: day('2025-03-11') } },
      { code: 'BINDING_EXPIRED', binding: { effectiveTo: day('2025-03-09') } },
    ],
    [{ code: 'PREMIUM_NOT_ENABLED', policy: { premiumEnabled: false } }],
    [{ code: 'RELATION_NOT_ALLOWED', policy: { premiumRelations: new Set(['CHILD']) } }],
    [
      { code: 'PAYER_NOT_EMPLOYEE_INSURED', payer: { purse: null } },
      { code: 'PAYER_NOT_EMPLOYEE_INSURED', payer: { insuranceKind: '390' } },
    ],
    [
      { code: 'PAYER_ACCOUNT_FROZEN', payer: { status: 'FROZEN' } },
      { code: 'PAYER_ACCOUNT_CLOSED', payer: { status: 'CLOSED' } },
    ],
    [{ code: 'PREMIUM_NOT_REGISTERED', policy: { premiumRequiresRegistration: true } }],
    [
      { code: 'PAYER_IN_ARREARS', payer: unpaid },
      { code: 'PAYER_IN_ARREARS', holds: ['ARREARS'] },
    ],
    [{ code: 'PAYER_RESUME_WAITING', policy: waiting, payer: recovered }],
    [{ code: 'PAUSED_BY_USER', holds: ['USER'] }],
    [{ code: 'PREMIUM_AMOUNT_MISMATCH', policy: { residentPremium: new Map([[2025, [money('380.00')]]]) } }],
    [{ code: 'BELOW_SHARE_THRESHOLD', policy: { shareThreshold: money('1000.00') } }],
    [
      { code: 'PREMIUM_INSUFFICIENT_BALANCE', policy: { minRemaining: money('600.01') } },
      {
        code: 'PREMIUM_INSUFFICIENT_BALANCE',
        policy: authorised,
        payer: lastYear,
        binding: { authorisedAmount: money('399.99') },
      },
      { code: 'PREMIUM_INSUFFICIENT_BALANCE', policy: authorised, payer: lastYear },
    ],
  ],
  PREMIUM_REFUSAL_CODES,
  (failing) => {
    const { policyOf, rows, one } = scene(failing);
    const at = Date.parse('2025-03-10T10:00:00+08:00');
    const amount = failing.amount ?? money('400.00');
    const premium = { premiumId: 'Q1', payer: 'P2', beneficiary: one.beneficiary, year: 2025, at, amount };
    return decidePremium(premium, booksOf(rows, policyOf), policyOf).code;
  },
);

climb(
  'a request to bind (rule 11)',
  [
    [{ code: 'SELF_BINDING', binding: { beneficiary: 'P2' } }],
    [{ code: 'RELATION_NOT_ALLOWED', policy: { allowedRelations: new Set(['CHILD']) } }],
    [{ code: 'PAYER_IN_ARREARS', payer: { arrearsSince: day('2024-01-01') }, policy: { arrearsGraceDays: 90 } }],
    // The two tests of a limit exclude each other: none stated, or one too high.
    [{ code: 'DAILY_LIMIT_MISSING', policy: { dailyLimitRequired: true }, binding: { dailyLimit: null } }],
    [
      {
        code: 'DAILY_LIMIT_TOO_HIGH',
        policy: { dailyLimitMax: money('50.00') },
        binding: { dailyLimit: money('50.01') },
      },
    ],
    [
      { code: 'BINDING_LIMIT_EXCEEDED', policy: { maxPayersPerBeneficiary: 0 } },
      { code: 'BINDING_LIMIT_EXCEEDED', policy: { maxBeneficiariesPerPayer: 0 } },
      { code: 'BINDING_LIMIT_EXCEEDED', policy: { maxFamiliesPerPerson: 0 } },
    ],
  ],
  BIND_REFUSAL_CODES,
  (failing) => {
    const { policyOf, rows, one } = scene(failing);
    const world = new World({ persons: rows.persons }, policyOf);
    const cause = { type: 'binding.requested', id: 'B1' };
    const requested = {
      kind: 'BINDING_REQUESTED',
      at: one.boundAt,
      cause,
      binding: { ...one, state: 'PENDING' },
    } as const;
    const verdict = applyMemberEvent(requested, world);
    const [event] = verdict.kind === 'DONE' ? verdict.events : [];
    expect(world.books.binding('B1') === undefined).toBe(event !== undefined);
    return event?.kind === 'REFUSED' ? event.code : null;
  },
);

test('a link that only shows a code moves no money, so that no test of a limit concerns it', () => {
  const policy = { dailyLimitRequired: true, dailyLimitMax: money('50.00'), maxBeneficiariesPerPayer: 0 };
  const world = new World({ persons: [person({ personNo: 'P2' })] }, lookup(policy));
  const request = (bindingId: string, dailyLimit: Binding['dailyLimit']) => {
    const one = binding({ bindingId, type: 'KINSHIP_CODE', state: 'PENDING', dailyLimit });
    const cause = { type: 'binding.requested', id: bindingId };
    return applyMemberEvent({ kind: 'BINDING_REQUESTED', at: one.boundAt, cause, binding: one }, world);
  };
  expect(request('B1', null)).toMatchObject({ kind: 'DONE', events: [] });
  expect(request('B2', money('50.01'))).toMatchObject({ kind: 'DONE', events: [] });
});

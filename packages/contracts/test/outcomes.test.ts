import {
  afterRefund,
  type Books,
  decideClaim,
  decidePremium,
  decideRefund,
  formatMoney,
  money,
  type Paid,
  type Policy,
  paidByClaim,
  paidByPremium,
  type SharingEvent,
} from '@repo/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DECODE_LIMITS,
  decodeClaims,
  encodePremium,
  encodeRefund,
  encodeRejected,
  encodeSettlement,
  encodeSharing,
  paidFromOutcome,
  withRefundOutcome,
} from '../src/index.ts';
import { aBinding, aFamily, aPerson, aPolicy } from './family.ts';
import { type Fields, sample } from './samples.ts';

const claimOf = (changes: Fields = {}) => {
  const decoded = decodeClaims(sample('claim.submitted', changes), DECODE_LIMITS);
  if (decoded.kind !== 'CLAIM') throw new Error('the sample is a claim');
  return decoded.claim;
};

/** P1 has 40.00, P2 60.00 of earlier years, P3 is in arrears. */
const exampleFamily = (policy: Partial<Policy> = {}): Books =>
  aFamily(
    [
      aPerson('P1', { currentYear: '40.00' }),
      aPerson('P2', { priorYear: '60.00' }),
      { ...aPerson('P3', {}), arrearsSince: aBinding('B').effectiveFrom },
    ],
    [aBinding('B1', { payer: 'P2', priority: 1 }), aBinding('B2', { payer: 'P3', priority: 2 })],
    policy,
  );

test('a settlement is written exactly as agreed', () => {
  const claim = claimOf();
  const settlement = decideClaim(claim, exampleFamily(), () => aPolicy());
  const { stamp, key, payload } = encodeSettlement(claim, settlement, 'S-1', '00-trace-01');
  expect({ stamp, key }).toEqual({
    stamp: {
      type: 'settlement.settled',
      id: 'claim:C1',
      time: '2025-03-10T10:00:00+08:00',
      traceparent: '00-trace-01',
    },
    key: 'P1',
  });
  expect(JSON.stringify(payload)).toBe(
    '{"claim_id":"C1","setl_id":"S-1","mdtrt_id":"M1","medins_setl_id":null,"psn_no":"P1","fixmedins_code":"H33010600001","med_type":"11",' +
      '"clr_type":"11","setl_time":"2025-03-10T10:00:00+08:00","refd_setl_flag":"0","status":"SETTLED","code":null,' +
      '"medfee_sumamt":"350.00","fund_pay_sumamt":"200.00","hosp_part_amt":"0.00","psn_part_amt":"150.00",' +
      '"acct_pay":"40.00","acct_mulaid_pay":"60.00","psn_cash_pay":"50.00","balc":"0.00",' +
      '"allocation":[{"source":"OWN","account":"P1","amount":"40.00","prior_year":"0.00","current_year":"40.00"},' +
      '{"source":"RELATIVE","account":"P2","binding_id":"B1","relation":"SPOUSE","amount":"60.00","prior_year":"60.00","current_year":"0.00"}],' +
      '"skipped":[{"source":"RELATIVE","account":"P3","binding_id":"B2","code":"PAYER_IN_ARREARS"}],' +
      '"policy":[{"region":"330106","version":"330000@test"}]}',
  );
});

test('a refusal touches nothing and says so', () => {
  const claim = claimOf({ designated: false, setl_time: '2025-03-10T02:00:00Z' });
  const { stamp, payload } = encodeSettlement(
    claim,
    decideClaim(claim, exampleFamily(), () => aPolicy()),
    'S-1',
  );
  expect(stamp).toEqual({ type: 'settlement.refused', id: 'claim:C1', time: '2025-03-10T10:00:00+08:00' });
  expect(payload).toMatchObject({
    status: 'REFUSED',
    code: 'INSTITUTION_NOT_DESIGNATED',
    setl_time: '2025-03-10T02:00:00Z',
    allocation: [],
    skipped: [],
    acct_pay: '0.00',
    acct_mulaid_pay: '0.00',
    psn_cash_pay: '150.00',
    balc: '40.00',
  });
  expect(paidFromOutcome(JSON.stringify(payload))).toBeUndefined();
});

test('a rejection names its message, not its attempt', () => {
  const bad = decodeClaims(sample('claim.submitted', { psn_part_amt: '1.005' }), DECODE_LIMITS);
  if (bad.kind !== 'BAD') throw new Error('1.005 is no amount');
  expect(encodeRejected(bad, { id: 'gongji.claims.v1:3:42', at: 0, key: 'P1' })).toEqual({
    stamp: { type: 'settlement.rejected', id: 'rejected:gongji.claims.v1:3:42', time: '1970-01-01T08:00:00+08:00' },
    key: 'P1',
    payload: {
      claim_id: 'C1',
      psn_no: 'P1',
      status: 'REJECTED',
      code: 'CLAIM_AMOUNT_INVALID',
      issues: [{ path: 'psn_part_amt', problem: expect.stringContaining('two decimals') }],
    },
  });
});

describe('refunds', () => {
  const claim = claimOf();
  const books = exampleFamily();
  const paid = paidByClaim(
    claim,
    decideClaim(claim, books, () => aPolicy()),
  );
  const at = Date.parse('2025-03-11T09:00:00+08:00');
  const refundOf = (amount: string | null) => ({
    refundId: 'R1',
    claimId: 'C1',
    personNo: 'P1',
    at,
    amount: amount === null ? null : money(amount),
  });

  test('of everything', () => {
    const refund = refundOf(null);
    const { stamp, key, payload } = encodeRefund(refund, decideRefund(refund, paid, books));
    expect({ stamp, key }).toEqual({
      stamp: { type: 'refund.settled', id: 'refund:R1', time: '2025-03-11T09:00:00+08:00' },
      key: 'P1',
    });
    expect(payload).toEqual({
      refund_id: 'R1',
      claim_id: 'C1',
      psn_no: 'P1',
      at: '2025-03-11T09:00:00+08:00',
      status: 'REFUNDED',
      code: null,
      refd_setl_flag: '1',
      amount: '150.00',
      returned: [
        { source: 'CASH', amount: '50.00' },
        { source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '60.00' },
        { source: 'OWN', account: 'P1', amount: '40.00' },
      ],
      acct_pay: '-40.00',
      acct_mulaid_pay: '-60.00',
      psn_cash_pay: '-50.00',
    });
  });

  test('refused', () => {
    const refund = refundOf('150.01');
    expect(encodeRefund(refund, decideRefund(refund, paid, books))).toMatchObject({
      stamp: { type: 'refund.refused' },
      payload: {
        status: 'REFUSED',
        code: 'REFUND_EXCEEDS_SETTLED',
        returned: [],
        acct_pay: '0.00',
        acct_mulaid_pay: '0.00',
        psn_cash_pay: '0.00',
      },
    });
  });

  test('into a closed account are marked as paid out by hand', () => {
    const closed = aFamily([aPerson('P1', {}), { ...aPerson('P2', {}), status: 'CLOSED' }], []);
    const refund = refundOf('110.00');
    expect(encodeRefund(refund, decideRefund(refund, paid, closed)).payload).toMatchObject({
      returned: [{ source: 'CASH' }, { source: 'RELATIVE', account: 'P2', amount: '60.00', manual: true }],
    });
  });
});

describe('premiums', () => {
  const premium = {
    premiumId: 'Q1',
    payer: 'P2',
    beneficiary: 'P1',
    year: 2025,
    at: Date.parse('2025-03-10T10:00:00+08:00'),
    amount: money('60.00'),
  } as const;
  test('settled, refused, and of no amount', () => {
    const decision = decidePremium(premium, exampleFamily(), () => aPolicy());
    const { stamp, key, payload } = encodePremium(premium, decision);
    expect({ stamp, key }).toEqual({
      stamp: { type: 'premium.settled', id: 'claim:Q1', time: '2025-03-10T10:00:00+08:00' },
      key: 'P1',
    });
    expect(payload).toMatchObject({
      premium_id: 'Q1',
      payer: 'P2',
      beneficiary: 'P1',
      binding_id: 'B1',
      year: 2025,
      amount: '60.00',
      status: 'SETTLED',
      code: null,
    });
    const more = { ...premium, amount: 'INVALID' as const };
    expect(
      encodePremium(
        more,
        decidePremium(more, exampleFamily(), () => aPolicy()),
      ),
    ).toMatchObject({
      stamp: { type: 'premium.refused' },
      payload: { amount: null, binding_id: null, status: 'REFUSED', code: 'PREMIUM_AMOUNT_INVALID' },
    });
  });

  test('what it paid is read back', () => {
    const policy = { sharablePortion: 'PRIOR_YEAR_AUTHORISED' } as const;
    const books = aFamily(
      [aPerson('P2', { priorYear: '60.00' })],
      [aBinding('B1', { payer: 'P2', authorisedAmount: money('60.00') })],
    );
    const decision = decidePremium(premium, books, () => aPolicy(policy));
    if (decision.allocation === null) throw new Error('the premium is paid');
    const expected = paidByPremium(premium, decision.allocation, decision.on);
    expect(paidFromOutcome(JSON.stringify(encodePremium(premium, decision).payload))).toEqual(expected);
    expect(decision.allocation.authorised).toBe(true);
  });
});

test('what a published outcome and its refunds say is what was paid and given back, whatever the rules and parts', () => {
  const fen = fc.integer({ min: 0, max: 9000 }).map((value) => (value / 100).toFixed(2));
  const rules = fc.record({
    sharablePortion: fc.constantFrom('TOTAL', 'PRIOR_YEAR', 'PRIOR_YEAR_AUTHORISED'),
    portionOrder: fc.constantFrom('CURRENT_YEAR_FIRST', 'PRIOR_YEAR_FIRST'),
  });
  const purse = fc.record({ priorYear: fen, currentYear: fen });
  fc.assert(
    fc.property(rules, purse, purse, purse, fc.array(fen, { maxLength: 4 }), (policy, own, one, other, parts) => {
      const claim = claimOf();
      const authorised = { authorisedAmount: money('70.00') };
      const books = aFamily(
        [aPerson('P1', own), aPerson('P2', one), aPerson('P3', other)],
        [
          aBinding('B1', { payer: 'P2', ...authorised }),
          aBinding('B2', { payer: 'P3', ...authorised }),
          aBinding('B3', { payer: 'P2', ...authorised }),
        ],
      );
      const settlement = decideClaim(claim, books, () => aPolicy(policy));
      let inside: Paid = paidByClaim(claim, settlement);
      let read = paidFromOutcome(JSON.stringify(encodeSettlement(claim, settlement, 'S-1').payload));
      expect(read).toEqual(inside);
      parts.forEach((part, i) => {
        const refund = { refundId: `R${i}`, claimId: 'C1', personNo: 'P1', at: claim.settledAt, amount: money(part) };
        const decision = decideRefund(refund, inside, books);
        if (decision.status === 'REFUSED' || read === undefined || part === '0.00') return;
        inside = afterRefund(inside, decision);
        read = withRefundOutcome(read, JSON.stringify(encodeRefund(refund, decision).payload));
        expect(read).toEqual(inside);
      });
      expect(formatMoney(inside.cash)).toBe(formatMoney(settlement.cashPaid));
    }),
  );
});

describe('sharing', () => {
  const at = Date.parse('2025-03-10T10:00:00+08:00');
  const cause = { type: 'contribution.missed', id: 'P2:2025-02' };
  const held = aBinding('B1', {
    payer: 'P2',
    state: 'PAUSED',
    holds: new Map([
      ['USER', aBinding('B').effectiveFrom],
      ['ARREARS', aBinding('B').effectiveFrom],
    ]),
  });
  const who = { binding_id: 'B1', payer: 'P2', beneficiary: 'P1' };

  test('a pause names reason, all reasons after it, first day and cause', () => {
    const event: SharingEvent = {
      kind: 'PAUSED',
      binding: held,
      reason: 'ARREARS',
      effectiveOn: held.effectiveFrom,
      at,
      cause,
    };
    expect(encodeSharing(event, 'trace')).toEqual({
      stamp: {
        type: 'sharing.paused',
        id: 'contribution.missed:P2:2025-02:B1:PAUSED:ARREARS',
        time: '2025-03-10T10:00:00+08:00',
        traceparent: 'trace',
      },
      key: 'P2',
      payload: {
        ...who,
        reason: 'ARREARS',
        pause_reasons: ['ARREARS', 'USER'],
        state: 'PAUSED',
        effective_on: '2024-01-01',
        cause: { ce_type: 'contribution.missed', id: 'P2:2025-02' },
      },
    });
    expect(encodeSharing({ ...event, kind: 'RESUMED' }).stamp.type).toBe('sharing.resumed');
  });

  test('transitions and refusals', () => {
    const binding = aBinding('B1', { payer: 'P2' });
    for (const [kind, state] of [
      ['ACTIVATED', 'ACTIVE'],
      ['REJECTED', 'REJECTED'],
      ['REVOKED', 'REVOKED'],
    ] as const) {
      expect(encodeSharing({ kind, state, binding, at, cause })).toMatchObject({
        stamp: { type: `binding.${kind.toLowerCase()}` },
        payload: { ...who, state, at: '2025-03-10T10:00:00+08:00' },
      });
    }
    expect(encodeSharing({ kind: 'REFUSED', code: 'BINDING_LIMIT_EXCEEDED', binding, at, cause })).toMatchObject({
      stamp: { type: 'binding.refused' },
      payload: { ...who, state: null, code: 'BINDING_LIMIT_EXCEEDED' },
    });
  });
});

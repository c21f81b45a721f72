import { describe, expect, it } from 'vitest';
import { deadLetters, noon, only, Scene, settlement, sharing } from './scene.ts';

function paidByFour(): Scene {
  const scene = new Scene();
  scene.person('P1', '0.00', '40.00');
  scene.person('P2', '25.00', '35.00');
  scene.person('P3', '0.00', '30.00');
  scene.bind('B1', 'P2', { priority: 1 });
  scene.bind('B2', 'P3', { priority: 2 });
  scene.claim('150.00');
  return scene;
}

describe('a refund', () => {
  it('returns cash first, then the relatives last debited, then the own account, in parts that add up', () => {
    const scene = paidByFour();
    const first = scene.refund('C1', '45.00');
    expect(settlement(first)).toEqual({
      ...{ refund_id: 'R2', claim_id: 'C1', psn_no: 'P1', status: 'REFUNDED', code: null, refd_setl_flag: '1' },
      amount: '45.00',
      returned: [
        { source: 'CASH', amount: '20.00' },
        { source: 'RELATIVE', account: 'P3', binding_id: 'B2', amount: '25.00' },
      ],
      ...{ acct_pay: '0.00', acct_mulaid_pay: '-25.00', psn_cash_pay: '-20.00' },
    });
    expect(sharing(first)).toEqual(['resumed ZERO_BALANCE 2025-03-11 ACTIVE']);
    expect(settlement(scene.refund('C1', '20.00')).returned).toEqual([
      { source: 'RELATIVE', account: 'P3', binding_id: 'B2', amount: '5.00' },
      { source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '15.00' },
    ]);
    // Drawn as 35.00 of the current year and then 25.00 of the prior one, so the prior year is filled first.
    expect(scene.balances('P2')).toEqual(['15.00', '0.00']);
    expect(settlement(scene.refund('C1', null)).returned).toEqual([
      { source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '45.00' },
      { source: 'OWN', account: 'P1', amount: '40.00' },
    ]);
    expect([scene.balances('P1'), scene.balances('P2'), scene.balances('P3')]).toEqual([
      ['0.00', '40.00'],
      ['25.00', '35.00'],
      ['0.00', '30.00'],
    ]);
    expect(settlement(scene.refund('C1', null)).code).toBe('REFUND_EXCEEDS_SETTLED');
  });

  it('is refused for a bad amount before anything else, for a foreign or unknown claim, and for a fen too much', () => {
    const scene = paidByFour();
    const code = (...given: Parameters<Scene['refund']>) => only(scene.refund(...given)).value.code;
    expect(code('C9', '0.00')).toBe('REFUND_AMOUNT_INVALID');
    expect(code('C1', '1.005')).toBe('REFUND_AMOUNT_INVALID');
    expect(code('C9', '1.00')).toBe('REFUND_CLAIM_NOT_FOUND');
    expect(code('C1', '1.00', '2025-03-11', { psn_no: 'P2' })).toBe('REFUND_CLAIM_NOT_FOUND');
    expect(code('C1', '150.01')).toBe('REFUND_EXCEEDS_SETTLED');
  });

  it('holds the money of a closed account for manual payout, and lets exactly that be paid out', () => {
    const scene = paidByFour();
    scene.member('account.changed', 'P3', '2025-03-11', { change_id: 'H1', status: 'CLOSED' });
    const value = settlement(scene.refund('C1', '50.00', '2025-03-11', { refund_id: 'R1' }));
    expect(value.returned).toEqual([
      { source: 'CASH', amount: '20.00' },
      { source: 'RELATIVE', account: 'P3', binding_id: 'B2', amount: '30.00', manual: true },
    ]);
    expect(value.acct_mulaid_pay).toBe('-30.00');
    expect(scene.balances('P3')).toEqual(['0.00', '0.00']);
    const payOut = (amount: string) => scene.member('refund.paid', 'P3', '2025-03-12', { refund_id: 'R1', amount });
    expect(deadLetters(payOut('29.99'))).toEqual(['TRANSITION_NOT_ALLOWED']);
    expect(payOut('30.00')).toEqual([]);
  });
});

describe('a premium', () => {
  const pay = (scene: Scene, rest: Record<string, unknown> = {}) => {
    const value = {
      premium_id: 'Q1',
      payer: 'P2',
      beneficiary: 'P1',
      year: 2025,
      amount: '400.00',
      at: noon('2025-03-10'),
      ...rest,
    };
    return scene.send('claims', 'premium.submitted', 'P1', value);
  };

  it('is paid whole from one payer without any daily limit, and comes back whole', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '0.00', '400.00');
    scene.bind('B1', 'P2', { daily_limit: '1.00' });
    const [outcome, paused] = pay(scene);
    expect(outcome).toMatchObject({
      key: 'P1',
      type: 'premium.settled',
      value: {
        ...{ premium_id: 'Q1', payer: 'P2', beneficiary: 'P1', binding_id: 'B1', year: 2025, amount: '400.00' },
        ...{ status: 'SETTLED', code: null },
      },
    });
    expect(sharing(paused === undefined ? [] : [paused])).toEqual(['paused ZERO_BALANCE 2025-03-10 PAUSED']);
    expect(settlement(scene.refund('Q1', null))).toMatchObject({
      returned: [{ source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '400.00' }],
      ...{ acct_pay: '0.00', acct_mulaid_pay: '-400.00', psn_cash_pay: '0.00' },
    });
  });

  it('is refused by the first test of the binding that passes most', () => {
    const scene = new Scene('520100');
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '0.00', '399.99');
    expect(only(pay(scene)).value.code).toBe('BINDING_NOT_FOUND');
    scene.bind('B1', 'P2', { relation: 'SPOUSE', premium_registered: true });
    expect(only(pay(scene, { premium_id: 'Q2' })).value.code).toBe('RELATION_NOT_ALLOWED');
    scene.bind('B2', 'P2', { relation: 'CHILD' });
    expect(only(pay(scene, { premium_id: 'Q3' })).value.code).toBe('PREMIUM_NOT_REGISTERED');
    scene.move('binding.changed', 'B2', 'P2', '2025-03-01', { change_id: 'H1', premium_registered: true });
    expect(only(pay(scene, { premium_id: 'Q4', amount: '380.00' })).value.code).toBe('PREMIUM_AMOUNT_MISMATCH');
    expect(only(pay(scene, { premium_id: 'Q5' })).value.code).toBe('PREMIUM_INSUFFICIENT_BALANCE');
    expect(only(pay(scene, { premium_id: 'Q6', amount: '0.00' })).value.code).toBe('PREMIUM_AMOUNT_INVALID');
    expect(settlement(pay(scene, { premium_id: 'Q7', amount: '350.00' })).status).toBe('SETTLED');
  });
});

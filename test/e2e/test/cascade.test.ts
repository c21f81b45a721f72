import { describe, expect, it } from 'vitest';
import { noon, only, Scene, settlement, skips, split } from './scene.ts';

describe('a claim', () => {
  it('is paid by the own account, then a relative, then cash, and says so in every field', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '40.00');
    scene.person('P2', '60.00', '0.00');
    scene.person('P3', '500.00', '0.00', { unpaid_periods: ['2024-12'], arrears_since: '2025-01-01' });
    scene.bind('B1', 'P2', { priority: 2 });
    scene.bind('B2', 'P3', { priority: 1, relation: 'CHILD', state: 'PAUSED', pause_reasons: ['ARREARS'] });
    const [outcome, ...paused] = scene.claim('150.00', '2025-03-10', {
      medfee_sumamt: '350',
      fund_pay_sumamt: '200.0',
    });
    expect(outcome).toEqual({
      topic: 'settlements',
      key: 'P1',
      type: 'settlement.settled',
      unknowable: ['setl_id', 'policy[].version'],
      input: 5,
      value: {
        ...{ claim_id: 'C1', mdtrt_id: 'M1', medins_setl_id: null, psn_no: 'P1', fixmedins_code: 'H1', med_type: '11' },
        ...{ clr_type: '11', setl_time: noon('2025-03-10'), refd_setl_flag: '0', status: 'SETTLED', code: null },
        ...{ medfee_sumamt: '350.00', fund_pay_sumamt: '200.00', hosp_part_amt: '0.00', psn_part_amt: '150.00' },
        ...{ acct_pay: '40.00', acct_mulaid_pay: '60.00', psn_cash_pay: '50.00', balc: '0.00' },
        allocation: [
          { source: 'OWN', account: 'P1', amount: '40.00', prior_year: '0.00', current_year: '40.00' },
          {
            ...{ source: 'RELATIVE', account: 'P2', binding_id: 'B1', relation: 'SPOUSE' },
            ...{ amount: '60.00', prior_year: '60.00', current_year: '0.00' },
          },
        ],
        skipped: [{ source: 'RELATIVE', account: 'P3', binding_id: 'B2', code: 'PAYER_IN_ARREARS' }],
        policy: [{ region: '130200' }],
      },
    });
    expect(paused.map((each) => each.topic !== 'dead-letters' && each.value)).toEqual([
      {
        ...{
          binding_id: 'B1',
          payer: 'P2',
          beneficiary: 'P1',
          reason: 'ZERO_BALANCE',
          pause_reasons: ['ZERO_BALANCE'],
        },
        ...{ state: 'PAUSED', effective_on: '2025-03-10', cause: { ce_type: 'claim.submitted', id: 'C1' } },
      },
    ]);
  });

  it('asks relatives by priority, then by the earlier binding, then by binding_id, those without priority last', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '0.00');
    for (const payer of ['P2', 'P3', 'P4', 'P5', 'P6', 'P7']) scene.person(payer, '0.00', '10.00');
    scene.bind('B5', 'P2');
    scene.bind('B4', 'P3', { priority: 2, bound_at: '2024-12-02T00:00:00+08:00' });
    scene.bind('B3', 'P4', { priority: 2, bound_at: '2024-12-01T00:00:00+08:00' });
    scene.bind('B2', 'P5', { priority: 2, bound_at: '2024-11-30T16:00:00Z' });
    scene.bind('B1', 'P6', { priority: 7 });
    scene.bind('B6', 'P7');
    const outcome = scene.claim('51.00');
    expect(split(outcome)).toEqual([
      'P5 10.00',
      'P4 10.00',
      'P3 10.00',
      'P6 10.00',
      'P2 10.00',
      'P7 1.00',
      'cash 0.00',
    ]);
    expect(skips(outcome)).toEqual(['P1 OWN_ZERO_BALANCE']);
  });

  it('asks the richest relative first where the region orders by balance', () => {
    const scene = new Scene('340100');
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '50.00', '0.00');
    scene.person('P3', '50.00', '0.01');
    scene.bind('B1', 'P2', { priority: 1 });
    scene.bind('B2', 'P3', { priority: 9 });
    expect(split(scene.claim('60.00'))).toEqual(['P3 50.01', 'P2 9.99', 'cash 0.00']);
  });

  it('draws on a prior-year surplus only above 6000.00 and down to 3000.00, partly where the bill is larger', () => {
    const scene = new Scene('140100');
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '6000.00', '9999.00');
    scene.person('P3', '6000.01', '0.00');
    scene.bind('B1', 'P2', { priority: 1 });
    scene.bind('B2', 'P3', { priority: 2 });
    const outcome = scene.claim('10000.00');
    expect(skips(outcome)).toEqual(['P1 OWN_ZERO_BALANCE', 'P2 BELOW_SHARE_THRESHOLD']);
    expect(split(outcome)).toEqual(['P3 3000.01', 'cash 6999.99']);
    expect(scene.balances('P3')).toEqual(['3000.00', '0.00']);
    expect(skips(scene.claim('1.00'))[2]).toBe('P3 BELOW_SHARE_THRESHOLD');
  });

  it('keeps to the daily limit of a binding, which a refund gives back for the original date', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '0.00', '1000.00');
    scene.bind('B1', 'P2', { daily_limit: '200.00' });
    expect(split(scene.claim('150.00'))).toEqual(['P2 150.00', 'cash 0.00']);
    expect(split(scene.claim('100.00'))).toEqual(['P2 50.00', 'cash 50.00']);
    expect(skips(scene.claim('0.01'))).toEqual(['P1 OWN_ZERO_BALANCE', 'P2 DAILY_LIMIT_REACHED']);
    scene.refund('C1', '30.00', '2025-03-20');
    expect(split(scene.claim('100.00'))).toEqual(['P2 30.00', 'cash 70.00']);
    expect(split(scene.claim('250.00', '2025-03-11'))).toEqual(['P2 200.00', 'cash 50.00']);
  });

  it('takes the region default as limit, and its maximum over a higher limit of the binding', () => {
    const scene = new Scene('340100');
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '5000.00', '0.00');
    scene.person('P3', '4000.00', '0.00');
    scene.bind('B1', 'P2', { daily_limit: '900.00' });
    scene.bind('B2', 'P3');
    expect(split(scene.claim('1000.00'))).toEqual(['P2 500.00', 'P3 200.00', 'cash 300.00']);
  });

  it('draws on the prior year up to what was authorised, and no further', () => {
    const scene = new Scene('150100');
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '80.00', '500.00');
    scene.person('P3', '900.00', '0.00');
    scene.person('P4', '900.00', '0.00');
    scene.bind('B1', 'P2', { priority: 1, authorised_amount: '100.00' });
    scene.bind('B2', 'P3', { priority: 2, authorised_amount: '100.00' });
    scene.bind('B3', 'P4', { priority: 3 });
    const outcome = scene.claim('200.00');
    expect(split(outcome)).toEqual(['P2 80.00', 'P3 100.00', 'cash 20.00']);
    expect(skips(outcome)).toEqual(['P1 OWN_ZERO_BALANCE', 'P4 AUTHORISED_AMOUNT_EXHAUSTED']);
    const authorised = () => scene.auditor.bindings('2025-03-10').map((each) => each.authorised_amount);
    expect(authorised()).toEqual(['20.00', '0.00', null]);
    scene.refund('C1', '50.00');
    expect(authorised()).toEqual(['20.00', '30.00', null]);
  });

  it('counts on a binding from its first day to its last, both included', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '0.00');
    scene.person('P2', '0.00', '100.00');
    scene.bind('B1', 'P2', { effective_from: '2025-03-02', effective_to: '2025-03-04' });
    expect(skips(scene.claim('1.00', '2025-03-01'))[1]).toBe('P2 BINDING_NOT_YET_EFFECTIVE');
    expect(split(scene.claim('1.00', '2025-03-02'))).toEqual(['P2 1.00', 'cash 0.00']);
    expect(split(scene.claim('1.00', '2025-03-04'))).toEqual(['P2 1.00', 'cash 0.00']);
    expect(skips(scene.claim('1.00', '2025-03-05'))[1]).toBe('P2 BINDING_EXPIRED');
  });

  it('settles nothing at all when nobody owes anything, and asks no source for it', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '5.00');
    const { allocation, skipped, status, balc } = only(scene.claim('0.00')).value;
    expect([allocation, skipped, status, balc]).toEqual([[], [], 'SETTLED', '5.00']);
  });

  it('pays what is in scope and leaves the rest to cash where the region says so', () => {
    const scene = new Scene('410100');
    scene.person('P1', '0.00', '1000.00');
    expect(split(scene.claim('100.00', '2025-03-10', { fulamt_ownpay_amt: '30.00', overlmt_selfpay: '0.01' }))).toEqual(
      ['P1 69.99', 'cash 30.01'],
    );
  });

  it('is refused whole for an undesignated institution or an excluded purpose, touching no account', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '1000.00');
    expect(settlement(scene.claim('10.00', '2025-03-10', { designated: false })).code).toBe(
      'INSTITUTION_NOT_DESIGNATED',
    );
    const refused = settlement(scene.claim('10.00', '2025-03-10', { purpose: 'FITNESS' }));
    expect([refused.code, refused.psn_cash_pay, refused.balc]).toEqual(['PURPOSE_EXCLUDED', '10.00', '1000.00']);
  });
});

describe('the date of a claim', () => {
  it('decides in Shanghai which rules hold: inpatient care and siblings from 2024-12-01', () => {
    const scene = new Scene();
    scene.person('P1', '0.00', '0.00', { as_of: '2024-11-01T00:00:00+08:00' });
    scene.person('P2', '0.00', '100.00', { as_of: '2024-11-01T00:00:00+08:00' });
    scene.bind('B1', 'P2', { bound_at: '2024-10-01T00:00:00Z' });
    const eve = scene.claim('1.00', '', { med_type: '21', setl_time: '2024-11-30T15:59:59.999Z' });
    expect(skips(eve)).toEqual(['P1 OWN_ZERO_BALANCE', 'P2 SERVICE_CLASS_NOT_COVERED']);
    const day = scene.claim('1.00', '', { med_type: '21', setl_time: '2024-11-30T16:00:00Z' });
    expect(split(day)).toEqual(['P2 1.00', 'cash 0.00']);
  });

  it('turns the current year into the prior one at Shanghai midnight of New Year', () => {
    const scene = new Scene();
    scene.person('P1', '50.00', '100.00', { as_of: '2024-06-01T00:00:00+08:00' });
    const before = settlement(scene.claim('10.00', '', { setl_time: '2024-12-31T15:59:59Z' }));
    expect(before.allocation).toEqual([
      { source: 'OWN', account: 'P1', amount: '10.00', prior_year: '0.00', current_year: '10.00' },
    ]);
    const after = settlement(scene.claim('120.00', '', { setl_time: '2024-12-31T16:00:00Z' }));
    expect(after.allocation).toEqual([
      { source: 'OWN', account: 'P1', amount: '120.00', prior_year: '120.00', current_year: '0.00' },
    ]);
    expect(after.balc).toBe('20.00');
    scene.refund('C1', null, '2025-02-01');
    expect(scene.balances('P1')).toEqual(['30.00', '0.00']);
    scene.member('account.credited', 'P1', '2024-12-30', { credit_id: 'D1', amount: '7.00' });
    scene.member('account.credited', 'P1', '2025-02-02', { credit_id: 'D2', amount: '9.00' });
    expect(scene.balances('P1')).toEqual(['37.00', '9.00']);
    expect(scene.balances('P1', '2026-01-01')).toEqual(['46.00', '0.00']);
  });
});

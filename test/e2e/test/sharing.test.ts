import { describe, expect, it } from 'vitest';
import { deadLetters, noon, only, Scene, sharing, skips, split } from './scene.ts';

/** P2 shares with P1 in an area with 5 days of grace, 10 of waiting and the 15th as due day. */
function family(area: string): Scene {
  const scene = new Scene(area);
  scene.person('P1', '0.00', '0.00', { insutype: '390', prior_year: undefined, current_year: undefined });
  scene.person('P2', '0.00', '1000.00');
  scene.bind('B1', 'P2');
  return scene;
}

const missed = (scene: Scene, period: string, due_date: string, date: string) =>
  scene.member('contribution.missed', 'P2', date, { period, due_date });
const recovered = (scene: Scene, period: string, date: string) =>
  scene.member('contribution.recovered', 'P2', date, { period });

describe('a payer in arrears', () => {
  it('is blocked from the day after the grace, waits after recovery, and shares again', () => {
    const scene = family('410100');
    expect(missed(scene, '2025-01', '2025-01-15', '2025-01-22').map((each) => 'value' in each && each.value)).toEqual([
      {
        ...{ binding_id: 'B1', payer: 'P2', beneficiary: 'P1', reason: 'ARREARS', pause_reasons: ['ARREARS'] },
        ...{ state: 'PAUSED', effective_on: '2025-01-21', cause: { ce_type: 'contribution.missed', id: null } },
      },
    ]);
    expect(split(scene.claim('1.00', '2025-01-20'))).toEqual(['P2 1.00', 'cash 0.00']);
    expect(skips(scene.claim('1.00', '2025-01-21'))).toEqual(['P1 OWN_NO_ACCOUNT', 'P2 PAYER_IN_ARREARS']);
    expect(sharing(recovered(scene, '2025-01', '2025-02-01'))).toEqual(['resumed ARREARS 2025-02-11 ACTIVE']);
    expect(skips(scene.claim('1.00', '2025-01-16'))).toEqual(['P1 OWN_NO_ACCOUNT', 'P2 PAYER_RESUME_WAITING']);
    expect(split(scene.claim('1.00', '2025-01-15'))).toEqual(['P2 1.00', 'cash 0.00']);
    expect(skips(scene.claim('1.00', '2025-02-10'))).toEqual(['P1 OWN_NO_ACCOUNT', 'P2 PAYER_RESUME_WAITING']);
    expect(split(scene.claim('1.00', '2025-02-11'))).toEqual(['P2 1.00', 'cash 0.00']);
  });

  it('is paused when the grace ends, told at the next event or check that has reached that day', () => {
    const scene = family('410100');
    expect(missed(scene, '2025-01', '2025-01-15', '2025-01-16')).toEqual([]);
    expect(scene.member('account.credited', 'P2', '2025-01-20', { credit_id: 'D1', amount: '1.00' })).toEqual([]);
    const check = { check_id: 'K1', on: '2025-01-22' };
    expect(sharing(scene.send('members', 'arrears.check', '', check))).toEqual(['paused ARREARS 2025-01-21 PAUSED']);
  });

  it('stays in arrears until nothing is unpaid, and a cleared month stays cleared', () => {
    const scene = family('130200');
    expect(sharing(missed(scene, '2025-01', '2025-01-31', '2025-02-01'))).toEqual(['paused ARREARS 2025-02-01 PAUSED']);
    expect(missed(scene, '2025-02', '2025-02-28', '2025-03-01')).toEqual([]);
    expect(recovered(scene, '2025-01', '2025-03-02')).toEqual([]);
    expect(skips(scene.claim('1.00', '2025-02-10'))[1]).toBe('P2 PAYER_IN_ARREARS');
    expect(sharing(recovered(scene, '2025-02', '2025-03-03'))).toEqual(['resumed ARREARS 2025-03-03 ACTIVE']);
    expect(skips(scene.claim('1.00', '2025-02-15'))[1]).toBe('P2 PAYER_RESUME_WAITING');
    scene.member('contribution.received', 'P2', '2025-04-02', { contribution_id: 'K1', period: '2025-03' });
    expect(missed(scene, '2025-03', '2025-03-31', '2025-04-03')).toEqual([]);
    expect(split(scene.claim('1.00', '2025-04-04'))).toEqual(['P2 1.00', 'cash 0.00']);
  });

  it('has no spell to recover from where the grace of no unpaid month has ended', () => {
    const scene = family('410100');
    expect(missed(scene, '2025-01', '2025-01-15', '2025-01-16')).toEqual([]);
    expect(missed(scene, '2025-02', '2025-01-18', '2025-01-19')).toEqual([]);
    expect(recovered(scene, '2025-01', '2025-01-20')).toEqual([]);
    expect(recovered(scene, '2025-02', '2025-01-22')).toEqual([]);
    expect(split(scene.claim('1.00', '2025-01-22'))).toEqual(['P2 1.00', 'cash 0.00']);
  });

  it('is found by the nightly check for months after the import, once their due day has passed', () => {
    const scene = family('410100');
    const check = (on: string) => scene.send('members', 'arrears.check', '', { check_id: on, on });
    expect(check('2025-02-15')).toEqual([]);
    expect(scene.auditor.account('P2', '2025-02-15')?.unpaid_periods).toEqual([]);
    expect(check('2025-02-16')).toEqual([]);
    expect(scene.auditor.account('P2', '2025-02-16')).toMatchObject({
      unpaid_periods: ['2025-02'],
      arrears_since: '2025-02-16',
    });
    expect(sharing(check('2025-03-20'))).toEqual(['paused ARREARS 2025-02-21 PAUSED']);
    expect(scene.auditor.account('P2', '2025-03-20')?.unpaid_periods).toEqual(['2025-02', '2025-03']);
  });

  it('is paused by the due date that is stated, also where a check reckoned another before', () => {
    const scene = family('130200');
    const check = (on: string) => sharing(scene.send('members', 'arrears.check', '', { check_id: on, on }));
    expect(check('2025-03-01')).toEqual(['paused ARREARS 2025-03-01 PAUSED']);
    expect(sharing(missed(scene, '2025-02', '2025-03-15', '2025-03-05'))).toEqual([
      'resumed ARREARS 2025-03-05 ACTIVE',
    ]);
    expect(split(scene.claim('1.00', '2025-03-10'))).toEqual(['P2 1.00', 'cash 0.00']);
    expect(check('2025-03-20')).toEqual(['paused ARREARS 2025-03-16 PAUSED']);
    expect(check('2025-04-01')).toEqual([]);
    expect(missed(scene, '2025-03', '2025-03-10', '2025-04-02')).toEqual([]);
    expect(skips(scene.claim('1.00', '2025-03-12'))[1]).toBe('P2 PAYER_IN_ARREARS');
  });

  it('confirms by hand where the region resumes by hand, without waiting days', () => {
    const scene = family('430100');
    const resume = (date: string) => scene.move('binding.resumed', 'B1', 'P2', date, { reason: 'ARREARS' });
    missed(scene, '2025-01', '2025-01-31', '2025-02-01');
    expect(deadLetters(resume('2025-02-02'))).toEqual(['TRANSITION_NOT_ALLOWED']);
    expect(recovered(scene, '2025-01', '2025-02-03')).toEqual([]);
    expect(skips(scene.claim('1.00', '2025-02-04'))[1]).toBe('P2 PAYER_IN_ARREARS');
    expect(sharing(resume('2025-02-05'))).toEqual(['resumed ARREARS 2025-02-05 ACTIVE']);
    expect(split(scene.claim('1.00', '2025-02-05'))).toEqual(['P2 1.00', 'cash 0.00']);
  });

  it('lifts by hand what is left with nothing unpaid where arrears resume by themselves', () => {
    const scene = family('430100');
    const resume = (date: string) => scene.move('binding.resumed', 'B1', 'P2', date, { reason: 'ARREARS' });
    missed(scene, '2025-01', '2025-01-31', '2025-02-01');
    expect(recovered(scene, '2025-01', '2025-02-03')).toEqual([]);
    scene.member('account.changed', 'P2', '2025-02-04', { change_id: 'H', insu_admdvs: '410100' });
    expect(sharing(resume('2025-02-05'))).toEqual(['resumed ARREARS 2025-02-13 ACTIVE']);
    expect(deadLetters(resume('2025-02-06'))).toEqual(['TRANSITION_NOT_ALLOWED']);
  });

  it('is under the rules of the area they move to, from that day on', () => {
    const scene = family('130200');
    const change = (date: string, facts: object) =>
      sharing(scene.member('account.changed', 'P2', date, { change_id: date, ...facts }));
    expect(change('2025-02-01', { insured: false })).toEqual(['paused ARREARS 2025-02-01 PAUSED']);
    expect(change('2025-02-03', { insu_admdvs: '410100' })).toEqual(['resumed ARREARS 2025-02-03 ACTIVE']);
    expect(change('2025-02-08', { insu_admdvs: '530100' })).toEqual([
      'paused ARREARS 2025-02-06 PAUSED',
      'resumed ARREARS 2025-02-08 ACTIVE',
    ]);
    expect(change('2025-02-10', { insu_admdvs: '130200' })).toEqual(['paused ARREARS 2025-02-10 PAUSED']);
  });

  it('is paused by the next check where an import left the binding active', () => {
    const scene = family('130200');
    scene.person('P3', '0.00', '1.00', { unpaid_periods: ['2024-11'], arrears_since: '2024-12-01' });
    scene.bind('B3', 'P3');
    const check = (on: string) => sharing(scene.send('members', 'arrears.check', '', { check_id: on, on }));
    expect(check('2025-01-20')).toEqual(['paused ARREARS 2024-12-01 PAUSED']);
    expect(check('2025-01-21')).toEqual([]);
  });

  it('is free of arrears by retiring, and in arrears while not insured', () => {
    const scene = family('130200');
    const change = (date: string, facts: object) =>
      scene.member('account.changed', 'P2', date, { change_id: date, ...facts });
    expect(sharing(change('2025-02-01', { insured: false }))).toEqual(['paused ARREARS 2025-02-01 PAUSED']);
    expect(sharing(change('2025-02-03', { insured: true }))).toEqual(['resumed ARREARS 2025-02-03 ACTIVE']);
    missed(scene, '2025-01', '2025-01-31', '2025-02-04');
    expect(sharing(change('2025-02-05', { employment: 'RETIRED' }))).toEqual(['resumed ARREARS 2025-02-05 ACTIVE']);
    expect(split(scene.claim('1.00', '2025-02-05'))).toEqual(['P2 1.00', 'cash 0.00']);
  });
});

describe('other pause reasons', () => {
  it('come and go one by one; the binding is active when none is left', () => {
    const scene = family('430100');
    const employer = (date: string, employer_enabled: boolean) =>
      scene.member('account.changed', 'P2', date, { change_id: date, employer_enabled });
    expect(sharing(scene.move('binding.paused', 'B1', 'P2', '2025-02-01'))).toEqual(['paused USER 2025-02-01 PAUSED']);
    expect(scene.move('binding.paused', 'B1', 'P2', '2025-02-02')).toEqual([]);
    expect(sharing(employer('2025-02-03', false))).toEqual(['paused EMPLOYER_OFF 2025-02-03 PAUSED']);
    expect(sharing(scene.move('binding.resumed', 'B1', 'P2', '2025-02-04'))).toEqual([
      'resumed USER 2025-02-04 PAUSED',
    ]);
    expect(skips(scene.claim('1.00', '2025-02-04'))[1]).toBe('P2 EMPLOYER_NOT_ENABLED');
    expect(sharing(employer('2025-02-05', true))).toEqual(['resumed EMPLOYER_OFF 2025-02-05 ACTIVE']);
  });

  it('let a credit end ZERO_BALANCE, and let New Year end it where only the prior year is shared', () => {
    const scene = family('530100');
    expect(sharing(scene.member('account.credited', 'P2', '2025-02-01', { credit_id: 'D1', amount: '5.00' }))).toEqual([
      'paused ZERO_BALANCE 2025-02-01 PAUSED',
    ]);
    const later = scene.move('binding.changed', 'B1', 'P2', '2026-01-15', { change_id: 'H1', priority: 1 });
    expect(sharing(later)).toEqual(['resumed ZERO_BALANCE 2026-01-01 ACTIVE']);
    expect(split(scene.claim('6.00', '2026-01-15'))).toEqual(['P2 6.00', 'cash 0.00']);
  });
});

describe('a binding request', () => {
  const request = (scene: Scene, binding_id: string, rest: object = {}) => {
    const value = {
      binding_id,
      payer: 'P2',
      beneficiary: 'P1',
      relation: 'CHILD',
      bound_at: noon('2025-03-01'),
      ...rest,
    };
    return scene.send('members', 'binding.requested', 'P2', value);
  };

  it('is pending without a word, active when approved, and paused at once where the payer is in arrears', () => {
    const scene = family('130200');
    expect(request(scene, 'B2')).toEqual([]);
    expect(skips(scene.claim('2000.00', '2025-03-02'))).toEqual(['P1 OWN_NO_ACCOUNT', 'P2 BINDING_PENDING']);
    missed(scene, '2025-02', '2025-02-28', '2025-03-03');
    const approved = scene.move('binding.approved', 'B2', 'P2', '2025-03-04');
    expect(approved.map((each) => 'type' in each && [each.type, each.value.state])).toEqual([
      ['binding.activated', 'ACTIVE'],
      ['sharing.paused', 'PAUSED'],
    ]);
    expect(deadLetters(scene.move('binding.approved', 'B2', 'P2', '2025-03-05'))).toEqual(['TRANSITION_NOT_ALLOWED']);
    expect(only(scene.move('binding.revoked', 'B2', 'P2', '2025-03-06')).value.state).toBe('REVOKED');
  });

  it('is refused by the first rule of the payer that it breaks, and then there is no binding', () => {
    const scene = family('340100');
    const code = (...given: [string, object]) => only(request(scene, ...given)).value.code;
    expect(code('B2', { beneficiary: 'P2' })).toBe('SELF_BINDING');
    expect(code('B3', {})).toBe('DAILY_LIMIT_MISSING');
    expect(code('B4', { daily_limit: '500.01' })).toBe('DAILY_LIMIT_TOO_HIGH');
    expect(request(scene, 'B6', { daily_limit: '500.00' })).toEqual([]);
    missed(scene, '2025-01', '2025-01-31', '2025-02-01');
    expect(code('B5', { daily_limit: '500.00' })).toBe('PAYER_IN_ARREARS');
    expect(deadLetters(scene.move('binding.approved', 'B5', 'P2', '2025-03-02'))).toEqual(['BINDING_UNKNOWN']);
    expect(only(request(family('150100'), 'B2', { relation: 'SIBLING' })).value.code).toBe('RELATION_NOT_ALLOWED');
  });

  it('needs a daily limit that stays, unless it only shows a code', () => {
    const scene = family('340100');
    expect(request(scene, 'B2', { type: 'KINSHIP_CODE', daily_limit: '500.01' })).toEqual([]);
    expect(request(scene, 'B3', { daily_limit: '500.00' })).toEqual([]);
    const change = (id: string, daily_limit: string | null) =>
      deadLetters(
        scene.move('binding.changed', id, 'P2', '2025-03-02', { change_id: `${id} ${daily_limit}`, daily_limit }),
      );
    expect([change('B2', null), change('B3', '5.00'), change('B3', null)]).toEqual([[], [], ['DAILY_LIMIT_MISSING']]);
  });

  it('counts payers, beneficiaries and families', () => {
    const scene = family('520100');
    expect(request(scene, 'B2', { beneficiary: 'P8' })).toEqual([]);
    expect(only(request(scene, 'B3', { beneficiary: 'P9' })).value.code).toBe('BINDING_LIMIT_EXCEEDED');
    scene.move('binding.rejected', 'B2', 'P2', '2025-02-28');
    expect(request(scene, 'B4', { beneficiary: 'P9' })).toEqual([]);
  });
});

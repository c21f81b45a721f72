import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAMILY_PACKS } from '../../src/index.ts';
import { eventRecord, Story } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';

type Wire = Readonly<Record<string, unknown>>;

/** An area with nothing but the country's own rules. */
const PLAIN = '130200';
/** An area with limits on how many may be bound. */
const LIMITED = '520100';

let system: TestSystem;
let story: Story;

beforeAll(async () => {
  const environment = () => ({ GONGJI_NHSA_OUTPUT: '1' });
  system = await TestSystem.start({ packs: FAMILY_PACKS, partitions: 1, environment });
  story = new Story(system, FAMILY_PACKS);
});
afterAll(() => system?.[Symbol.asyncDispose]());

const noon = (date: string) => `${date}T12:00:00+08:00`;

/** Somebody insured under 310 with an account as of 2025-01-02. */
const person = (psn_no: string, rest: Wire = {}) =>
  eventRecord('account.opened', {
    ...{ psn_no, insutype: '310', psn_type: '1101', employment: 'ACTIVE', insu_admdvs: PLAIN, insured: true },
    ...{ prior_year: '0.00', current_year: '100.00', as_of: noon('2025-01-02'), ...rest },
  });

const bound = (binding_id: string, payer: string, beneficiary: string, rest: Wire = {}, type = 'binding.opened') =>
  eventRecord(type, { binding_id, payer, beneficiary, relation: 'CHILD', bound_at: noon('2025-01-03'), ...rest });

const month = (type: string, psn_no: string, period: string, date: string, rest: Wire = {}) =>
  eventRecord(`contribution.${type}`, { psn_no, period, at: noon(date), ...rest });

const moved = (type: string, binding_id: string, payer: string, date: string, rest: Wire = {}) =>
  eventRecord(`binding.${type}`, { binding_id, payer, at: noon(date), ...rest });

const visit = (claim_id: string, psn_no: string, psn_part_amt: string, date: string, rest: Wire = {}) =>
  eventRecord('claim.submitted', {
    ...{
      claim_id,
      mdtrt_id: 'M',
      psn_no,
      fixmedins_code: 'H',
      designated: true,
      fix_blng_admdvs: PLAIN,
      med_type: '11',
    },
    ...{ setl_time: noon(date), medfee_sumamt: psn_part_amt, fund_pay_sumamt: '0.00', psn_part_amt, ...rest },
  });

const account = (psn_no: string, date: string) =>
  system.read(`/v1/accounts/${psn_no}?at=${encodeURIComponent(noon(date))}`);
const bindingsOf = async (payer: string) => (await system.read(`/v1/bindings?payer=${payer}`))?.bindings;
const deadLetter = (code: string) => [{ type: 'dead letter', code }];

describe('a worker that is told to publish the national form', () => {
  it('adds it to the outcome, as the patient’s region prints it, and HTTP answers the same', async () => {
    await story.when(person('NH', { insu_admdvs: '440106' }));
    const [outcome] = await story.when(visit('C-NH', 'NH', '30.00', '2025-03-10', { fix_blng_admdvs: '440104' }));
    const paid = { acct_pay: '30.00', fund_pay_sumamt: '0.00', psn_cash_pay: '0.00' };
    // Guangzhou's fund total holds the personal account.
    const printed = { ...paid, fund_pay_sumamt: '30.00' };
    expect(outcome).toMatchObject({ ...paid, nhsa: { infno: '2207', setlinfo: printed } });
    expect(await system.read('/v1/settlements/C-NH?form=nhsa')).toEqual(outcome?.nhsa);
  });
});

describe('a binding is entered once', () => {
  it('so that an id that exists cannot be requested or opened again, and the same words twice are one event', async () => {
    await story.when(person('E1'), bound('BE', 'E1', 'E2'));
    expect(await story.when(bound('BE', 'E1', 'E2'))).toEqual([]);
    expect(await story.when(bound('BE', 'E1', 'E3'))).toEqual(deadLetter('EVENT_CONFLICT'));
    expect(await story.when(bound('BE', 'E1', 'E2', {}, 'binding.requested'))).toEqual(
      deadLetter('TRANSITION_NOT_ALLOWED'),
    );
    expect(await bindingsOf('E1')).toMatchObject([{ binding_id: 'BE', beneficiary: 'E2', state: 'ACTIVE' }]);
  });

  it('and a request that was refused leaves its id to an import', async () => {
    const refused = await story.when(bound('BF', 'E1', 'E1', {}, 'binding.requested'));
    expect(refused).toMatchObject([{ type: 'binding.refused', code: 'SELF_BINDING' }]);
    expect(await story.when(bound('BF', 'E1', 'E3'))).toEqual([]);
    expect(await bindingsOf('E1')).toMatchObject([{ binding_id: 'BE' }, { binding_id: 'BF', state: 'ACTIVE' }]);
  });

  it('with reasons, whatever its state says, and not PAUSED without any', async () => {
    expect(await story.when(bound('BG', 'E1', 'E4', { state: 'ACTIVE', pause_reasons: ['USER'] }))).toEqual([]);
    expect(await bindingsOf('E1')).toContainEqual(
      expect.objectContaining({ binding_id: 'BG', state: 'PAUSED', pause_reasons: ['USER'] }),
    );
    expect(await story.when(bound('BH', 'E1', 'E5', { state: 'PAUSED' }))).toEqual(deadLetter('EVENT_MALFORMED'));
  });
});

describe('an account is entered', () => {
  it('with 0.00 for the portion that is not stated', async () => {
    await story.when(person('F1', { prior_year: undefined }), person('F2', { current_year: null, prior_year: '7.00' }));
    expect(await account('F1', '2025-01-02')).toMatchObject({ prior_year: '0.00', current_year: '100.00' });
    expect(await account('F2', '2025-01-02')).toMatchObject({ prior_year: '7.00', current_year: '0.00' });
  });

  it('in arrears from the day after its unpaid month was due, where no day is stated', async () => {
    const since = { insu_admdvs: '410100', unpaid_periods: ['2024-12'] };
    await story.when(person('F3', since), person('F4', { ...since, arrears_since: '2024-06-01' }));
    expect(await account('F3', '2025-01-02')).toMatchObject({ in_arrears: true, arrears_since: '2024-12-16' });
    expect(await account('F4', '2025-01-02')).toMatchObject({ in_arrears: true, arrears_since: '2024-06-01' });
  });

  it('and takes no money once it is closed; then not even the month is cleared', async () => {
    await story.when(
      person('F5', { status: 'CLOSED' }),
      month('missed', 'F5', '2025-01', '2025-02-01', { due_date: '2025-01-31' }),
    );
    const received = { contribution_id: 'K5', amount: '5.00' };
    expect(await story.when(month('received', 'F5', '2025-01', '2025-02-03', received))).toEqual(
      deadLetter('TRANSITION_NOT_ALLOWED'),
    );
    expect(await account('F5', '2025-02-03')).toMatchObject({ balance: '100.00', unpaid_periods: ['2025-01'] });
  });
});

describe('money held for a closed account', () => {
  it('is paid out once, and only exactly', async () => {
    await story.when(person('G1'));
    await story.when(visit('C-HELD', 'G1', '40.00', '2025-02-03'));
    const closed = { change_id: 'H-HELD', psn_no: 'G1', status: 'CLOSED', at: noon('2025-02-04') };
    await story.when(eventRecord('account.changed', closed));
    const refund = { refund_id: 'R-HELD', claim_id: 'C-HELD', psn_no: 'G1', at: noon('2025-02-05') };
    expect(await story.when(eventRecord('claim.refunded', refund))).toMatchObject([
      {
        ...{ type: 'refund.settled', amount: '40.00', acct_pay: '-40.00' },
        returned: [{ source: 'OWN', account: 'G1', amount: '40.00', manual: true }],
      },
    ]);
    const paid = (amount: string, date: string) =>
      eventRecord('refund.paid', { refund_id: 'R-HELD', psn_no: 'G1', amount, at: noon(date) });
    expect(await story.when(paid('39.99', '2025-02-06'))).toEqual(deadLetter('TRANSITION_NOT_ALLOWED'));
    expect(await story.when(paid('40.00', '2025-02-07'))).toEqual([]);
    expect(await story.when(paid('40.00', '2025-02-07'))).toEqual([]);
    expect(await story.when(paid('40.00', '2025-02-08'))).toEqual(deadLetter('EVENT_CONFLICT'));
    expect(await account('G1', '2025-02-08')).toMatchObject({ balance: '60.00' });
  });
});

describe('what random families once found', () => {
  it('a month paid that was not unpaid says nothing of the months that are', async () => {
    const uninsured = { insured: false };
    await story.when(person('L1', uninsured), bound('BL1', 'L1', 'L2'));
    expect(await story.when(month('recovered', 'L1', '2025-01', '2025-02-03'))).toEqual([]);
    expect(await story.when(month('missed', 'L1', '2025-01', '2025-02-04', { due_date: '2025-01-31' }))).toEqual([]);
  });

  it('a reason imported beside money goes with the first posting, the own use of the account included', async () => {
    await story.when(person('L3'), bound('BL3', 'L3', 'L4', { pause_reasons: ['ZERO_BALANCE'] }));
    expect(await story.when(visit('C-STALE', 'L3', '1.00', '2025-02-03'))).toMatchObject([
      { type: 'settlement.settled', acct_pay: '1.00' },
      { ...{ type: 'sharing.resumed', binding_id: 'BL3', reason: 'ZERO_BALANCE' }, effective_on: '2025-02-03' },
    ]);
  });

  it('or with New Year, whichever comes first', async () => {
    await story.when(person('L5'), bound('BL5', 'L5', 'L6', { pause_reasons: ['ZERO_BALANCE'] }));
    expect(await story.when(moved('paused', 'BL5', 'L5', '2026-01-20'))).toMatchObject([
      { type: 'sharing.resumed', reason: 'ZERO_BALANCE', effective_on: '2026-01-01', state: 'ACTIVE' },
      { type: 'sharing.paused', reason: 'USER', effective_on: '2026-01-20', state: 'PAUSED' },
    ]);
  });

  it('one claim that empties an account through two bindings is one change of each', async () => {
    const paused = { pause_reasons: ['ZERO_BALANCE'] };
    await story.when(
      person('L7'),
      person('L8', { prior_year: null, current_year: null }),
      bound('BL7-1', 'L7', 'L8', { priority: 1, daily_limit: '60.00' }),
      bound('BL7-2', 'L7', 'L8', { priority: 2, ...paused }),
    );
    expect(await story.when(visit('C-TWICE', 'L8', '100.00', '2025-02-03'))).toMatchObject([
      { type: 'settlement.settled', acct_mulaid_pay: '100.00', allocation: [{ amount: '60.00' }, { amount: '40.00' }] },
      { type: 'sharing.paused', binding_id: 'BL7-1', reason: 'ZERO_BALANCE' },
    ]);
  });

  it('arrears that begin and end between two events of one batch pause and resume', async () => {
    await story.when(person('M1'), bound('BM1', 'M1', 'M2'));
    expect(
      await story.when(
        month('missed', 'M1', '2025-03', '2025-02-01', { due_date: '2025-03-31' }),
        month('recovered', 'M1', '2025-03', '2025-04-10'),
      ),
    ).toMatchObject([
      { type: 'sharing.paused', reason: 'ARREARS', effective_on: '2025-04-01' },
      { type: 'sharing.resumed', reason: 'ARREARS', effective_on: '2025-04-10' },
    ]);
  });

  it('a binding approved for a payer never seen insured is paused from the day of its approval', async () => {
    await story.when(person('M3', { insured: false, insu_admdvs: '120000' }));
    await story.when(bound('BM3', 'M3', 'M4', {}, 'binding.requested'));
    expect(await story.when(moved('approved', 'BM3', 'M3', '2025-02-03'))).toMatchObject([
      { type: 'binding.activated', state: 'ACTIVE' },
      { type: 'sharing.paused', reason: 'ARREARS', effective_on: '2025-02-03' },
    ]);
  });

  it('a link that only shows a code is within every limit on how many may be bound', async () => {
    await story.when(
      person('N1', { insu_admdvs: LIMITED }),
      ...['N2', 'N3', 'N4'].map((beneficiary) => bound(`B${beneficiary}`, 'N1', beneficiary)),
    );
    const request = (binding_id: string, rest: Wire) => bound(binding_id, 'N1', 'N5', rest, 'binding.requested');
    expect(await story.when(request('BN5', {}))).toMatchObject([{ code: 'BINDING_LIMIT_EXCEEDED' }]);
    expect(await story.when(request('BN6', { type: 'KINSHIP_CODE' }))).toEqual([]);
  });

  it('a due date stated for a month takes the place of the one that was reckoned, and stays', async () => {
    await story.when(person('O1', { unpaid_periods: ['2024-12'] }));
    expect(await account('O1', '2025-01-10')).toMatchObject({ arrears_since: '2025-01-01' });
    await story.when(month('missed', 'O1', '2024-12', '2025-01-10', { due_date: '2024-12-09' }));
    expect(await account('O1', '2025-01-10')).toMatchObject({ arrears_since: '2024-12-10' });
    await story.when(month('missed', 'O1', '2025-01', '2025-02-10', { due_date: '2025-01-31' }));
    expect(await account('O1', '2025-02-10')).toMatchObject({ arrears_since: '2024-12-10' });
  });
});

it('the auditor decides each of these cases in the same way', () => {
  expect(story.differences()).toEqual([]);
});

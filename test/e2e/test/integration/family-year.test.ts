import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventRecord, Story } from '../../src/system/story.ts';
import { TestSystem } from '../../src/system/system.ts';

type Wire = Readonly<Record<string, unknown>>;

const AREA = '500112';
const anyText = expect.any(String);
const OWN_NONE = { source: 'OWN', account: 'SON', code: 'OWN_NO_ACCOUNT' };

let system: TestSystem;
let story: Story;

beforeAll(async () => {
  system = await TestSystem.start({ partitions: 2 });
  story = new Story(system);
});
afterAll(() => system?.[Symbol.asyncDispose]());

/** A visit of the son, who has no account of his own. */
const visit = (claim_id: string, setl_time: string, rest: Wire) => ({
  ...{ claim_id, mdtrt_id: `M-${claim_id}`, psn_no: 'SON', fixmedins_code: 'H50010300042', designated: true },
  ...{ fix_blng_admdvs: '500103', med_type: '11', setl_time, fund_pay_sumamt: '0.00', ...rest },
});

/** What must be published of a visit: its own fields again, and who pays. */
function settled(claim: ReturnType<typeof visit> & Wire, paid: Wire) {
  const { designated, fix_blng_admdvs, ...echoed } = claim;
  return {
    ...{ type: 'settlement.settled', ...echoed, setl_id: anyText, medins_setl_id: null, clr_type: '11' },
    ...{ refd_setl_flag: '0', status: 'SETTLED', code: null, hosp_part_amt: '0.00', balc: '0.00', acct_pay: '0.00' },
    ...{ policy: [{ region: AREA, version: anyText }], ...paid },
  };
}

const payment = (account: string, binding_id: string, amount: string, prior_year: string, current_year: string) => ({
  ...{ source: 'RELATIVE', account, binding_id, relation: 'CHILD', amount, prior_year, current_year },
});
const fromFather = (amount: string, prior_year: string, current_year: string) =>
  payment('FATHER', 'B-FATHER-SON', amount, prior_year, current_year);
const fromMother = (amount: string, prior_year: string, current_year: string) =>
  payment('MOTHER', 'B-MOTHER-SON', amount, prior_year, current_year);

const skip = (account: string, code: string) => ({
  ...{ source: 'RELATIVE', account, binding_id: `B-${account}-SON`, code },
});

/** A change of one reason of one binding. */
const sharing = (type: string, binding: readonly [payer: string, beneficiary: string], rest: Wire) => ({
  ...{ type: `sharing.${type}`, binding_id: `B-${binding.join('-')}`, payer: binding[0], beneficiary: binding[1] },
  ...{ pause_reasons: type === 'paused' ? [rest.reason] : [], state: type === 'paused' ? 'PAUSED' : 'ACTIVE', ...rest },
});

const balances = async (psn_no: string, at: string) => {
  const account = await system.read(`/v1/accounts/${psn_no}?at=${encodeURIComponent(at)}`);
  return [account?.prior_year, account?.current_year];
};

describe('a family of Chongqing in 2025', () => {
  it('enters: two parents with accounts, a son and an aunt insured as residents, and a request for each parent', async () => {
    const person = (psn_no: string, rest: Wire) =>
      eventRecord('account.opened', {
        ...{ psn_no, insu_admdvs: AREA, insured: true, as_of: '2025-01-05T08:00:00+08:00', ...rest },
      });
    const employee = { insutype: '310', psn_type: '1101', employment: 'ACTIVE' };
    const resident = { insutype: '390', psn_type: '14', employment: 'NONE' };
    const people = await story.when(
      person('MOTHER', { ...employee, prior_year: '500.00', current_year: '120.00' }),
      person('FATHER', { ...employee, employment: 'FLEXIBLE', prior_year: '0.00', current_year: '300.00' }),
      person('SON', resident),
      person('AUNT', { ...resident, psn_type: '15' }),
    );
    expect(people).toEqual([]);
    const request = (payer: string, rest: Wire) =>
      eventRecord('binding.requested', {
        ...{ binding_id: `B-${payer}-SON`, payer, beneficiary: 'SON', relation: 'CHILD', ...rest },
        ...{ bound_at: '2025-01-06T09:00:00+08:00' },
      });
    const bindings = await story.when(
      request('MOTHER', { priority: 1, daily_limit: '200.00' }),
      request('FATHER', { priority: 2 }),
      eventRecord('binding.opened', {
        ...{ binding_id: 'B-MOTHER-AUNT', payer: 'MOTHER', beneficiary: 'AUNT', relation: 'SIBLING' },
        ...{ bound_at: '2024-12-20T09:00:00+08:00' },
      }),
    );
    expect(bindings).toEqual([]);
  });

  it('pays in cash while the bindings are under review', async () => {
    const flu = visit('C-FLU', '2025-01-07T10:00:00+08:00', {
      ...{ medfee_sumamt: '100.00', fund_pay_sumamt: '40.00', psn_part_amt: '60.00' },
    });
    expect(await story.when(eventRecord('claim.submitted', flu))).toEqual([
      settled(flu, {
        ...{ acct_mulaid_pay: '0.00', psn_cash_pay: '60.00', allocation: [] },
        skipped: [OWN_NONE, skip('MOTHER', 'BINDING_PENDING'), skip('FATHER', 'BINDING_PENDING')],
      }),
    ]);
  });

  it('is bound once both requests are approved', async () => {
    const at = '2025-01-08T09:00:00+08:00';
    const approved = ['MOTHER', 'FATHER'].map((payer) => ({ binding_id: `B-${payer}-SON`, payer, at }));
    const told = await story.when(...approved.map((each) => eventRecord('binding.approved', each)));
    expect(told.toSorted((one, other) => (String(one.payer) > String(other.payer) ? -1 : 1))).toEqual(
      approved.map((each) => ({ type: 'binding.activated', ...each, beneficiary: 'SON', state: 'ACTIVE' })),
    );
  });

  it("draws on the mother first, this year's money before last year's, and on the father beyond her daily limit", async () => {
    const tooth = visit('C-TOOTH', '2025-02-20T09:30:00+08:00', { medfee_sumamt: '260.00', psn_part_amt: '260.00' });
    expect(await story.when(eventRecord('claim.submitted', tooth))).toEqual([
      settled(tooth, {
        ...{ acct_mulaid_pay: '260.00', psn_cash_pay: '0.00' },
        allocation: [fromMother('200.00', '80.00', '120.00'), fromFather('60.00', '0.00', '60.00')],
        skipped: [OWN_NONE],
      }),
    ]);
    const pills = visit('C-PILLS', '2025-02-20T18:00:00+08:00', {
      ...{ med_type: '41', medfee_sumamt: '50.00', psn_part_amt: '50.00' },
    });
    expect(await story.when(eventRecord('claim.submitted', pills))).toEqual([
      settled(pills, {
        ...{ clr_type: '41', acct_mulaid_pay: '50.00', psn_cash_pay: '0.00' },
        allocation: [fromFather('50.00', '0.00', '50.00')],
        skipped: [OWN_NONE, skip('MOTHER', 'DAILY_LIMIT_REACHED')],
      }),
    ]);
  });

  it('asks the father first after he has moved himself to the front', async () => {
    const change = { change_id: 'H-FRONT', binding_id: 'B-FATHER-SON', payer: 'FATHER', priority: 0 };
    expect(await story.when(eventRecord('binding.changed', { ...change, at: '2025-03-01T20:00:00+08:00' }))).toEqual(
      [],
    );
    const cough = visit('C-COUGH', '2025-03-05T10:00:00+08:00', { medfee_sumamt: '30.00', psn_part_amt: '30.00' });
    expect(await story.when(eventRecord('claim.submitted', cough))).toEqual([
      settled(cough, {
        ...{ acct_mulaid_pay: '30.00', psn_cash_pay: '0.00', skipped: [OWN_NONE] },
        allocation: [fromFather('30.00', '0.00', '30.00')],
      }),
    ]);
  });

  it("pauses everybody the mother shares with on the day after March's contribution was due", async () => {
    const missed = { psn_no: 'MOTHER', period: '2025-03', due_date: '2025-03-31', at: '2025-04-01T02:00:00+08:00' };
    const paused = {
      ...{ reason: 'ARREARS', effective_on: '2025-04-01', cause: { ce_type: 'contribution.missed', id: anyText } },
    };
    expect(await story.when(eventRecord('contribution.missed', missed))).toEqual([
      sharing('paused', ['MOTHER', 'AUNT'], paused),
      sharing('paused', ['MOTHER', 'SON'], paused),
    ]);
  });

  it("skips her meanwhile, lets the father's account run dry, and leaves her the use of her own", async () => {
    const fever = visit('C-FEVER', '2025-04-05T22:00:00+08:00', {
      ...{ med_type: '13', medfee_sumamt: '200.00', psn_part_amt: '200.00' },
    });
    expect(await story.when(eventRecord('claim.submitted', fever))).toEqual([
      settled(fever, {
        ...{ acct_mulaid_pay: '160.00', psn_cash_pay: '40.00' },
        allocation: [fromFather('160.00', '0.00', '160.00')],
        skipped: [OWN_NONE, skip('MOTHER', 'PAYER_IN_ARREARS')],
      }),
      sharing('paused', ['FATHER', 'SON'], {
        ...{ reason: 'ZERO_BALANCE', effective_on: '2025-04-05' },
        cause: { ce_type: 'claim.submitted', id: 'C-FEVER' },
      }),
    ]);
    const own = visit('C-OWN', '2025-04-06T09:00:00+08:00', {
      ...{ psn_no: 'MOTHER', medfee_sumamt: '20.00', psn_part_amt: '20.00' },
    });
    const allocation = { source: 'OWN', account: 'MOTHER', amount: '20.00', prior_year: '20.00', current_year: '0.00' };
    expect(await story.when(eventRecord('claim.submitted', own))).toEqual([
      settled(own, {
        ...{ acct_pay: '20.00', acct_mulaid_pay: '0.00', psn_cash_pay: '0.00', balc: '400.00' },
        ...{ allocation: [allocation], skipped: [] },
      }),
    ]);
  });

  it('resumes her sharing on the day March is paid, and the father’s with his next contribution', async () => {
    const recovered = { psn_no: 'MOTHER', period: '2025-03', at: '2025-04-20T15:00:00+08:00' };
    const resumed = {
      ...{ reason: 'ARREARS', effective_on: '2025-04-20', cause: { ce_type: 'contribution.recovered', id: anyText } },
    };
    expect(await story.when(eventRecord('contribution.recovered', recovered))).toEqual([
      sharing('resumed', ['MOTHER', 'AUNT'], resumed),
      sharing('resumed', ['MOTHER', 'SON'], resumed),
    ]);
    const received = { contribution_id: 'K-APRIL', psn_no: 'FATHER', period: '2025-04', amount: '86.40' };
    expect(
      await story.when(eventRecord('contribution.received', { ...received, at: '2025-04-28T10:00:00+08:00' })),
    ).toEqual([
      sharing('resumed', ['FATHER', 'SON'], {
        ...{ reason: 'ZERO_BALANCE', effective_on: '2025-04-28' },
        cause: { ce_type: 'contribution.received', id: 'K-APRIL' },
      }),
    ]);
  });

  it('shares the personal burden of an inpatient bill up to what there is, and leaves what the fund pays as it is', async () => {
    const ward = visit('C-WARD', '2025-05-12T11:00:00+08:00', {
      ...{ med_type: '21', medfee_sumamt: '12000.00', fund_pay_sumamt: '9000.00', psn_part_amt: '3000.00' },
    });
    expect(await story.when(eventRecord('claim.submitted', ward))).toEqual([
      settled(ward, {
        ...{ clr_type: '21', acct_mulaid_pay: '286.40', psn_cash_pay: '2713.60', skipped: [OWN_NONE] },
        allocation: [fromFather('86.40', '0.00', '86.40'), fromMother('200.00', '200.00', '0.00')],
      }),
      sharing('paused', ['FATHER', 'SON'], {
        ...{ reason: 'ZERO_BALANCE', effective_on: '2025-05-12' },
        cause: { ce_type: 'claim.submitted', id: 'C-WARD' },
      }),
    ]);
  });

  it('gets a partial refund in reverse order, cash first, and with the rest everything as it was', async () => {
    const refund = (refund_id: string, at: string, rest: Wire) =>
      eventRecord('claim.refunded', { refund_id, claim_id: 'C-WARD', psn_no: 'SON', at, ...rest });
    const mother = { source: 'RELATIVE', account: 'MOTHER', binding_id: 'B-MOTHER-SON' };
    const father = { source: 'RELATIVE', account: 'FATHER', binding_id: 'B-FATHER-SON' };
    const refunded = {
      ...{ type: 'refund.settled', claim_id: 'C-WARD', psn_no: 'SON', status: 'REFUNDED', code: null },
      ...{ refd_setl_flag: '1', acct_pay: '0.00' },
    };
    const first = { refund_id: 'R-1', at: '2025-05-20T10:00:00+08:00' };
    expect(await story.when(refund('R-1', first.at, { amount: '2900.00' }))).toEqual([
      {
        ...{ ...refunded, ...first, amount: '2900.00', acct_mulaid_pay: '-186.40', psn_cash_pay: '-2713.60' },
        returned: [
          { source: 'CASH', amount: '2713.60' },
          { ...mother, amount: '186.40' },
        ],
      },
    ]);
    const rest = { refund_id: 'R-2', at: '2025-05-21T10:00:00+08:00' };
    expect(await story.when(refund('R-2', rest.at, {}))).toEqual([
      {
        ...{ ...refunded, ...rest, amount: '100.00', acct_mulaid_pay: '-100.00', psn_cash_pay: '0.00' },
        returned: [
          { ...mother, amount: '13.60' },
          { ...father, amount: '86.40' },
        ],
      },
      sharing('resumed', ['FATHER', 'SON'], {
        ...{ reason: 'ZERO_BALANCE', effective_on: '2025-05-21' },
        cause: { ce_type: 'claim.refunded', id: 'R-2' },
      }),
    ]);
    expect(await balances('MOTHER', rest.at)).toEqual(['400.00', '0.00']);
    expect(await balances('FATHER', rest.at)).toEqual(['0.00', '86.40']);
    expect(await system.read('/v1/settlements/C-WARD')).toMatchObject({
      ...{ psn_cash_pay: '2713.60', refundable: '0.00', refunds: [{ refund_id: 'R-1' }, { refund_id: 'R-2' }] },
    });
  });

  it("may pay the aunt's resident premium from 2025-09-20 on, and not the second before", async () => {
    const credit = { credit_id: 'D-SUMMER', psn_no: 'MOTHER', amount: '500.00', at: '2025-06-01T09:00:00+08:00' };
    expect(await story.when(eventRecord('account.credited', credit))).toEqual([]);
    const premium = (premium_id: string, at: string) => ({
      ...{ premium_id, payer: 'MOTHER', beneficiary: 'AUNT', year: 2025, amount: '400.00', at },
    });
    const early = premium('Q-EARLY', '2025-09-19T23:59:59+08:00');
    expect(await story.when(eventRecord('premium.submitted', early))).toEqual([
      {
        ...{ type: 'premium.refused', ...early, binding_id: 'B-MOTHER-AUNT', status: 'REFUSED' },
        ...{ code: 'RELATION_NOT_ALLOWED', policy: [{ region: AREA, version: anyText }] },
      },
    ]);
    const due = premium('Q-DUE', '2025-09-20T00:00:00+08:00');
    const { relation, ...drawn } = payment('MOTHER', 'B-MOTHER-AUNT', '400.00', '0.00', '400.00');
    expect(await story.when(eventRecord('premium.submitted', due))).toEqual([
      {
        ...{ type: 'premium.settled', ...due, binding_id: 'B-MOTHER-AUNT', status: 'SETTLED', code: null },
        ...{ allocation: [{ ...drawn, relation: 'SIBLING' }], policy: [{ region: AREA, version: anyText }] },
      },
    ]);
  });

  it('finds in the new year that what was left of the old one has become prior-year money', async () => {
    expect(await balances('MOTHER', '2025-12-31T23:59:59+08:00')).toEqual(['400.00', '100.00']);
    expect(await balances('MOTHER', '2026-01-01T00:00:00+08:00')).toEqual(['500.00', '0.00']);
    const rash = visit('C-RASH', '2026-01-01T00:00:00+08:00', { medfee_sumamt: '90.00', psn_part_amt: '90.00' });
    expect(await story.when(eventRecord('claim.submitted', rash))).toEqual([
      settled(rash, {
        ...{ acct_mulaid_pay: '90.00', psn_cash_pay: '0.00', skipped: [OWN_NONE] },
        allocation: [fromFather('86.40', '86.40', '0.00'), fromMother('3.60', '3.60', '0.00')],
      }),
      sharing('paused', ['FATHER', 'SON'], {
        ...{ reason: 'ZERO_BALANCE', effective_on: '2026-01-01' },
        cause: { ce_type: 'claim.submitted', id: 'C-RASH' },
      }),
    ]);
    expect(await balances('MOTHER', '2026-01-01T00:00:00+08:00')).toEqual(['496.40', '0.00']);
  });

  it('is told by the auditor in the same words', () => {
    expect(story.differences()).toEqual([]);
  });
});

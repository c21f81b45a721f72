import { expect, test } from 'vitest';
import { publishedNhsa, renderNhsa, withNhsa } from '../src/index.ts';

const OUTCOME = {
  claim_id: 'C1',
  setl_id: 'S1',
  mdtrt_id: 'M1',
  medins_setl_id: null,
  psn_no: 'P1',
  fixmedins_code: 'H33010600001',
  med_type: '11',
  clr_type: '11',
  setl_time: '2025-03-10T10:00:00+08:00',
  refd_setl_flag: '0',
  status: 'SETTLED',
  code: null,
  medfee_sumamt: '350.00',
  fund_pay_sumamt: '200.00',
  hosp_part_amt: '0.00',
  psn_part_amt: '150.00',
  acct_pay: '40.00',
  acct_mulaid_pay: '60.00',
  psn_cash_pay: '50.00',
  balc: '0.00',
};
const render = (nhsaAcctPayIncludesMulaid: boolean, nhsaFundIncludesAcct: boolean, over: object = {}) =>
  renderNhsa(JSON.stringify({ ...OUTCOME, ...over }), { nhsaAcctPayIncludesMulaid, nhsaFundIncludesAcct });

test.each([
  ['apart, as inside', false, false, { acct_pay: '40.00', fund_pay_sumamt: '200.00' }],
  ['what relatives paid inside the account total', true, false, { acct_pay: '100.00', fund_pay_sumamt: '200.00' }],
  ['the own account inside the fund total', false, true, { acct_pay: '40.00', fund_pay_sumamt: '240.00' }],
  ['both inside the fund total', true, true, { acct_pay: '100.00', fund_pay_sumamt: '300.00' }],
])('a region may print %s', (_case, mulaid, fund, totals) => {
  const rest = { acct_mulaid_pay: '60.00', psn_cash_pay: '50.00', psn_part_amt: '150.00', medfee_sumamt: '350.00' };
  expect(render(mulaid, fund)?.setlinfo).toMatchObject({ ...totals, ...rest });
});

test('the fields are those of setlinfo and no others', () => {
  expect(render(false, false)).toStrictEqual({
    infno: '2207',
    setlinfo: {
      setl_id: 'S1',
      mdtrt_id: 'M1',
      psn_no: 'P1',
      fixmedins_code: 'H33010600001',
      med_type: '11',
      clr_type: '11',
      setl_time: '2025-03-10T10:00:00+08:00',
      medins_setl_id: null,
      refd_setl_flag: '0',
      medfee_sumamt: '350.00',
      hosp_part_amt: '0.00',
      psn_part_amt: '150.00',
      fund_pay_sumamt: '200.00',
      acct_pay: '40.00',
      acct_mulaid_pay: '60.00',
      psn_cash_pay: '50.00',
      balc: '0.00',
    },
  });
});

test('an inpatient settlement is 2304, every other 2207', () => {
  expect(render(false, false, { clr_type: '21' })?.infno).toBe('2304');
  for (const clr_type of ['11', '41', '99']) expect(render(false, false, { clr_type })?.infno).toBe('2207');
});

test('the largest amounts are added without losing a fen', () => {
  const most = { acct_pay: '99999999999999.98', acct_mulaid_pay: '0.01' };
  expect(render(true, false, most)?.setlinfo.acct_pay).toBe('99999999999999.99');
});

test('a premium has no such form', () => {
  expect(
    renderNhsa(JSON.stringify({ premium_id: 'PR1', status: 'SETTLED' }), {
      nhsaAcctPayIncludesMulaid: false,
      nhsaFundIncludesAcct: false,
    }),
  ).toBeNull();
});

test('an outcome that carries its rendering is otherwise as it was, and gives back the same', () => {
  const outgoing = { stamp: { type: 'settlement.settled', id: 'claim:C1', time: '' }, key: 'P1', payload: OUTCOME };
  const flags = { nhsaAcctPayIncludesMulaid: true, nhsaFundIncludesAcct: true };
  const { payload, ...rest } = withNhsa(outgoing, flags);
  const text = JSON.stringify(payload);
  expect({ ...rest, payload: { ...payload, nhsa: undefined } }).toEqual(outgoing);
  expect(publishedNhsa(text)).toEqual(renderNhsa(JSON.stringify(OUTCOME), flags));
  expect(publishedNhsa(JSON.stringify(OUTCOME))).toBeNull();
});

test('a patient nobody knows is rendered with the totals apart', () => {
  expect(renderNhsa(JSON.stringify(OUTCOME), null)).toEqual(render(false, false));
});

import { expect, test } from 'vitest';
import { fen, total } from '../src/audit/fen.ts';
import { type Fields, judgeRefund, judgeSettlement, type Posting } from '../src/audit/judge.ts';

const settled: Fields = {
  claim_id: 'C1',
  psn_no: 'P1',
  fixmedins_code: 'H1',
  setl_time: '2026-03-10T23:30:00Z',
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
  allocation: [
    { source: 'OWN', account: 'P1', amount: '40.00', prior_year: '0.00', current_year: '40.00' },
    {
      source: 'RELATIVE',
      account: 'P2',
      binding_id: 'B1',
      amount: '60.00',
      prior_year: '50.00',
      current_year: '10.00',
    },
  ],
};
/** It is already the 11th in Shanghai. */
const note = { kind: 'CLAIM', counterpart: 'institution:H1', on: '2026-03-11', held: 0n };
const own: Posting = { ...note, account: 'P1', bindingId: null, prior: 0n, current: -4_000n, balanceAfter: 0n };
const relative: Posting = {
  ...note,
  account: 'P2',
  bindingId: 'B1',
  prior: -5_000n,
  current: -1_000n,
  balanceAfter: 7n,
};

function brokenBy(judge: (expect: (check: string, holds: boolean) => void) => void): string[] {
  const broken: string[] = [];
  judge((check, holds) => void (holds || broken.push(check)));
  return broken.sort();
}
const settlement = (changes: Fields, postings: readonly Posting[] = [own, relative]): string[] =>
  brokenBy((expect) => judgeSettlement({ ...settled, ...changes }, postings, expect));

test('amounts are texts with two decimals; anything else is no amount', () => {
  expect(fen('99999999999999.99')).toBe(9_999_999_999_999_999n);
  expect(fen('-0.05')).toBe(-5n);
  for (const text of ['1', '1.0', '1.005', '+1.00', '', ' 1.00', '1e2']) expect(fen(text)).toBeNull();
  expect(fen(1)).toBeNull();
  expect(total([1n, null])).toBeNull();
});

test.each(['10T23:30Z', '11T07:30:00+08', '11T07:30+0800', '10T13:30:00.123456789-10'])(
  'a settlement is of its Shanghai day however its moment was written: 2026-03-%s',
  (written) => expect(settlement({ setl_time: `2026-03-${written}` })).toEqual([]),
);

test('a settlement that adds up and was posted on its Shanghai day breaks nothing, in whatever order the entries come', () => {
  expect(settlement({})).toEqual([]);
  expect(settlement({}, [relative, own])).toEqual([]);
});

test.each<[string, Fields, readonly Posting[], string[]]>([
  ['an entry too few', {}, [own], ['settlement-entries']],
  ['an entry too many', {}, [own, relative, relative], ['settlement-entries']],
  ['an entry on another day', {}, [own, { ...relative, on: '2026-03-10' }], ['settlement-entries']],
  ['other portions', {}, [own, { ...relative, prior: -6_000n, current: 0n }], ['settlement-entries']],
  ['amounts that are numbers', { balc: 0 }, [own, relative], ['settlement-amounts', 'settlement-balance']],
  ['no allocation at all', { allocation: undefined }, [own, relative], ['settlement-I4', 'settlement-entries']],
  ['an unknown status', { status: 'DONE' }, [own, relative], ['settlement-status']],
])('a settlement with %s is found', (_, changes, postings, broken) => {
  expect(settlement(changes, postings)).toEqual(broken);
});

test('a refusal leaves everything to cash and touches no account', () => {
  const nothing = { acct_pay: '0.00', acct_mulaid_pay: '0.00', psn_cash_pay: '150.00', allocation: [] };
  const refused = { ...nothing, status: 'REFUSED', code: 'PURPOSE_EXCLUDED' };
  expect(settlement(refused, [])).toEqual([]);
  expect(settlement({ ...refused, code: null }, [])).toEqual(['settlement-status']);
  expect(settlement(refused, [own])).toEqual(['settlement-entries']);
});

const refunded: Fields = {
  refund_id: 'R1',
  claim_id: 'C1',
  at: '2026-04-01T10:00:00+08:00',
  status: 'REFUNDED',
  code: null,
  amount: '70.00',
  returned: [
    { source: 'CASH', amount: '50.00' },
    { source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '20.00' },
  ],
  acct_pay: '0.00',
  acct_mulaid_pay: '-20.00',
  psn_cash_pay: '-50.00',
};
const back: Posting = { ...relative, kind: 'REFUND', on: '2026-04-01', prior: 2_000n, current: 0n };
const refund = (changes: Fields, postings: readonly Posting[] = [back], others: readonly Fields[] = []): string[] =>
  brokenBy((expect) => {
    const outcome = { ...refunded, ...changes };
    judgeRefund(outcome, postings, { original: settled, refunds: [outcome, ...others], isListed: true }, expect);
  });

test('a refund is held against its claim together with the others of that claim', () => {
  expect(refund({})).toEqual([]);
  expect(refund({}, [{ ...back, prior: 1_000n, current: 1_000n }])).toEqual([]);
  expect(refund({}, [{ ...back, held: 2_000n, prior: 0n }])).toEqual(['refund-entries']);
  expect(refund({ amount: '71.00' })).toEqual(['refund-amounts']);
  const more = { returned: [{ source: 'RELATIVE', account: 'P2', binding_id: 'B1', amount: '40.00' }] };
  expect(refund({}, [back], [more])).toEqual([]);
  expect(refund({}, [back], [more, { returned: [{ source: 'CASH', amount: '0.01' }] }])).toEqual(['refund-within']);
  expect(refund({}, [back], [{ returned: [{ source: 'OWN', account: 'P9', amount: '1.00' }] }])).toEqual([
    'refund-within',
  ]);
});

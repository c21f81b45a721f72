import { money, ZERO } from '@repo/domain';
import { compare, compareTotals, countKinds, type Said } from '@repo/reconcile';
import { expect, test } from 'vitest';
import { draw } from '../src/commands/reconcile.ts';

test('the picture shows every kind of difference there is one of, beside what is the same', () => {
  const said = (setl_id: string): Said => ({
    ...{ setl_id, refd_setl_flag: '0' },
    amounts: { medfee_sumamt: money('100.00') },
  });
  const many = Array.from({ length: 1_000 }, (_, i) => said(`S${i}`));
  const found = compare(many, [...many.slice(1), said('X')], ['medfee_sumamt']);
  const lines = draw(found, countKinds(found));
  expect(lines.slice(0, 4).map((line) => line.replace(/█+/, '█').replace(/\s+/g, ' '))).toEqual([
    'the same 999 █',
    'missing here 1 █',
    'missing there 1 █',
    'amount differs 0',
  ]);
  expect(lines.slice(5)).toEqual([
    '  missing here    X  medfee_sumamt there 100.00',
    '  missing there   S0  medfee_sumamt here 100.00',
  ]);
});

test('the picture of totals names their groups, and a count is no money', () => {
  const groups = ['day', 'clr_type'] as const;
  const theirs = [
    { group: { day: '2026-03-10', clr_type: '11' }, sums: { medfee_sumamt: money('2.50'), fixmedins_setl_cnt: 2 } },
  ];
  const found = compareTotals([], theirs, { groups, columns: ['medfee_sumamt', 'fixmedins_setl_cnt'] });
  expect(draw(found, countKinds(found)).slice(5)).toEqual([
    '  missing here    2026-03-10 11  medfee_sumamt there 2.50',
  ]);
  const ours = {
    ...{ day: '2026-03-10', fixmedins_code: 'H1', insutype: '310', clr_type: '11', fixmedins_setl_cnt: 1 },
    ...{
      medfee_sumamt: money('2.50'),
      fund_pay_sumamt: ZERO,
      acct_pay: ZERO,
      acct_mulaid_pay: ZERO,
      cash_payamt: ZERO,
    },
  };
  const counted = compareTotals([ours], theirs, { groups, columns: ['medfee_sumamt', 'fixmedins_setl_cnt'] });
  expect(draw(counted, countKinds(counted)).slice(5)).toEqual([
    '  amount differs  2026-03-10 11  fixmedins_setl_cnt here 1 there 2',
  ]);
});

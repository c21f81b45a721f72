import { money } from '@repo/domain';
import { compare, countKinds, type Said } from '@repo/reconcile';
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

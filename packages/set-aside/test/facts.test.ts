import { describe, expect, test } from 'vitest';
import { factsOf, idsOf, printable, wholeOf } from '../src/facts.ts';

const message = (value: unknown, type?: string) => ({
  key: Buffer.from('P1'),
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers: type === undefined ? [] : [['ce_type', Buffer.from(type)] as const],
});

describe('what is shown of a message', () => {
  test('is its type, its own id and its size, not whom it is about', () => {
    const refund = message({ refund_id: 'R1', claim_id: 'C1', psn_no: 'P1' }, 'claim.refunded');
    expect(factsOf(refund)).toEqual({ type: 'claim.refunded', id: 'R1', bytes: refund.value.length });
    expect(factsOf(message({ psn_no: 'P1', ce_type: 'account.opened' }))).toMatchObject({
      type: 'account.opened',
      id: null,
    });
    expect(factsOf(message('{'))).toMatchObject({ type: null, id: null });
  });

  test('is found by any id it carries', () => {
    expect([...idsOf(message({ refund_id: 'R1', claim_id: 'C1' }))]).toEqual(['R1', 'C1']);
    expect([...idsOf(message({ refund_id: 5 }, 'x'))]).toEqual([]);
  });

  test('has no control sequence, no name and no citizen number in it, wherever a sender put them', () => {
    expect(printable('\u001b[2JC1')).toBe('?[2JC1');
    expect(printable('C-欧阳某-11010519491231002X')).toBe('C-[masked]-[masked]');
  });

  test('is all of it where that is asked for, other bytes than text as base64', () => {
    const whole = wholeOf({ ...message('{}', 'x'), key: Buffer.from([0xff]) });
    expect(whole).toEqual({ key: { base64: '/w==' }, headers: [['ce_type', 'x']], value: '{}' });
  });
});

import { describe, expect, test } from 'vitest';
import { NotUnderstood, parsePlace, placeName, readArguments } from '../src/messages/asked.ts';
import { factsOf, idsOf, printable, wholeOf } from '../src/messages/facts.ts';

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

describe('what is asked', () => {
  const ACTIONS = { list: ['topic', 'since'], drop: ['why'] } as const;

  test('names places as they are listed', () => {
    expect(parsePlace('claims/3@1042')).toEqual({ stream: 'claims', partition: 3, offset: 1042n });
    expect(placeName('g', 'g.members.v1', 0, 7n)).toBe('members/0@7');
    expect(() => parsePlace('claims/3')).toThrow(NotUnderstood);
  });

  test.each([
    [['lst'], 'expected one of list, drop'],
    [['list', '--why', 'x'], 'list takes no --why'],
    [['list', '--topic', 'claim'], '--topic must be claims or members'],
    [['list', '--since', 'yesterday'], '--since must be an instant'],
    [['list', '--sinse', 'x'], "Unknown option '--sinse'"],
  ])('%j is refused with what was expected', (args, expected) => {
    expect(() => readArguments(args, ACTIONS)).toThrow(expected);
  });

  test('is read with its instants', () => {
    const asked = readArguments(['list', '--since', '2026-03-10T08:00:00+08:00'], ACTIONS);
    expect(asked).toMatchObject({ action: 'list', filter: { since: new Date('2026-03-10T00:00:00Z'), id: undefined } });
    expect(readArguments(['--help'], ACTIONS)).toEqual({ isHelp: true });
  });
});

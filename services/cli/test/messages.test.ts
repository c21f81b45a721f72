import { describe, expect, test } from 'vitest';
import { NotUnderstood } from '../src/arguments.ts';
import { placeIn, readArguments } from '../src/messages/asked.ts';

describe('what is asked', () => {
  const ACTIONS = { list: ['topic', 'since'], drop: ['why'] } as const;

  test('names places as they are listed', () => {
    expect(placeIn('g', 'claims/3@1042')).toEqual({ topic: 'g.claims.v1', partition: 3, offset: 1042n });
    expect(() => placeIn('g', 'claims/3')).toThrow(NotUnderstood);
  });

  test.each([
    [['lst'], 'expected one of list, drop'],
    [['list', '--why', 'x'], 'list takes no --why'],
    [['list', '--topic', 'claim'], '--topic must be claims or members'],
    [['list', '--since', 'yesterday'], '--since must be an instant'],
    [['list', '--since', '2026-02-30T08:00:00Z'], '--since must be an instant'],
    [['list', '--sinse', 'x'], "Unknown option '--sinse'"],
  ])('%j is refused with what was expected', (args, expected) => {
    expect(() => readArguments(args, ACTIONS)).toThrow(expected);
  });

  test.each(['T08:00:00+08:00', 'T08:00+08:00', 'T08:00:00.000+0800', 'T08:00+08', 'T00:00Z'])(
    'is read with its instants: %s',
    (time) => {
      const asked = readArguments(['list', '--since', `2026-03-10${time}`], ACTIONS);
      expect(asked).toMatchObject({
        action: 'list',
        filter: { since: new Date('2026-03-10T00:00:00Z'), id: undefined },
      });
      expect(readArguments(['--help'], ACTIONS)).toEqual({ isHelp: true });
    },
  );
});

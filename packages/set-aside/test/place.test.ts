import { expect, test } from 'vitest';
import { foundOf, isWanted } from '../src/dead-letters.ts';
import { textProblem } from '../src/orders.ts';
import { parsePlace, placeName } from '../src/place.ts';

test('places are read as they are written, and nothing else is', () => {
  expect(parsePlace('claims/3@1042')).toEqual({ stream: 'claims', partition: 3, offset: 1042n });
  expect(parsePlace('members/0@-1')).toEqual({ stream: 'members', partition: 0, offset: -1n });
  expect(placeName('g', 'g.members.v1', 0, 7n)).toBe('members/0@7');
  expect(placeName('g', 'other', 0, 7n)).toBe('other/0@7');
  for (const text of ['claims/3', 'claims/3@', 'sharing/3@1', 'claims/x@1', '']) expect(parsePlace(text)).toBeNull();
});

test('a dead letter is found by where it came from, why, when and whom it is about', () => {
  const note = { code: 'EVENT_MALFORMED', detail: 'd', topic: 'g.claims.v1', partition: 2, offset: '5', at: '' };
  const value = Buffer.from('{"claim_id":"C1"}');
  const atMs = Date.parse('2026-03-10T08:00:00+08:00');
  const found = foundOf({ note, headers: [], key: Buffer.from('P1'), value }, { prefix: 'g', atMs });
  expect(found.letter).toMatchObject({ place: 'claims/2@5', code: 'EVENT_MALFORMED', id: 'C1' });
  const wanted = (filter: Parameters<typeof isWanted>[1]) => isWanted(found, filter, 'g');
  const on = new Date(atMs);
  for (const filter of [{}, { topic: 'claims' }, { partition: 2 }, { code: 'EVENT_MALFORMED' }, { since: on }] as const)
    expect(wanted(filter)).toBe(true);
  expect(wanted({ key: 'P1', id: 'C1' })).toBe(true);
  for (const filter of [{ topic: 'members' }, { partition: 1 }, { code: 'X' }, { until: on }, { key: 'P2' }] as const)
    expect(wanted(filter)).toBe(false);
  expect(wanted({ id: 'C2' })).toBe(false);
});

test('a reason that is kept for ever names nobody, and is there', () => {
  expect(textProblem('issue 17')).toBeNull();
  expect(textProblem(' ')).toContain('1 to 200');
  expect(textProblem('of 110105194912310029')).toContain('no person');
});

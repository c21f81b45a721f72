import { expect, test } from 'vitest';
import {
  type DeadLetterNote,
  deadLetterHeaders,
  headerText,
  outputHeaders,
  readDeadLetterHeaders,
  topicsOf,
} from '../src/index.ts';

const texts = (headers: readonly (readonly [string, Uint8Array])[]) =>
  headers.map(([name, value]) => [name, new TextDecoder().decode(value)]);
const bytes = (...values: number[]) => new Uint8Array(values);

test('an output carries the six of CloudEvents, its sequence, and the trace it came with', () => {
  const stamp = { type: 'settlement.settled', id: 'claim:就诊1', time: '2025-03-10T10:00:00+08:00' };
  const writer = { source: '/gongji/settlements/3', sequence: 12_345_678_901_234_567_890n };
  expect(outputHeaders(stamp, writer)).toEqual([
    ['ce_specversion', '1.0'],
    ['ce_type', 'settlement.settled'],
    ['ce_id', 'claim:就诊1'],
    ['ce_source', '/gongji/settlements/3'],
    ['ce_time', '2025-03-10T10:00:00+08:00'],
    ['content-type', 'application/json'],
    ['ce_sequence', '12345678901234567890'],
  ]);
  const traced = outputHeaders({ ...stamp, traceparent: '00-a-b-01' }, writer);
  expect(traced.at(-1)).toEqual(['traceparent', '00-a-b-01']);
});

const note: DeadLetterNote = {
  code: 'KEY_MISMATCH',
  detail: 'psn_no',
  topic: 'gongji.claims.v1',
  partition: 4,
  offset: '9007199254740993',
  at: '2025-03-10T10:00:00+08:00',
};
const ours = [
  ['gongji-code', 'KEY_MISMATCH'],
  ['gongji-detail', 'psn_no'],
  ['gongji-topic', 'gongji.claims.v1'],
  ['gongji-partition', '4'],
  ['gongji-offset', '9007199254740993'],
  ['gongji-at', '2025-03-10T10:00:00+08:00'],
  ['gongji-sequence', '7'],
];

test('a dead letter keeps the original headers byte for byte: repeated, binary, empty, in their order', () => {
  const original = [
    ['b', bytes(0xff, 0x00, 0xfe)],
    ['a', bytes()],
    ['b', bytes(0x31)],
    ['ce_type', bytes(0x78)],
    ['gongji-note', bytes(0x6d)],
    ['Gongji-Code', bytes(0x6d)],
  ] as const;
  const headers = deadLetterHeaders(original, note, 7n);
  expect(headers.slice(0, original.length).map(([name, value]) => [name, [...value]])).toEqual(
    original.map(([name, value]) => [name, [...value]]),
  );
  expect(texts(headers.slice(original.length))).toEqual(ours);
});

test('a redriven message that dies again has one set of ours, the new one', () => {
  const once = deadLetterHeaders([['ce_type', bytes(0x78)]], { ...note, code: 'EVENT_MALFORMED', offset: '1' }, 3n);
  expect(texts(deadLetterHeaders(once, note, 7n))).toEqual([['ce_type', 'x'], ...ours]);
});

test('a dead letter gives back what it was made of: our note, and the original headers byte for byte', () => {
  const original = [
    ['ce_type', bytes(0x78)],
    ['a', bytes(0, 255)],
    ['ce_type', bytes()],
  ] as const;
  const read = readDeadLetterHeaders(deadLetterHeaders(original, note, 7n));
  expect(read?.note).toEqual(note);
  expect(read?.original.map(([name, value]) => [name, [...value]])).toEqual(
    original.map(([name, value]) => [name, [...value]]),
  );
  expect(readDeadLetterHeaders(original)).toBeNull();
});

test('the first of repeated headers is read; an absent one is null', () => {
  const raw = {
    headers: [
      ['x', bytes(0x31)],
      ['x', bytes(0x32)],
    ] as const,
  };
  expect([headerText(raw, 'x'), headerText(raw, 'X')]).toEqual(['1', null]);
});

test('topics take the prefix', () => {
  expect(topicsOf('gongji')).toEqual({
    claims: 'gongji.claims.v1',
    members: 'gongji.members.v1',
    settlements: 'gongji.settlements.v1',
    sharing: 'gongji.sharing.v1',
    deadLetters: 'gongji.dead-letters.v1',
  });
});

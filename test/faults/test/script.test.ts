import { expect, test } from 'vitest';
import { Script, type Sent } from '../src/script.ts';

const play = (seed: number): Sent[] => {
  const script = new Script({ seed, families: 5 });
  return [
    ...script.opening(),
    ...Array.from({ length: 2_000 }, (_, i) => (i % 8 === 0 ? script.nextMember() : script.nextClaim())),
  ];
};

test('a seed says everything that is sent', () => {
  expect(play(7)).toEqual(play(7));
  expect(play(8)).not.toEqual(play(7));
});

test('what is sent holds claims, refunds, repeats, contradictions and everything that is no message', () => {
  const all = play(1);
  const texts = new Set(all.map(({ topic, key, type, value }) => [topic, key, type, value].join()));
  expect(texts.size).toBeLessThan(all.length);
  const codes = new Set(all.flatMap(({ meaning }) => (meaning.kind === 'bad' ? [meaning.code] : [])));
  expect([...codes].sort()).toEqual([
    'CLAIM_AMOUNT_INVALID',
    'CLAIM_DUPLICATE_CONFLICT',
    'EVENT_CONFLICT',
    'EVENT_MALFORMED',
    'EVENT_TYPE_UNKNOWN',
    'EVENT_UNREADABLE',
    'KEY_MISMATCH',
  ]);
  const kinds = new Set(all.map(({ meaning }) => meaning.kind));
  expect([...kinds].sort()).toEqual(['bad', 'binding', 'claim', 'credit', 'opening', 'refund', 'switch']);
});

test('no two messages mean different things', () => {
  const meanings = new Map<string, string>();
  for (const { meaning, ...message } of play(3)) {
    const text = JSON.stringify(message);
    const known = meanings.get(text);
    const said = `${meaning.kind} ${'id' in meaning ? meaning.id : meaning.code}`;
    expect(known ?? said).toBe(said);
    meanings.set(text, said);
  }
});

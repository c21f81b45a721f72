import { DECODE_LIMITS, decodeClaims, decodeMembers } from '@repo/contracts';
import { parsePacks } from '@repo/policy';
import { expect, test } from 'vitest';
import { Dice } from '../src/dice.ts';
import { hostileRecord } from '../src/events.ts';
import { policyFile } from '../src/policy-files.ts';
import { runInThread } from '../src/run.ts';

// The short form; `npm run fuzz` takes other seeds and as many inputs as are wanted.
const SEED = 20_261_127;
const CAME = Date.parse('2025-03-10T10:00:00+08:00');

test.each([
  ['decoders', 4_000],
  ['policies', 300],
])('%s answer hostile inputs as promised, each within its time', { timeout: 300_000 }, async (target, inputs) => {
  const module = new URL(`../src/targets/${target}.ts`, import.meta.url);
  const result = await runInThread({ target, module, seed: SEED, from: 0, inputs, slowMs: 4_000, hangMs: 200_000 });
  expect(result).toMatchObject({ inputs, findings: [] });
});

test('the inputs reach behind the first refusal: every answer of a decoder is met, and sound policies too', () => {
  const codes = new Set<string>();
  for (let input = 0; input < 3_000; input++) {
    const dice = new Dice(SEED, 'reach', input);
    const stream = dice.pick(['claims', 'members'] as const);
    const raw = { ...hostileRecord(dice, stream), timestampMs: CAME };
    const decoded = (stream === 'claims' ? decodeClaims : decodeMembers)(raw, DECODE_LIMITS);
    codes.add(decoded.kind === 'BAD' ? decoded.code : `${stream} ${decoded.kind}`);
  }
  expect([...codes]).toEqual(
    expect.arrayContaining([
      ...['EVENT_UNREADABLE', 'EVENT_TYPE_UNKNOWN', 'EVENT_MALFORMED', 'KEY_MISMATCH'],
      ...[
        'CLAIM_MALFORMED',
        'CLAIM_AMOUNT_INVALID',
        'CLAIM_IDENTITY_VIOLATION',
        'claims CLAIM',
        'claims REFUND',
        'claims PREMIUM',
      ],
    ]),
  );
  const parsed = Array.from({ length: 300 }, (_, input) => {
    const text = policyFile(new Dice(SEED, 'reach', input)).toString();
    return 'packs' in parsePacks([{ name: 'a.yaml', text }]);
  });
  expect(parsed).toContain(true);
  expect(parsed).toContain(false);
});

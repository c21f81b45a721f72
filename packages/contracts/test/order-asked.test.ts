import { decideClaim, money, type Policy } from '@repo/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DECODE_LIMITS, decodeClaims, encodeSettlement, readOutcome } from '../src/index.ts';
import { aBinding, aFamily, aPerson, aPolicy } from './family.ts';
import { sample } from './samples.ts';

const AREAS = ['330106', '330110', '420100'] as const;

interface Relative {
  readonly prior: string;
  readonly area: (typeof AREAS)[number];
  readonly limit: string | null;
  readonly used: string;
}

const claim = (() => {
  const decoded = decodeClaims(sample('claim.submitted'), DECODE_LIMITS);
  if (decoded.kind !== 'CLAIM') throw new Error('the sample is a claim');
  return decoded.claim;
})();

/** What is published for P1, whose relatives R0, R1, … are bound by B0, B1, … in this order of priority. */
function publish(own: string, relatives: readonly Relative[], policy: Partial<Policy> = {}) {
  const family = aFamily(
    [
      aPerson('P1', { currentYear: own }),
      ...relatives.map(({ prior, area }, i) => ({ ...aPerson(`R${i}`, { priorYear: prior }), insuredArea: area })),
    ],
    relatives.map(({ limit }, i) =>
      aBinding(`B${i}`, { payer: `R${i}`, priority: i, dailyLimit: limit === null ? null : money(limit) }),
    ),
  );
  const on = decideClaim(claim, family, () => aPolicy()).on;
  family.load({ usage: relatives.map(({ used }, i) => ({ bindingId: `B${i}`, on, amount: money(used) })) });
  const rules = {
    memberScope: 'NATIONWIDE',
    institutionScope: 'NATIONWIDE',
    requireWalletCrossProvince: false,
  } as const;
  const settlement = decideClaim(claim, family, (area) => aPolicy({ ...rules, ...policy, region: area }));
  const { payload } = encodeSettlement(claim, settlement, 'S-1');
  const outcome = readOutcome(JSON.stringify(payload));
  if (outcome.kind !== 'CLAIM') throw new Error('a claim was published');
  return { payload: payload as Readonly<Record<string, unknown>>, outcome };
}

const relative = (prior: string, over: Partial<Relative> = {}): Relative => ({
  prior,
  area: '330106',
  limit: null,
  used: '0.00',
  ...over,
});

const fen = fc.constantFrom('0.00', '20.00', '60.00', '150.00', '400.00');
const anyRelative = fc.record({
  prior: fen,
  area: fc.constantFrom(...AREAS),
  limit: fc.option(fc.constantFrom('0.00', '30.00', '200.00'), { nil: null }),
  used: fc.constantFrom('0.00', '30.00'),
});
const limits = fc.record({
  dailyLimitDefault: fc.option(fc.constant(money('30.00')), { nil: null }),
  dailyLimitMax: fc.option(fc.constantFrom(money('0.00'), money('100.00')), { nil: null }),
});

test('an outcome says in which order its sources were asked and whose rules judged each, whatever the family', () => {
  let told = 0;
  fc.assert(
    fc.property(fen, fc.array(anyRelative, { maxLength: 5 }), limits, (own, relatives, policy) => {
      const { outcome, payload } = publish(own, relatives, policy);
      if ('asked' in payload) told++;
      expect(outcome.asked[0]).toMatchObject({ source: 'OWN', account: 'P1', rules: outcome.rules });
      // Those asked are the first ones by priority: nobody is passed over without a word.
      expect(outcome.asked.slice(1)).toMatchObject(
        relatives.slice(0, outcome.asked.length - 1).map(({ area }, i) => ({
          source: 'RELATIVE',
          account: `R${i}`,
          bindingId: `B${i}`,
          rules: { region: area, version: `${area}@test` },
        })),
      );
      for (const { amount, code } of outcome.asked) expect(amount === null).toBe(code !== null);
    }),
    { numRuns: 500 },
  );
  expect(told).toBeGreaterThan(0);
});

test.each([
  ['those who paid before those skipped, cash left', [relative('60.00'), relative('0.00')]],
  ['those skipped before the one who paid the rest', [relative('0.00'), relative('400.00')]],
  [
    'all by the rules of one other area',
    [relative('0.00', { area: '330110' }), relative('400.00', { area: '330110' })],
  ],
])('the usual order and rules take no byte: %s', (_case, relatives) => {
  const { payload } = publish('40.00', relatives);
  expect(Object.keys(payload)).not.toContain('asked');
  expect(JSON.stringify(payload)).not.toContain('payers');
});

test('any other order is said by the bindings, and mixed rules by whom they judged', () => {
  const { payload } = publish('40.00', [relative('0.00', { area: '330110' }), relative('20.00')]);
  expect(payload.asked).toEqual(['B0', 'B1']);
  expect(payload.policy).toEqual([
    { region: '330106', version: '330106@test', payers: ['R1'] },
    { region: '330110', version: '330110@test', payers: ['R0'] },
  ]);
});

test.each([
  ['the binding’s own', '30.00', {}, null],
  ['the region’s default', null, { dailyLimitDefault: money('30.00') }, 'dailyLimitDefault'],
  ['the region’s highest, where it has no default', null, { dailyLimitMax: money('30.00') }, 'dailyLimitMax'],
  ['the region’s highest, below the binding’s own', '50.00', { dailyLimitMax: money('20.00') }, 'dailyLimitMax'],
  [
    'the region’s highest, below its default',
    null,
    { dailyLimitDefault: money('50.00'), dailyLimitMax: money('30.00') },
    'dailyLimitMax',
  ],
] as const)('a limit that was reached is said to be %s', (_case, limit, policy, parameter) => {
  const { outcome } = publish('0.00', [relative('400.00', { limit, used: '30.00' })], policy);
  expect(outcome.asked[1]).toMatchObject({ code: 'DAILY_LIMIT_REACHED', parameter });
});

test('what a payer may give towards one claim is said to be that', () => {
  const family = aFamily(
    [aPerson('P1', {}), aPerson('P2', { priorYear: '400.00' })],
    [aBinding('B1', { priority: 1 }), aBinding('B2', { priority: 2 })],
  );
  const settlement = decideClaim(claim, family, () => aPolicy({ perClaimPayerCap: money('50.00') }));
  expect(encodeSettlement(claim, settlement, 'S-1').payload).toMatchObject({
    allocation: [{ binding_id: 'B1', amount: '50.00' }],
    skipped: [{ source: 'OWN' }, { binding_id: 'B2', code: 'DAILY_LIMIT_REACHED', parameter: 'perClaimPayerCap' }],
  });
});

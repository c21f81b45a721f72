import { stripVTControlCharacters } from 'node:util';
import { OWN_SKIP_CODES, RELATIVE_SKIP_CODES } from '@repo/domain';
import { beforeAll, describe, expect, test } from 'vitest';
import { City } from '../src/demo/city.ts';
import { explain } from '../src/demo/explain.ts';
import { progress, wantsColour } from '../src/demo/painter.ts';
import { summary } from '../src/demo/summary.ts';
import { type DemoState, Tally } from '../src/demo/tally.ts';
import { cut, divide, grouped, pad, sparkline, widthOf } from '../src/demo/text.ts';
import { frame } from '../src/demo/view.ts';
import { SKIP_WORDS } from '../src/demo/words.ts';
import { tallyDay } from './demo-settle.fixture.ts';

const city = new City({ seed: 1, people: 8_000 });
let state: DemoState;

beforeAll(async () => {
  const { tally, endMs } = await tallyDay(city, 8_000);
  state = tally.state(endMs);
}, 30_000);

const SIZES = [
  [80, 24],
  [81, 25],
  [100, 30],
  [120, 40],
  [213, 60],
  [60, 18],
  [30, 10],
] as const;

describe('the live view', () => {
  test.each(SIZES)('fits %i columns and %i rows, with colour and without', (columns, rows) => {
    for (const shown of [new Tally({ city, claims: 8_000 }).state(0), state]) {
      for (const colour of [false, true]) {
        for (const now of [0, 6_000, 12_000]) {
          const lines = frame(shown, { columns, rows, colour, now });
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of lines) expect(widthOf(stripVTControlCharacters(line)), line).toBeLessThan(columns);
        }
      }
    }
  });

  test('shows at 80 by 24 who paid, how fast, why not, and a claim down to its cash, nothing cut', () => {
    const text = frame(state, { columns: 80, rows: 24, colour: false, now: 0 });
    expect(text.join('\n')).toMatchSnapshot();
    expect(text.filter((line) => line.includes('…'))).toEqual([]);
    expect(text.at(-1)).toMatch(/现金 cash/);
  });

  test('tells three claims at once on a tall screen and takes turns on a small one', () => {
    const tall = frame(state, { columns: 120, rows: 45, colour: false, now: 0 });
    expect(tall.filter((line) => line.includes('现金 cash ')).length).toBe(4);
    const titles = [0, 6_000, 12_000].map((now) => frame(state, { columns: 80, rows: 24, colour: false, now })[17]);
    expect(new Set(titles).size).toBe(3);
  });

  test('is the same picture without colour', () => {
    const at = { columns: 100, rows: 30, now: 0 };
    const coloured = frame(state, { ...at, colour: true });
    expect(coloured.join('')).toContain('\u001b[');
    expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(
      frame(state, { ...at, colour: false }),
    );
  });

  test('colours only a terminal that did not ask for none', () => {
    const paper = { isTTY: true, write: () => true };
    expect(wantsColour(paper, {})).toBe(true);
    expect(wantsColour(paper, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour(paper, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({ write: () => true }, {})).toBe(false);
  });
});

test('the made-up day brings every source of payment and most reasons to skip one', () => {
  const [own, relatives, cash] = divide([state.own, state.relatives, state.cash].map(Number), 100);
  for (const percent of [own, relatives, cash]) expect(percent).toBeGreaterThanOrEqual(10);
  expect(state.skips.length).toBeGreaterThanOrEqual(20);
  expect(state.waiting).toBe(0);
});

test('the summary names totals, reasons and the verdict, and owns up to what went wrong', () => {
  const options = { verdict: { clean: true, findings: ['every account equals its entries'] }, seed: 1, colour: false };
  const lines = summary(state, options);
  expect(lines.every((line) => widthOf(line) <= 96)).toBe(true);
  expect(lines.join('\n')).toMatchSnapshot();
  expect(lines).toContain('Every claim was answered exactly once.');
  expect(lines.at(-1)).toBe('Audit: clean.');
  const narrow = summary(state, { ...options, columns: 80 });
  expect(narrow.every((line) => widthOf(line) <= 80 && !line.includes('…'))).toBe(true);
  const lost = summary({ ...state, waiting: 3 }, { ...options, verdict: { clean: false, findings: [] } });
  expect(lost.join('\n')).toContain('NOT every claim was answered exactly once: 3 without an answer');
  expect(lost.at(-1)).toBe('Audit: NOT clean.');
});

test('progress is one line for logs', () => {
  expect(progress(state)).toMatch(
    /^settling 21:5\d · 8,\d{3} of about 8,000 claims · .*own \d+%, relatives \d+%, cash \d+%/,
  );
});

test('a claim is told in the order its accounts were asked, whatever the bindings say today', () => {
  const family = Array.from({ length: city.families }, (_, index) => city.family(index)).find(
    ({ people, bindings }) => {
      const child = people.find(({ generation }) => generation === 'CHILD')?.account.psn_no;
      const payers = bindings.filter(({ beneficiary, relation }) => beneficiary === child && relation === 'CHILD');
      return payers.length === 2 && (payers[0]?.priority ?? 9) > (payers[1]?.priority ?? 9);
    },
  );
  const child = family?.people.find(({ generation }) => generation === 'CHILD');
  if (!family || !child) throw new Error('no such family in this city');
  const { psn_no } = child.account;
  const [second, first] = family.bindings.filter(({ beneficiary }) => beneficiary === psn_no);
  if (!first || !second) throw new Error('no such bindings');
  const relative = ({ payer, binding_id }: typeof first) =>
    ({ source: 'RELATIVE', account: payer, binding_id }) as const;
  const outcome = {
    claim_id: 'C1',
    psn_no,
    status: 'SETTLED',
    code: null,
    psn_cash_pay: '50.00',
    allocation: [{ ...relative(second), amount: '100.00' }],
    skipped: [
      { source: 'OWN', account: psn_no, code: 'OWN_NO_ACCOUNT' },
      { ...relative(first), code: 'PAYER_IN_ARREARS' },
    ],
  } as const;
  const told = explain({ ...outcome, asked: [first.binding_id, second.binding_id] }, city)?.lines ?? [];
  expect(told.map(({ kind, amount, why }) => [kind, amount, why?.en ?? null])).toEqual([
    ['OWN', null, SKIP_WORDS.OWN_NO_ACCOUNT.en],
    ['RELATIVE', null, SKIP_WORDS.PAYER_IN_ARREARS.en],
    ['RELATIVE', '100.00', null],
    ['CASH', '50.00', null],
  ]);
  expect([told[1]?.who.en, told[2]?.who.en].sort()).toEqual(['father', 'mother']);
  // Cash is left, and it says no order: those who paid were asked first.
  const [own, skipped, paid, cash] = told;
  expect(explain(outcome, city)?.lines).toEqual([own, paid, skipped, cash]);
});

test('an outcome nobody waits for is counted as one too many', () => {
  const tally = new Tally({ city, claims: 1 });
  const message = {
    at: 0,
    claimId: 'C1',
    key: 'P',
    type: 'claim.submitted',
    value: '',
    outcomes: 1,
    deadLetters: 0,
  } as const;
  const outcome = { claim_id: 'C1', psn_no: 'P', status: 'REFUSED', code: 'BENEFICIARY_UNKNOWN' };
  tally.sending(message, 0);
  expect(tally.waiting).toBe(1);
  tally.answer(outcome, 1);
  tally.answer(outcome, 2);
  expect(tally.state(3)).toMatchObject({ answered: 1, waiting: 0, unexpected: 1 });
});

describe('text', () => {
  test('every skip reason has words that fit their columns', () => {
    for (const code of [...OWN_SKIP_CODES, ...RELATIVE_SKIP_CODES]) {
      expect(widthOf(SKIP_WORDS[code].zh), code).toBeLessThan(23);
      expect(widthOf(SKIP_WORDS[code].en), code).toBeLessThan(31);
    }
  });

  test('a Chinese character takes two columns and is never halved', () => {
    expect(cut('共济账户', 8)).toBe('共济账户');
    expect(cut('共济账户', 6)).toBe('共济…');
    expect(widthOf(pad('共济账户', 6))).toBe(6);
    expect(pad('7', 3, 'left')).toBe('  7');
    expect(cut('x', 0)).toBe('');
  });

  test('cells are given out in proportion, all of them', () => {
    expect(divide([1, 1, 1], 10)).toEqual([4, 3, 3]);
    expect(divide([0, 0], 10)).toEqual([0, 0]);
    expect(divide([99.9, 0.1], 10)).toEqual([10, 0]);
  });

  test('numbers are grouped and drawn', () => {
    expect([0, 999, 1_000, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect(grouped('1234567.80')).toBe('1,234,567.80');
    expect(sparkline([0, 1, 50, 100])).toBe(' ▁▄█');
  });
});

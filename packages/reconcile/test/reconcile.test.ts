import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { date, type Money, money } from '@repo/domain';
import { describe, expect, test } from 'vitest';
import { compare, type Said } from '../src/compare.ts';
import { compareTotals } from '../src/compare-totals.ts';
import { DETAIL_COLUMNS, type OtherDetails, readOtherSide, toLines, UnusableFile } from '../src/files.ts';
import { AMOUNTS, type AmountName, isInstitution, type SettledRow } from '../src/settled.ts';
import { countKinds } from '../src/sides.ts';
import { TOTAL_COLUMNS, Totals } from '../src/totals.ts';

/** What is read of a file of details. */
async function detailsIn(text: string): Promise<OtherDetails> {
  const other = await readOtherSide(fileWith(text));
  if (other.kind !== 'DETAILS') throw new Error('expected details');
  return other;
}
/** What differs between our totals and a file of theirs. */
async function totalsDiffering(totals: Totals, text: string) {
  const other = await readOtherSide(fileWith(text));
  if (other.kind !== 'TOTALS') throw new Error('expected totals');
  return compareTotals(totals.list(), other.rows, other);
}
const fileWith = (text: string) => Readable.from([Buffer.from(text)]);

const said = (setl_id: string, amounts: Partial<Record<AmountName, string>>, refd_setl_flag = '0'): Said => ({
  setl_id,
  refd_setl_flag,
  amounts: Object.fromEntries(Object.entries(amounts).map(([name, text]) => [name, money(text)])),
});
const full = (own: string, sharing: string) =>
  ({
    medfee_sumamt: '100.00',
    fund_pay_sumamt: '40.00',
    acct_pay: own,
    acct_mulaid_pay: sharing,
    cash_payamt: '5.00',
  }) as const;
const kinds = (...sides: Parameters<typeof compare>) =>
  compare(...sides).differences.map(({ kind, setl_id, column }) => [kind, setl_id, column]);

describe('compare', () => {
  test('finds nothing where both sides say the same, in whatever order', () => {
    const rows = [said('S1', full('10.00', '45.00')), said('S2', full('0.00', '0.00'))];
    expect(compare(rows, rows.toReversed(), AMOUNTS)).toEqual({ compared: 2, differences: [] });
  });

  test('tells what is missing here, what is missing there, and which amount differs, from both sides', () => {
    const here = [said('S1', full('10.00', '45.00')), said('S2', full('1.00', '2.00'))];
    const there = [said('S1', full('10.00', '44.99')), said('S3', full('0.00', '0.00'))];
    expect(compare(here, there, AMOUNTS).differences).toEqual([
      { kind: 'MISSING_HERE', setl_id: 'S3', refd_setl_flag: '0', column: null, here: null, there: money('100.00') },
      { kind: 'MISSING_THERE', setl_id: 'S2', refd_setl_flag: '0', column: null, here: money('100.00'), there: null },
      {
        kind: 'AMOUNT_DIFFERS',
        setl_id: 'S1',
        refd_setl_flag: '0',
        column: 'acct_mulaid_pay',
        here: money('45.00'),
        there: money('44.99'),
      },
    ]);
  });

  test('holds the account total against own and sharing together where the other side has no column for sharing', () => {
    const columns = ['medfee_sumamt', 'fund_pay_sumamt', 'acct_pay'] as const;
    const national = (acct_pay: string) => said('S1', { medfee_sumamt: '100.00', fund_pay_sumamt: '40.00', acct_pay });
    expect(kinds([said('S1', full('10.00', '45.00'))], [national('55.00')], columns)).toEqual([]);
    expect(kinds([said('S1', full('10.00', '45.00'))], [national('10.00')], columns)).toEqual([
      ['AMOUNT_DIFFERS', 'S1', 'acct_pay'],
    ]);
  });

  test('keeps refunds apart from their settlement and sums several of one', () => {
    const here = [
      said('S1', full('10.00', '45.00')),
      said('S1', { acct_pay: '-3.00' }, '1'),
      said('S1', { acct_pay: '-4.00' }, '1'),
    ];
    expect(kinds(here, [here[0] as Said, said('S1', { acct_pay: '-7.00' }, '1')], AMOUNTS)).toEqual([]);
    expect(kinds(here, [here[0] as Said], AMOUNTS)).toEqual([['MISSING_THERE', 'S1', null]]);
  });
});

describe('the other side’s file', () => {
  test('is read by its column names, with or without the flag, a byte order mark or other columns', async () => {
    const path = fileWith('\ufeffnote,setl_id,acct_pay\r\nx,S1,5\r\ny,S2,-0.5\r\n');
    expect(await readOtherSide(path)).toEqual({
      kind: 'DETAILS',
      columns: ['acct_pay'],
      rows: [said('S1', { acct_pay: '5.00' }), said('S2', { acct_pay: '-0.50' })],
    });
  });

  test('is what details wrote: a file compared with itself has no difference', async () => {
    const row = { ...rowOf({}), setl_id: 'S,"1' };
    const { columns, rows } = await detailsIn(`${DETAIL_COLUMNS.join()}\n${toLines(DETAIL_COLUMNS, [row])}`);
    expect(columns).toEqual(AMOUNTS);
    expect(kinds([{ setl_id: row.setl_id, refd_setl_flag: '0', amounts: row }], rows, columns)).toEqual([]);
  });

  test.each([
    ['no such column', 'setl,acct_pay\nS1,1.00\n', 'setl_id among them'],
    ['no amount', 'setl_id,total\nS1,1.00\n', 'none of medfee_sumamt'],
    [
      'bad lines, each by its number',
      'setl_id,acct_pay,refd_setl_flag\nS1,1.005,0\n,1.00,0\nS3,1.00,2\nS4,1.00,1\n',
      /3 lines.*\n {2}line 2: expected acct_pay.*\n {2}line 3: expected a setl_id\n {2}line 4: expected refd_setl_flag/,
    ],
    ['a line of totals of a day that is none', 'day,acct_pay\n2026-3-10,1.00\n', /line 2: expected day as YYYY-MM-DD/],
    [
      'a count that is none',
      'clr_type,acct_pay,fixmedins_setl_cnt\n11,1.00,-1\n21,1,2\n',
      /1 lines.*\n {2}line 2: expected fixmedins_setl_cnt/,
    ],
    ['totals without a sum', 'day,insutype\n2026-03-10,310\n', 'none of medfee_sumamt'],
    ['nothing at all', '', 'it is empty'],
    ['a broken quotation', 'setl_id,acct_pay\n"S1,1.00\n', 'not CSV'],
  ])('is refused whole for %s', async (_, text, message) => {
    const refusal = readOtherSide(fileWith(text));
    await expect(refusal).rejects.toThrow(UnusableFile);
    await expect(refusal).rejects.toThrow(message);
  });

  test('that cannot be opened is said to be so', async () => {
    await expect(readOtherSide(createReadStream('/nowhere/none.csv'))).rejects.toThrow('it cannot be read (ENOENT)');
  });
});

function rowOf(changes: Partial<SettledRow>): SettledRow {
  return {
    setl_id: 'S1',
    refd_setl_flag: '0',
    refund_id: '',
    mdtrt_id: 'M1',
    psn_no: 'P1',
    fixmedins_code: 'H1',
    insutype: '310',
    clr_type: '11',
    day: date('2026-03-10'),
    ...(Object.fromEntries(Object.entries(full('10.00', '45.00')).map(([name, text]) => [name, money(text)])) as Record<
      AmountName,
      Money
    >),
    ...changes,
  };
}

test('totals are sums of a day, institution, kind of insurance and class; a refund takes off and is no settlement', () => {
  const totals = new Totals();
  totals.add(rowOf({}));
  totals.add(rowOf({ setl_id: 'S2' }));
  totals.add(rowOf({ refd_setl_flag: '1', medfee_sumamt: money('-30.00'), fund_pay_sumamt: money('0.00') }));
  totals.add(rowOf({ fixmedins_code: 'H0' }));
  expect(totals.list()).toMatchObject([
    { fixmedins_code: 'H0', fixmedins_setl_cnt: 1, medfee_sumamt: money('100.00') },
    { fixmedins_code: 'H1', fixmedins_setl_cnt: 2, medfee_sumamt: money('170.00'), fund_pay_sumamt: money('80.00') },
  ]);
});

describe('totals of the other side', () => {
  const totals = new Totals();
  totals.add(rowOf({}));
  totals.add(rowOf({ setl_id: 'S2', clr_type: '21' }));
  totals.add(rowOf({ setl_id: 'S3', day: date('2026-03-11'), fixmedins_code: 'H2' }));
  const head = 'day,fixmedins_code,insutype,clr_type';
  const ours = `${TOTAL_COLUMNS.join()}\n${toLines(TOTAL_COLUMNS, totals.list())}`;

  test('are what ours wrote: a file compared with itself has no difference', async () => {
    expect(await totalsDiffering(totals, ours)).toEqual({ compared: 3, differences: [] });
  });

  test('are told apart by day, institution, insurance and class: missing here, missing there, which sum differs', async () => {
    const theirs = ours
      .replace('2026-03-11,H2,310,11', '2026-03-11,H3,310,11')
      .replace('21,100.00,40.00,10.00', '21,100.00,40.00,9.99')
      .replace(/11,(.*),1$/m, '11,$1,2');
    const found = await totalsDiffering(totals, theirs);
    const named = { day: '2026-03-10', fixmedins_code: 'H1', insutype: '310' };
    expect(found.differences).toEqual([
      {
        ...{ kind: 'MISSING_HERE', day: '2026-03-11', fixmedins_code: 'H3', insutype: '310', clr_type: '11' },
        ...{ column: null, here: null, there: money('100.00') },
      },
      {
        ...{ kind: 'MISSING_THERE', day: '2026-03-11', fixmedins_code: 'H2', insutype: '310', clr_type: '11' },
        ...{ column: null, here: money('100.00'), there: null },
      },
      { kind: 'AMOUNT_DIFFERS', ...named, clr_type: '11', column: 'fixmedins_setl_cnt', here: 1, there: 2 },
      {
        ...{ kind: 'AMOUNT_DIFFERS', ...named, clr_type: '21', column: 'acct_pay' },
        ...{ here: money('10.00'), there: money('9.99') },
      },
    ]);
    expect(countKinds(found)).toMatchObject({ same: 0, kinds: [{ count: 1 }, { count: 1 }, { count: 2 }] });
  });

  test('without a column of ours are held against our sums over it, and without one for sharing against both accounts', async () => {
    const theirs = 'fixmedins_code,insutype,medfee_sumamt,acct_pay\nH2,310,100,55\nH1,310,150,60\nH1,310,50,50\n';
    expect(await totalsDiffering(totals, theirs)).toEqual({ compared: 2, differences: [] });
    const { differences } = await totalsDiffering(totals, theirs.replace('100,55', '100,10'));
    expect(differences).toEqual([
      {
        ...{ kind: 'AMOUNT_DIFFERS', fixmedins_code: 'H2', insutype: '310', column: 'acct_pay' },
        ...{ here: money('55.00'), there: money('10.00') },
      },
    ]);
  });

  test('of which nothing was settled are as good as no line, unless settlements are counted', async () => {
    const nothing = new Totals();
    nothing.add(rowOf({}));
    nothing.add(rowOf({ refd_setl_flag: '1', ...minus(full('10.00', '45.00')) }));
    expect(await totalsDiffering(nothing, 'day,acct_pay\n')).toEqual({ compared: 0, differences: [] });
    expect((await totalsDiffering(nothing, 'day,fixmedins_setl_cnt\n')).differences).toMatchObject([
      { kind: 'MISSING_THERE', day: '2026-03-10' },
    ]);
    const empty = `${head},acct_pay,fixmedins_setl_cnt\n2026-03-10,H9,310,11,0,0\n`;
    expect(await totalsDiffering(new Totals(), empty)).toEqual({ compared: 0, differences: [] });
  });
});

const minus = (amounts: ReturnType<typeof full>) =>
  Object.fromEntries(Object.entries(amounts).map(([name, text]) => [name, money(`-${text}`)])) as Record<
    AmountName,
    Money
  >;

test('differences are counted by settlement, each kind by itself', () => {
  const here = [said('S1', full('10.00', '45.00')), said('S2', full('1.00', '2.00'))];
  const there = [said('S1', full('9.00', '44.99')), said('S3', full('0.00', '0.00'))];
  expect(
    countKinds(
      compare([...here, said('S4', full('1.00', '1.00'))], [...there, said('S4', full('1.00', '1.00'))], AMOUNTS),
    ),
  ).toEqual({
    same: 1,
    kinds: [
      { kind: 'MISSING_HERE', count: 1 },
      { kind: 'MISSING_THERE', count: 1 },
      { kind: 'AMOUNT_DIFFERS', count: 1 },
    ],
  });
});

test('a code of an institution can only be letters and digits', () => {
  expect(isInstitution('H33010600001')).toBe(true);
  expect(isInstitution(`H1' or '1'='1`)).toBe(false);
});

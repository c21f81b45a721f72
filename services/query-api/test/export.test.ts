import readXlsx from 'read-excel-file/node';
import { expect, test } from 'vitest';
import type { Cells } from '../src/export/cells.ts';
import { toCsv } from '../src/export/csv.ts';
import { toXlsx } from '../src/export/xlsx.ts';

/** Pages of so many equal rows each, and how many of them have been asked for. */
function pages(count: number, row: Cells, rows = 1) {
  const asked = { pages: 0 };
  async function* make() {
    for (let i = 0; i < count; i++) {
      asked.pages += 1;
      yield Array.from({ length: rows }, () => row);
    }
  }
  return { asked, pages: make() };
}

async function* pagesOf(...made: readonly (readonly Cells[])[]) {
  yield* made;
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test.each([
  ['CSV', (from: AsyncIterable<Cells[]>) => toCsv(['a', 'b'], from)],
  ['a workbook', (from: AsyncIterable<Cells[]>) => toXlsx('sheet', ['a', 'b'], from, new Set('b'))],
])('%s asks for pages only as what is made of them is taken', async (_form, write) => {
  const { asked, pages: from } = pages(1_000, ['P1', '36.00'], 500);
  const chunks = write(from);
  for (let taken = 0; taken < 20; taken++) await chunks.next();
  // Compression holds some pages back until they fill a block.
  expect(asked.pages).toBeLessThanOrEqual(100);
  await chunks.return(undefined);
  expect((await from.next()).done).toBe(true);
});

test('a workbook says what it was given: amounts as numbers, texts as they are, nothing as nothing', async () => {
  const row = ['330102199001011234', '-36.50', null, '<a href="x">&amp;</a>', '=1+1', '9999999999999.99', '1.5'];
  const columns = Array.from({ length: 30 }, (_, i) => `column ${i}`);
  const amounts = new Set(['column 1', 'column 2', 'column 5']);
  const file = await whole(toXlsx('明细 & 1', columns, pages(2, [...row, ...columns.slice(7)]).pages, amounts));
  const [sheet] = await readXlsx(file);
  const shown = ['330102199001011234', -36.5, null, '<a href="x">&amp;</a>', '=1+1', 9999999999999.99, '1.5'];
  expect(sheet).toEqual({
    sheet: '明细 & 1',
    data: [columns, [...shown, ...columns.slice(7)], [...shown, ...columns.slice(7)]],
  });
});

test('an identifier stays text in a workbook, whatever it looks like and holds', async () => {
  const ids = ['0020250310.10', '36.00', 'C\uffff1\ufffe'];
  const file = await whole(
    toXlsx('sheet', ['claim_id', 'amount'], pagesOf(ids.map((id) => [id, '36.00'])), new Set(['amount'])),
  );
  const [sheet] = await readXlsx(file);
  expect(sheet?.data.slice(1)).toEqual([
    ['0020250310.10', 36],
    ['36.00', 36],
    ['C1', 36],
  ]);
});

test('a workbook breaks off where a sheet can hold no more', async () => {
  async function* many() {
    yield Array.from({ length: 1_048_576 }, () => []);
  }
  await expect(whole(toXlsx('sheet', ['a'], many(), new Set()))).rejects.toThrow('so many rows');
});

test('CSV keeps what its own marks would change', async () => {
  const row = ['a,b', 'say "so"', null, '=1+1', '@x', '-5', '36.00'];
  const text = (await whole(toCsv(['a'], pages(1, row).pages))).toString();
  expect(text).toBe(`\uFEFFa\r\n"a,b","say ""so""",,'=1+1,'@x,'-5,36.00\r\n`);
});

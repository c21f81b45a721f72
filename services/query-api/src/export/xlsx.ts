import { Zip, ZipDeflate } from 'fflate';
import type { Cells } from './cells.ts';

/** The rows that a sheet can hold, including the one with column names. */
const ROWS_MAX = 1_048_576;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Everything but the sheet itself: a workbook of one sheet, in which style 1 is a number with two decimals. */
const parts = (sheet: string): Readonly<Record<string, string>> => ({
  '[Content_Types].xml': `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${TYPE}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/></Types>`,
  '_rels/.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml': `${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="${escaped(sheet)}" sheetId="1" r:id="r1"/></sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`,
  'xl/styles.xml': `${XML}<styleSheet xmlns="${MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="2" applyNumberFormat="1"/></cellXfs></styleSheet>`,
});

/**
 * A table as an Office Open XML workbook of one sheet, made page by page, so that one page is in memory. What stands in the columns of
 * `amounts` ("36.00") are numbers, everything else is text: a number of a person or a claim stays as it is, and no text becomes a formula.
 * Rejects past the rows a sheet can hold.
 */
export async function* toXlsx(
  sheet: string,
  columns: readonly string[],
  pages: AsyncIterable<readonly Cells[]>,
  amounts: ReadonlySet<string>,
): AsyncGenerator<Uint8Array> {
  const made: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    made.push(chunk);
  });
  const open = (name: string) => {
    const file = new ZipDeflate(name);
    zip.add(file);
    return (text: string, last = false) => file.push(Buffer.from(text), last);
  };
  for (const [name, text] of Object.entries(parts(sheet))) open(name)(text, true);
  const write = open('xl/worksheets/sheet1.xml');
  let rows = 1;
  const isAmount = columns.map((name) => amounts.has(name));
  write(`${XML}<worksheet xmlns="${MAIN}"><sheetData>${rowOf(columns, rows, [])}`);
  for await (const page of pages) {
    if (rows + page.length > ROWS_MAX) throw new Error('a sheet cannot hold so many rows');
    write(page.map((row) => rowOf(row, ++rows, isAmount)).join(''));
    yield* made.splice(0);
  }
  write('</sheetData></worksheet>', true);
  zip.end();
  yield* made.splice(0);
}

const rowOf = (cells: Cells, row: number, isAmount: readonly boolean[]): string =>
  `<row r="${row}">${cells.map((cell, i) => cellOf(cell, `${columnOf(i)}${row}`, isAmount[i] === true)).join('')}</row>`;

/** A, B, …, Z, AA, …: a spreadsheet's column names. */
function columnOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${columnOf(Math.floor(index / 26) - 1)}${letter}`;
}

function cellOf(cell: string | null, place: string, isAmount: boolean): string {
  if (cell === null) return '';
  if (isAmount) return `<c r="${place}" s="1"><v>${cell}</v></c>`;
  return `<c r="${place}" t="inlineStr"><is><t xml:space="preserve">${escaped(cell)}</t></is></c>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Control characters stand in no identifier; the two others that XML cannot hold are left out. */
const escaped = (text: string): string => text.replace(/[&<>"\ufffe\uffff]/g, (found) => ENTITIES[found] ?? '');

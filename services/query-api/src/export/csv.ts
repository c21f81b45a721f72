import { stringify } from 'csv-stringify/sync';
import type { Cells } from './cells.ts';

/**
 * A table as CSV (RFC 4180) in UTF-8 with a byte order mark, by which spreadsheets recognise the encoding. Made page by page, so only one
 * page is in memory. A text that a spreadsheet would take for a formula is prefixed with an apostrophe.
 */
export async function* toCsv(
  columns: readonly string[],
  pages: AsyncIterable<readonly Cells[]>,
): AsyncGenerator<Buffer> {
  const lines = (rows: readonly Cells[], bom = false) =>
    Buffer.from(
      stringify(
        rows.map((row) => [...row]),
        { bom, escape_formulas: true, record_delimiter: 'windows' },
      ),
    );
  yield lines([columns], true);
  for await (const page of pages) yield lines(page);
}

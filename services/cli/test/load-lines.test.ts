import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type Format, type Line, readLines, textsOf } from '../src/bulk/lines.ts';

async function* texts(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

async function read(format: Format, ...lines: string[]): Promise<Line[]> {
  const found: Line[] = [];
  for await (const line of readLines(texts(lines), format)) found.push(line);
  return found;
}

test('a header with binding_id holds bindings, else accounts; cells become what their field is', async () => {
  const accounts = await read(
    'csv',
    '\ufeffpsn_no,insured,prior_year,unpaid_periods,psn_name',
    'P1,true,10.50,2025-01;2025-02,"张,""三"""',
    '',
    'P2,false,,,',
  );
  expect(accounts).toMatchObject([
    {
      line: 2,
      type: 'account.opened',
      fields: {
        psn_no: 'P1',
        insured: true,
        prior_year: '10.50',
        unpaid_periods: ['2025-01', '2025-02'],
        psn_name: '张,"三"',
      },
    },
    { line: 4, type: 'account.opened', fields: { psn_no: 'P2', insured: false } },
  ]);
  expect(await read('csv', 'binding_id,payer,priority', 'B1,P1,-3')).toMatchObject([
    { line: 2, type: 'binding.opened', fields: { binding_id: 'B1', payer: 'P1', priority: -3 } },
  ]);
});

test('a certificate number is a column, and no number to compute with', async () => {
  expect(await read('csv', 'psn_no,certno', 'P1,110101199003070000')).toMatchObject([
    { fields: { psn_no: 'P1', certno: '110101199003070000' } },
  ]);
});

test('a line of JSON keeps its text, so that no amount passes through a number', async () => {
  const json = '{"ce_type":"account.opened","psn_no":"P1","prior_year":99999999999999.99}';
  expect(await read('ndjson', json)).toMatchObject([{ line: 1, type: 'account.opened', json }]);
});

test('what is no line is told with its number and what was expected, and nothing of its content', async () => {
  const none = 'expected a header of the fields of account.opened';
  expect(await read('csv', 'psn_no,no_such,idcard', 'P1,x,y')).toEqual([
    { line: 1, problem: `${none}: 2 columns are none (no_such, idcard)` },
  ]);
  const letters = [...'abcdefghijkl'];
  expect(await read('csv', ['psn_no', '张三', ...letters].join())).toEqual([
    { line: 1, problem: `${none}: 13 columns are none (a, b, c, d, e, f, g, h, i, j, …)` },
  ]);
  // No header, but the first person: nothing of it is told, not even what looks like a name of a field.
  expect(await read('csv', '11010119900307000X,wang,true,310')).toEqual([
    { line: 1, problem: `${none}: 4 columns are none` },
  ]);
  expect(await read('csv', 'psn_no,psn_no')).toEqual([{ line: 1, problem: 'expected every column once' }]);
  expect(await read('csv', 'psn_no,insured', 'P1', 'P1,"true', 'P1,true,x')).toEqual([
    { line: 2, problem: 'expected 2 cells' },
    { line: 3, problem: 'expected every quote to be closed on its line' },
    { line: 4, problem: 'expected 2 cells' },
  ]);
  const type = 'ce_type: expected one of account.opened, binding.opened';
  expect(await read('ndjson', '{', '[]', '{}', '{"ce_type":"account.credited"}')).toEqual([
    { line: 1, problem: 'expected a JSON object' },
    { line: 2, problem: 'expected a JSON object' },
    { line: 3, problem: type },
    { line: 4, problem: type },
  ]);
});

test('a line that is no UTF-8 is told, and its name is not entered as another', async () => {
  const lines = async (format: Format, ...parts: readonly (string | readonly number[])[]) => {
    const file = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
    const found: Line[] = [];
    // In pieces, so that a character is cut in the middle.
    const pieces = Array.from({ length: Math.ceil(file.length / 7) }, (_, i) => file.subarray(i * 7, i * 7 + 7));
    for await (const line of readLines(textsOf(Readable.from(pieces, { objectMode: false })), format)) found.push(line);
    return found;
  };
  // 张三 as GBK has it, which most spreadsheets of the country write.
  const gbk = [0xd5, 0xc5, 0xc8, 0xfd];
  expect(await lines('csv', '\ufeffpsn_no,psn_name\r\nP1,', gbk, '\r\nP2,张\u2028三')).toMatchObject([
    { line: 2, problem: 'expected UTF-8' },
    { line: 3, fields: { psn_no: 'P2', psn_name: '张\u2028三' } },
  ]);
  expect(await lines('csv', gbk, '\nP1')).toEqual([{ line: 1, problem: 'expected UTF-8' }]);
  const type = '"ce_type":"account.opened"';
  expect(await lines('ndjson', `{${type},"psn_name":"`, gbk, `"}\n{${type},"psn_name":"张三"}`)).toMatchObject([
    { line: 1, problem: 'expected UTF-8' },
    { line: 2, fields: { psn_name: '张三' } },
  ]);
});

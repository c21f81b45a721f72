import { expect, test } from 'vitest';
import { type Format, type Line, readLines } from '../src/bulk/lines.ts';

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

test('a line of JSON keeps its text, so that no amount passes through a number', async () => {
  const json = '{"ce_type":"account.opened","psn_no":"P1","prior_year":99999999999999.99}';
  expect(await read('ndjson', json)).toMatchObject([{ line: 1, type: 'account.opened', json }]);
});

test('what is no line is told with its number and what was expected, and nothing of its content', async () => {
  expect(await read('csv', 'psn_no,no_such', 'P1,x')).toEqual([
    { line: 1, problem: 'expected a header of the fields of account.opened: 1 columns are none' },
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

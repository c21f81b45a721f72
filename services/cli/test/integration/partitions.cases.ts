import { date } from '@repo/domain';
import { closeBooks, Ledger } from '@repo/ledger';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { run } from '../../src/commands/partitions.ts';
import { readSettings } from '../../src/config.ts';
import { exportOutcomes } from '../../src/export/export.ts';

/** Whoever has filled a ledger with March of 2026, stored now. */
interface Filled {
  readonly copy: (sql: string) => Promise<string>;
  readonly audited: (
    databaseUrl: string,
  ) => Promise<{ readonly wrong: object; readonly checked: Readonly<Record<string, number>> }>;
  readonly folder: string;
}

/** What was stored now is moved to March: the clock cannot be asked for a month that is over. */
const OF_MARCH = ['event_id', 'outcome', 'claim_refund']
  .map((table) => `update ${table} set month = '2026-03-01';`)
  .join(' ');

/** Runs the command, and answers its exit code and the lines it printed. */
async function partitions(databaseUrl: string, ...args: string[]): Promise<{ code: number; lines: string[] }> {
  using out = vi.spyOn(console, 'log').mockImplementation(() => {});
  using err = vi.spyOn(console, 'error').mockImplementation(() => {});
  const code = await run(args, { ...readSettings(), databaseUrl });
  return { code, lines: [...out.mock.calls, ...err.mock.calls].flat().map(String) };
}

const parsed = ({ lines }: { lines: string[] }) => lines.map((line): unknown => JSON.parse(line));

async function holding<T>(databaseUrl: string, sql: string, work: () => Promise<T>): Promise<T> {
  const client = new Client(databaseUrl);
  await client.connect();
  try {
    await client.query(`begin; ${sql}`);
    return await work();
  } finally {
    await client.end();
  }
}

async function close(databaseUrl: string): Promise<void> {
  const ledger = await Ledger.open({ url: databaseUrl, name: 'partitions-test' });
  await closeBooks(ledger, date('2026-03-31')).finally(() => ledger.close());
}

export function partitionCases(filled: () => Filled): void {
  test('a month is created, refused until it is closed and published, archived, and taken back', async () => {
    const { copy, audited, folder } = filled();
    const url = await copy(OF_MARCH);
    const exported = async () =>
      (
        await exportOutcomes({
          ...{ databaseUrl: url, folder, format: 'csv', charts: false },
          ...{ from: date('2026-03-01'), to: date('2026-03-31') },
        })
      ).tables;
    const clean = await audited(url);
    expect(clean.wrong).toEqual({});
    const before = await exported();

    expect((await partitions(url, 'archive', '2026-03')).lines).toEqual([
      '2026-03 stays where it is: no partition ends with it (gongji partitions list).',
    ]);
    const asked = parsed(await partitions(url, 'create', '2026-03', '--dry-run', '--json'));
    expect(asked).toMatchObject([
      { table: 'outcome', name: 'outcome_2026_03', created: false },
      { table: 'entry', name: 'entry_2026_03', created: false },
    ]);
    expect((await partitions(url, 'create', '2026-03')).code).toBe(0);
    expect(await partitions(url, 'create', '2026-03')).toEqual({ code: 0, lines: ['Every month asked for is there.'] });

    expect(parsed(await partitions(url, 'archive', '2026-03', '--json'))).toEqual([
      { month: '2026-03', refused: 'NOT_CLOSED' },
    ]);
    await close(url);
    const unpublished = await holding(url, 'update shard set published_seq = 0; commit', () =>
      partitions(url, 'archive', '2026-03', '--json'),
    );
    expect(unpublished.code).toBe(1);
    expect(parsed(unpublished)).toEqual([{ month: '2026-03', refused: 'NOT_PUBLISHED' }]);
    await holding(url, 'update shard set published_seq = out_seq; commit', async () => undefined);
    const planned = await partitions(url, 'archive', '2026-03', '--dry-run');
    expect(planned).toEqual({ code: 0, lines: ['would archive entry_2026_03', 'would archive outcome_2026_03'] });

    expect(await partitions(url, 'archive', '2026-03')).toEqual({
      code: 0,
      lines: ['archived entry_2026_03', 'archived outcome_2026_03'],
    });
    expect(await audited(url)).toEqual(clean);
    expect(await exported()).toEqual(before);
    const listed = parsed(await partitions(url, 'list', '--json'));
    expect(listed).toContainEqual(
      expect.objectContaining({ name: 'entry_2026_03', kind: 'MONTH', month: '2026-03', archived: true }),
    );
    expect(listed.at(-1)).toEqual({ monthsAhead: 3 });
    const table = (await partitions(url, 'list')).lines;
    expect(table.find((line) => line.includes('outcome_2026_03'))).toMatch(
      /^ +2026-03 {2}outcome_2026_03 .* MB {2}archived$/,
    );

    expect((await partitions(url, 'restore', '2026-03')).lines).toEqual([
      'restored entry_2026_03',
      'restored outcome_2026_03',
    ]);
    expect(await audited(url)).toEqual(clean);
  });

  test('an entry that two months have is found, though no key of the whole table forbids it', async () => {
    const { copy, audited } = filled();
    const url =
      await copy(`insert into entry select psn_no, version, kind, counterpart, reference, binding_id, prior_year, current_year, held,
      prior_year_after, current_year_after, on_day, current_date, counted_on from entry where reference = 'K1';`);
    const wrong = (await audited(url)).wrong;
    expect(wrong).toMatchObject({ 'account-version': 1 });
  });

  test('an outcome that is not in the month its event knows is found', async () => {
    const { copy, audited } = filled();
    const url = await copy(
      `update outcome set month = '2026-03-01' where convert_from(payload, 'UTF8') like '%"claim_id":"C3"%'`,
    );
    expect((await audited(url)).wrong).toMatchObject({ 'outcome-present': 1 });
  });

  test.each([
    [[], 'expected one of list, create, archive, restore'],
    [['archive'], 'archive takes one month'],
    [['archive', '2026-13'], 'MONTH: expected a month, such as 2026-03'],
    [['list', '2026-03'], 'list takes no month'],
    [['create', '2026-03', '--ahead', '2'], '--ahead is for create without a month'],
    [['create', '--ahead', '99'], '--ahead: expected a whole number from 0 to 60'],
  ])('%j is not understood: %s', async (args, problem) => {
    const { code, lines } = await partitions('postgresql://nobody@127.0.0.1:1/none', ...args);
    expect(code).toBe(2);
    expect(lines[0]?.split('\n')[0]).toBe(problem);
  });
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../src/simulate/report.ts';
import type { RunningCity } from './city.fixture.ts';
import { asked, gongji } from './gongji.fixture.ts';

const RANGE = ['--from', '2026-03-13', '--to', '2026-03-17'];

/** Sharing ends in Wuhan: whatever relatives paid there would have been cash. */
const NO_SHARING = { regionCode: '420100', effectiveFrom: '2026-01-01', effectiveTo: null, sharingEnabled: false };

export function simulateCases(running: () => RunningCity): void {
  const simulated = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await gongji(running(), ['simulate', ...args, '--json']);
    expect(stderr).toBe('');
    return { code, report: JSON.parse(stdout) as Report };
  };

  test('under the rules in force it comes out as the ledger has it, claim by claim and to the fen', async () => {
    const { code, report } = await simulated(RANGE);
    expect(report.differing).toEqual([]);
    expect({ code, reproduced: report.reproduced }).toEqual({ code: 0, reproduced: report.replayed });
    expect(report.replayed).toBeGreaterThan(240);
    const [books] = await asked<{ own: string; relatives: string }>(
      running().databaseUrl,
      `select (-sum(prior_year + current_year) filter (where binding_id is null))::text as own,
         (-sum(prior_year + current_year) filter (where binding_id is not null))::text as relatives
       from entry where kind = 'CLAIM' and on_day between '2026-03-13' and '2026-03-17'`,
    );
    const { own, relatives, cash } = report.all;
    expect({ own: own.was, relatives: relatives.was }).toEqual(books);
    expect([own, relatives, cash].map(({ was, would, change }) => [was === would, change])).toEqual(
      Array(3).fill([true, '0.00']),
    );
    expect(report.patients).toEqual({ gain: { people: 0, yuan: '0.00' }, lose: { people: 0, yuan: '0.00' } });
  });

  test('where sharing ends what relatives paid there becomes cash, from the first day on and in that region alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gongji-simulate-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [pack, svg] = [join(folder, 'pack.json'), join(folder, 'change.svg')];
    writeFileSync(pack, JSON.stringify(NO_SHARING));
    const { code, report } = await simulated([...RANGE, '--pack', pack, '--svg', svg]);
    expect(code).toBe(0);
    const wuhan = report.byRegion.find(({ group }) => group === '4201');
    expect(wuhan?.relatives).toMatchObject({ would: '0.00', change: `-${wuhan?.relatives.was}` });
    expect(Number(wuhan?.relatives.was)).toBeGreaterThan(0);
    expect(report.byRegion.filter(({ group, cash }) => group !== '4201' && cash.change !== '0.00')).toEqual([]);
    // The family that loses: one patient, whose cash rises by what the relatives no longer pay.
    expect(report.patients.lose).toEqual({ people: 1, yuan: wuhan?.cash.change });
    expect(report.payers.payLess.yuan).toBe(wuhan?.relatives.was);
    expect(readFileSync(svg, 'utf8')).toContain('4201');
  });

  test('a pack that is none is refused with its problems, and so is a range that is none', async () => {
    const file = join(tmpdir(), 'no-such-pack.yaml');
    const { code, stdout, stderr } = await gongji(running(), ['simulate', ...RANGE, '--pack', file]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('expected to be readable; found ENOENT');
    expect((await gongji(running(), ['simulate', '--from', '2026-03-13'])).code).toBe(2);
  });
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peopleIn } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import type { RunningCity } from './city.fixture.ts';
import { complaints, gongji } from './gongji.fixture.ts';

/** What people explicitly ask to see goes to the standard output; an error or a log line may end up anywhere, so it names nobody. */
export function personalCases(running: () => RunningCity): void {
  test('a command that is given a person where something else belongs does not repeat whom', async () => {
    const [someone] = running().city.family(0).people;
    const { psn_no: number = '', psn_name: name = '' } = someone?.account ?? {};
    const folder = mkdtempSync(join(tmpdir(), 'gongji-personal-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'claim.json');
    writeFileSync(file, JSON.stringify({ claim_id: 'C1', psn_no: number, psn_name: name, medfee_sumamt: name }));
    const mistakes = [
      ['explain', number],
      ['refund', number],
      ['quote', file],
      ['audit', number],
      ['backdated', '--payer', number, name],
      ['dead-letters', 'show', number],
      ['quarantine', 'show', number],
      ['books', 'close', number],
    ];
    const people = await peopleIn(running().databaseUrl);
    expect(people.foundIn(`${number} ${name}`).length).toBeGreaterThan(1);
    const ended = await Promise.all(mistakes.map(async (args) => ({ args, ...(await gongji(running(), args)) })));
    const leaks = ended.flatMap(({ args, code, stderr }) => {
      if (code === 0 || stderr === '') return [`${args[0]} takes it`];
      return people.foundIn(stderr).length > 0 ? [`${args[0]}: ${stderr}`] : [];
    });
    expect(leaks).toEqual([]);
  });

  test('no command of this file has named anyone on its standard error, and no log of a service has', async () => {
    const people = await peopleIn(running().databaseUrl);
    expect(new Set(complaints.map(({ command }) => command)).size).toBeGreaterThan(4);
    const logs = join(running().settings.dataDir, 'logs');
    const texts = [
      ...complaints.map(({ command, text }) => [command, text] as const),
      ...readdirSync(logs).map((name) => [name, readFileSync(join(logs, name), 'utf8')] as const),
    ];
    expect(texts.some(([, text]) => text.includes('"level":"debug"'))).toBe(true);
    expect(texts.flatMap(([name, text]) => (people.foundIn(text).length > 0 ? [name] : []))).toEqual([]);
  });
}

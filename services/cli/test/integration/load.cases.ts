import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topicsOf } from '@repo/contracts';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase } from '@repo/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { City } from '../../src/demo/city.ts';
import type { RunningCity } from './city.fixture.ts';
import { asked, gongji } from './gongji.fixture.ts';

/** Families whom nobody of the running city is of: the same numbers with another beginning. */
function strangers(): string[] {
  const city = new City({ seed: 11, people: 120 });
  return [...city.members()].map(({ type, value }) =>
    JSON.stringify({ ce_type: type, ...value })
      .replaceAll('"33019', '"33018')
      .replace('"binding_id":"B', '"binding_id":"L'),
  );
}

interface Said {
  readonly lines: number;
  readonly entered: number;
  readonly repeated: number;
  readonly bad: readonly { readonly line: number; readonly problem: string }[];
}

export function loadCases(running: () => RunningCity): void {
  const load = async (
    name: string,
    lines: readonly string[],
    args: readonly string[] = [],
    others: Readonly<Record<string, string>> = {},
  ) => {
    const folder = mkdtempSync(join(tmpdir(), 'gongji-load-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, name);
    writeFileSync(file, lines.join('\n'));
    const { code, stdout, stderr } = await gongji(running(), ['load', file, '--json', ...args], others);
    expect(stderr).toBe('');
    return { code, said: JSON.parse(stdout) as Said };
  };
  const count = async (): Promise<string> => {
    const [row] = await asked<{ n: string }>(
      running().databaseUrl,
      `select (select count(*) from account where psn_no ^@ '33018') || '+' || (select count(*) from binding where binding_id ^@ 'L')
         || '+' || (select count(*) from event_id where shard_id = 0) as n`,
    );
    return row?.n ?? '';
  };

  test('a file with bad lines is not entered at all, and each is listed with its number and reason', async () => {
    const before = await count();
    const good = strangers();
    const binding = good.findLast((line) => line.includes('binding.opened')) ?? '';
    const bad = [
      '{"ce_type":"account.opened","psn_no":"330180000000"}',
      'not json',
      good[0]?.replace('"insured":true', '"insured":false') ?? '',
      binding.replace(/"payer":"\d+"/, '"payer":"330170000000"').replace('"binding_id":"L', '"binding_id":"LX'),
    ];
    const { code, said } = await load('members.ndjson', [...good, ...bad]);
    expect({ code, entered: said.entered, lines: said.lines }).toEqual({
      code: 1,
      entered: 0,
      lines: good.length + bad.length,
    });
    expect(said.bad.map(({ line }) => line - good.length)).toEqual([1, 2, 3, 4]);
    expect(said.bad.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('insutype: expected a code'),
      'expected a JSON object',
      'stated before in this file with other content, in line 1',
      'payer: expected a person who is here, or is opened in this file',
    ]);
    expect(await count()).toBe(before);
  });

  test('a load that was cut off is gone on with, and one that is repeated changes nothing', async () => {
    const lines = strangers();
    const half = lines.slice(0, lines.length / 2);
    expect(await load('half.ndjson', lines, ['--check'])).toMatchObject({ code: 0, said: { entered: 0, bad: [] } });
    expect(await load('half.ndjson', half)).toMatchObject({ code: 0, said: { entered: half.length, repeated: 0 } });
    expect(await load('whole.ndjson', lines)).toMatchObject({
      code: 0,
      said: { entered: lines.length - half.length, repeated: half.length },
    });
    const after = await count();
    expect(await load('whole.ndjson', lines)).toMatchObject({ code: 0, said: { entered: 0, repeated: lines.length } });
    expect(await count()).toBe(after);
    expect(await load('other.ndjson', [lines[0]?.replace('"insured":true', '"insured":false') ?? ''])).toMatchObject({
      code: 1,
      said: { bad: [{ line: 1, problem: 'entered before with other content' }] },
    });
    const audited = await gongji(running(), ['audit', '--json', '--no-kafka']);
    expect(JSON.parse(audited.stdout)).toMatchObject({ clean: true });
  });

  test('what is too far in the future for the workers is a bad line, and what is not for them is none', async () => {
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const [account = ''] = strangers().filter((line) => line.includes('"current_year"'));
    const nobody = account.replace('"33018', '"33016');
    const opened = (days: number) => [nobody.replace(/"as_of":"[^"]+"/, `"as_of":"${inDays(days)}"`)];
    const checked = (days: number, most: string) =>
      load('ahead.ndjson', opened(days), ['--check'], { GONGJI_MAX_FUTURE_DAYS: most });
    expect(await checked(2, '1')).toMatchObject({ code: 1, said: { bad: [{ line: 1 }] } });
    expect((await checked(2, '1')).said.bad[0]?.problem).toContain('expected a moment not so far in the future');
    expect(await checked(500, '')).toMatchObject({ code: 1 });
    expect(await checked(500, '600')).toMatchObject({ code: 0, said: { bad: [] } });
  });

  test('nobody is loaded for another count of partitions than the topics have, whether a shard is taken or not', async () => {
    const before = await count();
    const folder = mkdtempSync(join(tmpdir(), 'gongji-load-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'members.ndjson');
    writeFileSync(file, strangers().join('\n'));
    const { settings, http } = running();
    const others = { settings: { ...settings, partitions: 3 }, http };
    const known = await gongji(others, ['load', file]);
    expect(known).toMatchObject({ code: 2, stderr: expect.stringContaining('set GONGJI_PARTITIONS=2') });
    const fresh = await cloneDatabase({ key: schemaKey(), migrate });
    others.settings.databaseUrl = fresh.url;
    const { members } = topicsOf(settings.topicPrefix);
    const atBroker = await gongji(others, ['load', file]);
    expect(atBroker).toMatchObject({ code: 2, stderr: expect.stringContaining(`${members} has 2 partitions`) });
    expect(await count()).toBe(before);
  });

  test('accounts and bindings are taken from CSV, and the API shows them', async () => {
    const accounts = [
      'psn_no,insutype,psn_type,employment,insu_admdvs,insured,prior_year,current_year,as_of',
      '330180009991,310,1101,ACTIVE,330106,true,120.50,7.25,2026-03-10T00:00:00+08:00',
      '330180009992,390,14,NONE,330106,true,,,',
    ];
    const numbered = accounts.map((line, i) => `${line},${i === 0 ? 'certno' : `33010619900101123${i}`}`);
    const json = `{"ce_type":"account.opened","psn_no":"330180009993","insutype":"310","psn_type":"1101","employment":"ACTIVE",
      "insu_admdvs":"330106","insured":true,"prior_year":99999999999999.99,"certno":"330106199001011239"}`;
    const bindings = [
      'binding_id,payer,beneficiary,relation,bound_at,priority,pause_reasons',
      'L-CSV,330180009991,330180009992,CHILD,2026-03-10T08:00:00+08:00,4,USER',
    ];
    expect(await load('accounts.csv', numbered)).toMatchObject({ code: 0, said: { entered: 2 } });
    expect(await load('again.csv', accounts)).toMatchObject({ code: 0, said: { entered: 0, repeated: 2 } });
    expect(await load('account.ndjson', [json.replace('\n', '')])).toMatchObject({ code: 0, said: { entered: 1 } });
    expect(await load('bindings.csv', bindings)).toMatchObject({ code: 0, said: { entered: 1 } });
    const get = async (path: string) => (await fetch(`${running().http}${path}`)).json();
    expect(await get('/v1/accounts/330180009991')).toMatchObject({ prior_year: '120.50', current_year: '7.25' });
    expect(await get('/v1/accounts/330180009993')).toMatchObject({ prior_year: '99999999999999.99' });
    expect(await get('/v1/bindings?payer=330180009991')).toMatchObject({
      bindings: [
        { binding_id: 'L-CSV', beneficiary: '330180009992', priority: 4, state: 'PAUSED', pause_reasons: ['USER'] },
      ],
    });
  });
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RunningCity } from './city.fixture.ts';
import { asked, gongji } from './gongji.fixture.ts';

export function apiCases(running: () => RunningCity): void {
  test('explain says how a claim was settled, in Chinese unless asked, and what went back of it', async () => {
    const { code, stdout } = await gongji(running(), ['explain', 'FC0']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/[\u4e00-\u9fff]/);
    const english = await gongji(running(), ['explain', 'FC0', '--lang', 'en', '--json']);
    const { sentences, steps, refunds } = JSON.parse(english.stdout) as {
      sentences: string[];
      steps: { account?: string; stopped_by?: { sentence: string }[] }[];
      refunds: { refund_id: string }[];
    };
    expect(sentences.length).toBeGreaterThan(1);
    const stops = steps.flatMap(({ account, stopped_by: by = [] }) =>
      by.map((each) => `- ${account}: ${each.sentence}`),
    );
    expect(stops.length).toBeGreaterThan(0);
    const plain = await gongji(running(), ['explain', 'FC0', '--lang', 'en']);
    expect(plain.stdout.trimEnd().split('\n')).toEqual([...sentences, ...stops]);
    expect(refunds.map(({ refund_id }) => refund_id)).toEqual(['FR1']);
    const none = await gongji(running(), ['explain', 'NO-SUCH']);
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no such settlement') });
  });

  test('quote takes a claim as it is written and changes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gongji-quote-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'claim.json');
    const claim = `{"claim_id":"FQ1","mdtrt_id":"M","psn_no":"F1","fixmedins_code":"H42010600001","designated":true,"fix_blng_admdvs":"420106",
      "med_type":"11","setl_time":"2026-03-18T10:00:00+08:00","medfee_sumamt":100.10,"fund_pay_sumamt":0,"psn_part_amt":100.10}`;
    writeFileSync(file, claim);
    const quotes = [];
    for (let i = 0; i < 2; i += 1) quotes.push(await gongji(running(), ['quote', file, '--json']));
    expect(quotes[0]).toEqual(quotes[1]);
    expect(JSON.parse(quotes[0]?.stdout ?? '')).toMatchObject({ status: 'SETTLED', psn_part_amt: '100.10' });
    expect((await gongji(running(), ['quote', file])).stdout).toContain('CASH');
    writeFileSync(file, claim.replace('"psn_part_amt":100.10', '"psn_part_amt":1.005'));
    expect(await gongji(running(), ['quote', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('psn_part_amt: expected an amount'),
    });
  });

  test('refund gives back once, whatever is repeated, and says why it does not', async () => {
    const refund = ['refund', 'FC1', '--amount', '1.00', '--key', 'cli-1', '--json'];
    const first = await gongji(running(), refund);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ status: 'REFUNDED', amount: '1.00', claim_id: 'FC1' });
    expect((await gongji(running(), refund)).stdout).toBe(first.stdout);
    const tooMuch = await gongji(running(), ['refund', 'FC1', '--amount', '99999.00']);
    expect(tooMuch).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('REFUND_EXCEEDS_SETTLED') });
  });

  test('an API that does not answer is no refusal', async () => {
    expect(await gongji({ ...running(), http: 'http://127.0.0.1:1' }, ['explain', 'FC1'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('does not answer'),
    });
  });

  test('a day that has not begun is not closed, and the reason is said', async () => {
    expect(await gongji(running(), ['books', 'close', '2126-03-10'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The books stay as they are: that day has not begun in China, and no closed day is ever opened again.\n',
    });
  });

  test('an id that was another arrears check’s is not taken for the one that is asked for', async () => {
    await asked(
      running().databaseUrl,
      `insert into arrears_check (partition, check_id, on_day, finished) values (0, 'taken', '2026-03-10', true)`,
    );
    expect(await gongji(running(), ['arrears', '--on', '2026-03-11', '--id', 'taken'])).toEqual({
      code: 2,
      stdout: '',
      stderr: '--id: expected one that is not that of another check; there is one of 2026-03-10\n',
    });
  });

  test('an option that does not exist is an argument not understood, in any command', async () => {
    for (const command of ['explain', 'books'])
      expect(await gongji(running(), [command, '--no-such'])).toMatchObject({ code: 2, stdout: '' });
  });
}

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PEOPLE } from '../../../src/family.ts';
import { mainText, PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

export function operator(stage: () => Stage): void {
  test('sees the day’s sums, why accounts paid nothing, and claims as they are settled', async () => {
    await using opened = await stage().open('/board', '谁付的钱');
    const { page } = opened;
    const sums = await stage().scene.read<{ acct_mulaid_pay: string }>('/v1/totals');
    expect((await mainText(page)).replaceAll(',', '')).toContain(sums.acct_mulaid_pay);
    expect(await mainText(page)).toContain('您的个人账户余额为零');
    const { answered } = await stage().scene.read<{ answered: number }>('/v1/live');
    const [claim] = stage().scene.family.claims;
    await stage().scene.send([{ type: 'claim.submitted', value: { ...claim?.value, claim_id: 'C-live' } }]);
    const rate = page.locator('.ant-statistic').filter({ hasText: '每秒结算' });
    await poll(() => rate.innerText()).not.toMatch(/0\.0|–/);
    expect((await stage().scene.read<{ answered: number }>('/v1/live')).answered).toBe(answered + 1);
  });

  test('finds backdated draws, held refunds and arrears checks', async () => {
    await using draws = await stage().open('/backdated', PEOPLE.mother);
    expect(await mainText(draws.page)).toContain('C-2001');
    expect(await mainText(draws.page)).toContain('contribution.missed');
    await using held = await stage().open('/held', PEOPLE.aunt);
    expect(await mainText(held.page)).toContain('40.00');
    await using checks = await stage().open('/arrears', 'nightly');
    expect(await mainText(checks.page)).toContain('2/2 个分片');
  });

  test('is told on the board what is to be looked at, and comes there', async () => {
    await using opened = await stage().open('/board', '有人的报文被隔离');
    const { page } = opened;
    const alerts = page.locator('.ant-card').filter({ hasText: 'GongjiQuarantine' });
    expect(await alerts.innerText()).toContain('GongjiDeadLetters');
    expect(await alerts.innerText()).toContain('1 人有退费待人工支付');
    await alerts.getByRole('link', { name: '去看: 有人的报文被隔离' }).click();
    await page
      .getByText('C-broken')
      .or(page.getByRole('button', { name: /^放行/ }))
      .first()
      .waitFor();
  });

  test('holds the other side’s file against the day: what differs by kind, with a picture', async () => {
    const day = stage().scene.family.today;
    const { totals } = await stage().scene.read<{ totals: { fixmedins_setl_cnt: number }[] }>(
      `/v1/reconciliation?day=${day}`,
    );
    const settled = totals.reduce((sum, { fixmedins_setl_cnt: count }) => sum + count, 0);
    const { setl_id: mine } = await stage().scene.read<{ setl_id: string }>('/v1/settlements/C-2012');
    await using opened = await stage().open(`/books/${day}`, '借贷相等');
    const { page, errors } = opened;
    await page.locator('input[type=file]').setInputFiles({
      name: 'theirs.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(`setl_id,medfee_sumamt\n${mine},1.00\nTHEIRS-1,20.00\n`),
    });
    await page.getByText('我方没有 1').waitFor();
    const text = await mainText(page);
    expect(text).toContain('金额不同 1');
    expect(text).toContain('THEIRS-1');
    expect(settled).toBeGreaterThan(2);
    await page
      .getByRole('img', { name: /我方没有 1/ })
      .locator('svg')
      .waitFor();
    expect(await stage().violations(page)).toEqual([]);
    await page.screenshot({ path: join(PICTURES, 'books-compared.png'), fullPage: true });
    const file = (text: string) => ({ name: 'theirs.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page
      .locator('input[type=file]')
      .setInputFiles(file('fixmedins_code,medfee_sumamt,fixmedins_setl_cnt\nH21010200001,1.00,1\nH-THEIRS,20.00,1\n'));
    await page.getByText('组合计').waitFor();
    await page.getByRole('cell', { name: 'H-THEIRS' }).waitFor();
    const counts = page.getByRole('row').filter({ hasText: /H21010200001[\s\S]*结算笔数/ });
    await counts.waitFor();
    expect(await page.getByRole('columnheader', { name: '结算ID' }).count()).toBe(0);
    expect(await stage().violations(page)).toEqual([]);
    await page.screenshot({ path: join(PICTURES, 'books-totals-compared.png'), fullPage: true });
    await page.locator('input[type=file]').setInputFiles({
      name: 'theirs.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('no,columns\n1,2\n'),
    });
    await page.getByText('这个文件不能对账').waitFor();
    expect(errors).toEqual([]);
  });

  test('sees what changes in an area between two dates', async () => {
    await using opened = await stage().open('/policies/330106/2024-06-01/2025-06-01', '条规则不同');
    await opened.page.getByText('只看变化').click();
    await poll(() => mainText(opened.page)).not.toContain('minRemaining');
    expect(await mainText(opened.page)).toContain('历年余额中经授权的金额');
  });

  test('sees two areas side by side, and comes from a day on which rules change to what changed', async () => {
    await using opened = await stage().open('/policies/210102/2025-06-01/2025-06-01/500000', '210102 与 500000');
    const { page } = opened;
    await page.getByLabel('对比地区').fill('330106');
    await page.getByRole('button', { name: '比较' }).click();
    await page.getByText('210102 与 330106').waitFor();
    expect(await mainText(page)).toContain('历年余额中经授权的金额');
    await page.getByRole('button', { name: /^2024-12-01 · 有 \d+ 条规则不同/ }).click();
    await poll(() => page.url()).toMatch(/#\/policies\/210102\/2024-11-30\/2024-12-01\/210102$/);
    await page.getByText('2024-11-30').first().waitFor();
  });
}

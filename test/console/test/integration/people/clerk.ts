import { expect, test } from 'vitest';
import { PEOPLE } from '../../../src/family.ts';
import { mainText, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

export function clerk(stage: () => Stage): void {
  test('finds why last Tuesday’s claim left 50.00 in cash, from the person number alone, in under a minute', async () => {
    await using opened = await stage().page();
    const { page, errors } = opened;
    await page.goto(stage().at('/'));
    const begun = performance.now();
    await page.getByLabel('人员编号或结算编号').fill(PEOPLE.son);
    await page.keyboard.press('Enter');
    await page.getByText('只看有现金的').click();
    // The settlements stand above the usage, which names the same claim once for each relative.
    const row = page.getByRole('row').filter({ hasText: stage().scene.family.tuesday }).first();
    await poll(() => row.innerText()).toContain('50.00');
    await row.getByRole('link').click();
    const why = page.getByRole('alert').filter({ hasText: '为什么有 50.00 元现金' });
    await why.waitFor();
    expect(performance.now() - begun).toBeLessThan(60_000);
    const reasons = await why.innerText();
    expect(reasons).toContain('支付了100.00元');
    expect(reasons).toContain('中断缴费');
    expect(page.url()).toContain(`#/claims/${stage().scene.family.lastTuesday}`);
    expect(errors).toEqual([]);
  });

  test('sees on a claim’s page what each account paid or why not, its rules, and the outcome as published', async () => {
    await using opened = await stage().open(`/claims/${stage().scene.family.lastTuesday}`, '钱是怎么付的');
    const { page } = opened;
    const shown = await mainText(page);
    for (const each of [
      '430.50',
      '230.50',
      '付 100.00',
      '还差 100.00',
      '付 50.00',
      '为什么没有付更多：这一共济关系的每日限额为100.00元，当天此前已经使用0.00元，剩余的100.00元已经用完。',
      '为什么没有付更多：可共济余额已经用完。',
      'OWN_NO_ACCOUNT',
      'PAYER_IN_ARREARS',
    ])
      expect(shown).toContain(each);
    const { policy } = await stage().scene.read<{ policy: { version: string }[] }>(
      `/v1/settlements/${stage().scene.family.lastTuesday}`,
    );
    expect(shown).toContain(policy[0]?.version);
    await page.getByText('当时的规则取值').click();
    const values = page.getByRole('row').filter({ hasText: '支付后最低结余' });
    await values.waitFor();
    expect(await values.innerText()).toMatch(/0\.00[\s\S]*默认/);
    await page.getByText('发布的原文').click();
    await page.getByText('"psn_cash_pay": "50.00"').waitFor();
    await page.getByRole('img', { name: '金额流向图' }).locator('svg').waitFor();
    await page.getByRole('link', { name: '看这一天的规则' }).first().click();
    await page.getByRole('heading', { name: '政策' }).waitFor();
  });

  test('is told in words where a number is unknown', async () => {
    await using opened = await stage().open('/', '查一个人');
    await opened.page.getByLabel('人员编号或结算编号').fill('nobody');
    await opened.page.keyboard.press('Enter');
    await opened.page.getByRole('alert').filter({ hasText: '没有这个人员编号' }).waitFor();
  });
}

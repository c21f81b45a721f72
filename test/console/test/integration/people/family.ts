import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PEOPLE } from '../../../src/family.ts';
import { PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

export function family(stage: () => Stage): void {
  test('a father sees what each of his children spent, and can save it', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.father}`, '王建国');
    const { page } = opened;
    const sums = page.getByRole('group', { name: '按人合计' });
    await sums.waitFor();
    expect((await sums.innerText()).replace(/\s+/g, '')).toContain(`子女${PEOPLE.son}200.002笔`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: '导出 CSV' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('usage.csv');
    expect(readFileSync(await file.path(), 'utf8')).toContain(PEOPLE.son);
  });

  test('a beneficiary’s page neither shows nor asks for a payer’s balance', async () => {
    await using opened = await stage().page();
    const { page } = opened;
    const asked: string[] = [];
    const answers: Promise<string>[] = [];
    page.on('response', (answer) => {
      if (!answer.url().includes('/v1/')) return;
      asked.push(answer.url());
      answers.push(answer.text().catch(() => ''));
    });
    await page.goto(stage().at(`/people/${PEOPLE.son}`));
    await page.getByText('被共济人看不到共济人的余额').waitFor();
    const { balance } = await stage().scene.read<{ balance: string }>(`/v1/accounts/${PEOPLE.mother}`);
    const accounts = asked.filter((url) => url.includes('/v1/accounts/'));
    expect(new Set(accounts)).toEqual(new Set([`${stage().scene.http}/v1/accounts/${PEOPLE.son}`]));
    const answered = (await Promise.all(answers)).join();
    expect(answered).toContain(PEOPLE.mother);
    expect(answered).not.toContain(balance);
    expect(answered).not.toContain('balance_after');
  });

  test('sees what became of a relation: when it was paused and why', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.son}`, '谁为他付钱');
    const { page } = opened;
    await page.getByRole('button', { name: '历史 B-mother-son' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('共济人欠费').waitFor();
    expect(await drawer.innerText()).toMatch(/申请或登记[\s\S]*暂停[\s\S]*contribution\.missed/);
    expect(await stage().violations(page)).toEqual([]);
    await page.screenshot({ path: join(PICTURES, 'binding-history.png') });
  });

  test('its relatives stand in the order they are asked, with limit, state and reasons; and what may be done about each', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.son}`, '谁为他付钱');
    const { page } = opened;
    const card = page.locator('.ant-card').filter({ hasText: '按询问的先后' });
    const rows = card.locator('tbody tr[data-row-key]');
    await poll(() => rows.count()).toBe(3);
    expect((await rows.nth(0).innerText()).replace(/\s+/g, ' ')).toContain(`1 ${PEOPLE.father} 父母 生效 100.00`);
    expect(await rows.nth(1).innerText()).toContain('共济人欠费');
    await page
      .getByRole('img', { name: /家庭关系图/ })
      .locator('svg')
      .waitFor();
    expect(await card.getByRole('button', { name: '操作' }).count()).toBe(3);
  });
}

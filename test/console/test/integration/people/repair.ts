import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lateAccounts, latePerson } from '../../../src/family.ts';
import { PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

export function repair(stage: () => Stage): void {
  test('finds ten dead letters, sends them again, and sees what came of each', async () => {
    const { scene } = stage();
    await scene.send(lateAccounts(8));
    await scene.holds(`/v1/accounts/${latePerson(7)}`, () => true);
    await using opened = await stage().open('/dead-letters', 'PERSON_UNKNOWN');
    const { page, errors } = opened;
    await page.getByLabel('原因代码').fill('PERSON_UNKNOWN');
    await page.getByRole('button', { name: '查询' }).click();
    const rows = page.locator('tbody tr[data-row-key]');
    await poll(() => rows.count()).toBe(10);
    await page.getByRole('button', { name: /^详情/ }).first().click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('account.credited').waitFor();
    expect(await drawer.innerText()).not.toContain('psn_no');
    await drawer.getByRole('button', { name: '显示内容' }).click();
    await drawer.getByText('"psn_no"').waitFor();
    await page.screenshot({ path: join(PICTURES, 'dead-letter-detail.png') });
    expect(await stage().violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });

    await page.locator('thead').getByRole('checkbox').check();
    await page.getByRole('button', { name: '重新投递（10）' }).click();
    const dialog = page.getByRole('dialog', { name: '重新投递' });
    await dialog.getByText('PERSON_UNKNOWN 10').waitFor();
    await page.screenshot({ path: join(PICTURES, 'redrive-plan.png') });
    await dialog.getByRole('button', { name: '投递 10 条' }).click();
    await dialog.getByText('已受理: 8').waitFor();
    await dialog.getByText('再次成为死信 PERSON_UNKNOWN: 2').waitFor();
    expect(await dialog.getByRole('progressbar').first().innerText()).toContain('10 / 10');
    expect(await stage().violations(page)).toEqual([]);
    await page.screenshot({ path: join(PICTURES, 'redrive-done.png') });
    await dialog.getByRole('button', { name: '关闭' }).last().click();
    await poll(() => rows.count()).toBe(12);
    const balances = await Promise.all(
      Array.from({ length: 8 }, (_, n) => scene.read<{ balance: string }>(`/v1/accounts/${latePerson(n)}`)),
    );
    expect(balances.map(({ balance }) => balance)).toEqual(Array(8).fill('25.00'));
    expect(errors).toEqual([]);
  });

  test('looks at what is held, gives one message up and releases the others, and is told what each will do', async () => {
    const { scene } = stage();
    await using opened = await stage().open('/quarantine', '放行');
    const { page, errors } = opened;
    const { quarantined } = await scene.read<{ quarantined: { place: string; messages: number }[] }>('/v1/quarantine');
    const place = String(quarantined.find(({ messages }) => messages === 3)?.place);
    const row = page.locator(`tr[data-row-key="${place}"]`);
    await row.getByRole('button').first().click();
    await page.getByText('C-behind-2').waitFor();
    await page.screenshot({ path: join(PICTURES, 'quarantine-held.png') });
    await page.locator('tr').filter({ hasText: 'C-behind-1' }).last().getByRole('button', { name: /^放弃/ }).click();
    const drop = page.getByRole('dialog', { name: '放弃这一条报文' });
    await drop.getByText('不能撤回').waitFor();
    await drop.getByRole('button', { name: '放弃' }).click();
    await drop.getByText('请写明理由').waitFor();
    expect(await stage().violations(page)).toEqual([]);
    await drop.getByLabel(/理由/).fill('测试工单 17');
    await page.screenshot({ path: join(PICTURES, 'quarantine-drop.png') });
    await drop.getByRole('button', { name: '放弃' }).click();
    await drop.getByText('完成：1 条').waitFor();
    await drop.getByRole('button', { name: '关闭' }).last().click();

    await scene.mend('C-broken-1');
    await row.getByRole('button', { name: /^放行/ }).click();
    const release = page.getByRole('dialog', { name: '放行这个人的报文' });
    await release.getByText('2 条报文').waitFor();
    await page.screenshot({ path: join(PICTURES, 'quarantine-release.png') });
    await release.getByRole('button', { name: '放行' }).click();
    await release.getByText('完成：2 条').waitFor();
    await release.getByRole('button', { name: '关闭' }).last().click();
    await poll(() => row.count()).toBe(0);
    await scene.holds('/v1/settlements/C-behind-2', () => true);
    const { dead_letters: dead } = await scene.read<{ dead_letters: { code: string }[] }>(
      '/v1/dead-letters?id=C-behind-1',
    );
    expect(dead.map(({ code }) => code)).toEqual(['EVENT_UNREADABLE']);
    expect(errors).toEqual([]);
  });
}

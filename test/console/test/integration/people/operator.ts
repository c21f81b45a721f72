import { expect, test } from 'vitest';
import { PEOPLE } from '../../../src/family.ts';
import { mainText, type Stage } from '../../../src/stage.ts';
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

  test('sees what changes in an area between two dates', async () => {
    await using opened = await stage().open('/policies/330106/2024-06-01/2025-06-01', '条规则不同');
    await opened.page.getByText('只看变化').click();
    await poll(() => mainText(opened.page)).not.toContain('minRemaining');
    expect(await mainText(opened.page)).toContain('历年余额中经授权的金额');
  });
}

import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { newContext, watched } from '../../../src/browser.ts';
import { PEOPLE } from '../../../src/family.ts';
import { PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

const WIDTHS = [768, 1024];

/** Whether a finger can press this without scrolling sideways: it lies within the window's width, and nothing lies over its middle. */
const pressable = (what: Locator): Promise<boolean> =>
  what.evaluate((element) => {
    element.scrollIntoView({ block: 'center' });
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return left >= 0 && right <= innerWidth && hit !== null && element.contains(hit);
  });

/** How many of these there are, once there are some, and that each can be pressed. */
async function allPressable(buttons: Locator, least = 1): Promise<void> {
  await poll(() => buttons.count()).toBeGreaterThanOrEqual(least);
  for (const button of await buttons.all()) expect([await button.innerText(), await pressable(button)]).toContain(true);
}

export function tablet(stage: () => Stage): void {
  const at = async (width: number, hash: string, shown: string) => {
    const context = await newContext(stage().browser, { viewport: { width, height: 1024 }, hasTouch: true });
    const { page, errors } = watched(await context.newPage());
    await page.goto(stage().at(hash));
    await page.getByText(shown).first().waitFor();
    return { page, errors, [Symbol.asyncDispose]: () => context.close() };
  };
  const picture = (page: Page, name: string, width: number) =>
    page.screenshot({ path: join(PICTURES, `tablet-${name}-${width}.png`), fullPage: true });

  test.each(WIDTHS)('of %d pixels a clerk comes from a person to why a claim left cash', async (width) => {
    await using opened = await at(width, '/', '查一个人');
    const { page, errors } = opened;
    await page.getByLabel('人员编号或结算编号').fill(PEOPLE.son);
    await page.getByRole('button', { name: '查询' }).tap();
    const link = page.getByRole('link', { name: 'C-2010' }).first();
    await link.waitFor();
    expect(await pressable(link)).toBe(true);
    await link.tap();
    await page.getByRole('alert').filter({ hasText: '为什么有 50.00 元现金' }).waitFor();
    await picture(page, 'claim', width);
    expect(errors).toEqual([]);
  });

  test.each(WIDTHS)('of %d pixels a family reaches the history and the commands of every relation', async (width) => {
    await using opened = await at(width, `/people/${PEOPLE.son}`, '谁为他付钱');
    const { page, errors } = opened;
    const rows = page.locator('tr[data-row-key^="B-"]');
    await allPressable(rows.getByRole('button', { name: '操作' }), 3);
    await allPressable(rows.getByRole('button', { name: /^历史/ }), 3);
    await picture(page, 'family', width);
    await page.locator('tr[data-row-key=B-father-son]').getByRole('button', { name: '操作' }).tap();
    const item = page.getByRole('menuitem', { name: '解除', exact: true });
    await item.waitFor();
    expect(await pressable(item)).toBe(true);
    expect(errors).toEqual([]);
  });

  test.each(WIDTHS)('of %d pixels an operator looks at a dead letter', async (width) => {
    await using opened = await at(width, '/dead-letters', 'PERSON_UNKNOWN');
    const { page, errors } = opened;
    const buttons = page.getByRole('row').getByRole('button', { name: /^详情/ });
    await allPressable(buttons);
    await picture(page, 'dead-letters', width);
    await buttons.first().tap();
    const close = page.getByRole('dialog').getByRole('button').first();
    await close.waitFor();
    await poll(() => pressable(close)).toBe(true);
    expect(errors).toEqual([]);
  });

  test.each(WIDTHS)('of %d pixels who repairs reaches what releases and what gives up', async (width) => {
    await using opened = await at(width, '/quarantine', '放行');
    const { page, errors } = opened;
    await allPressable(page.getByRole('row').getByRole('button', { name: /^放行/ }));
    await page.locator('button.ant-table-row-expand-icon').first().tap();
    await allPressable(page.getByRole('row').getByRole('button', { name: /^放弃/ }));
    await picture(page, 'quarantine', width);
    await page.getByRole('row').getByRole('button', { name: /^放行/ }).first().tap();
    const cancel = page.getByRole('dialog').getByRole('button', { name: '取消' });
    await cancel.waitFor();
    await poll(() => pressable(cancel)).toBe(true);
    await cancel.tap();
    expect(errors).toEqual([]);
  });
}

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DESKTOP, newContext, TABLET, watched } from '../../../src/browser.ts';
import { CERTIFICATE } from '../../../src/family.ts';
import { mainText, PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

const WORDS = {
  zh: { flow: '钱是怎么付的', raw: '原始事件', refund: '退费 R-1', hidden: '姓名和证件号码不显示。' },
  en: {
    ...{ flow: 'How it was paid', raw: 'Raw events', refund: 'Refund R-1' },
    hidden: 'Names and certificate numbers are not shown.',
  },
} as const;
const LOOKS = [
  { look: 'light', viewport: DESKTOP, lang: 'zh' },
  { look: 'dark', viewport: TABLET, lang: 'en' },
  ...(process.env.CONSOLE_LOOKS === 'all'
    ? ([
        { look: 'dark', viewport: DESKTOP, lang: 'en' },
        { look: 'light', viewport: TABLET, lang: 'zh' },
      ] as const)
    : []),
] as const;

export function rawEvents(stage: () => Stage): void {
  const begin = async ({ look, viewport, lang }: (typeof LOOKS)[number]) => {
    const context = await newContext(stage().browser, { viewport, colorScheme: look });
    await context.addInitScript((chosen) => localStorage.setItem('gongji.lang', chosen), lang);
    const { page, errors } = watched(await context.newPage());
    return { page, errors, [Symbol.asyncDispose]: () => context.close() };
  };

  test.each(LOOKS)('sees a claim and its refund as they came, once asked for, $look and $lang', async (as) => {
    const w = WORDS[as.lang];
    await using opened = await begin(as);
    const { page, errors } = opened;
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.endsWith('/input')) asked.push(pathname);
    });
    await page.goto(stage().at('/claims/C-2011'));
    await page.getByText(w.flow).first().waitFor();
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: w.raw }).click();
    await page.getByText('"psn_name": "***"').waitFor();
    await page.getByText(w.hidden).waitFor();
    expect(asked).toEqual(['/v1/settlements/C-2011/input']);
    await page.getByRole('button', { name: w.refund }).click();
    await page.getByText('"amount": "60.00"', { exact: false }).first().waitFor();
    await poll(() => mainText(page)).toMatch(
      /claims\/\d@\d+[\s\S]*claim\.submitted[\s\S]*claims\/\d@\d+[\s\S]*claim\.refunded/,
    );
    expect(asked).toEqual(['/v1/settlements/C-2011/input', '/v1/settlements/C-2011/refunds/R-1/input']);
    const shown = await mainText(page);
    expect(shown).toContain('"certno": "***"');
    expect(shown).not.toContain(CERTIFICATE);
    await page.screenshot({
      path: join(PICTURES, `raw-events-${as.viewport.width}-${as.look}-${as.lang}.png`),
      fullPage: true,
    });
    expect(await stage().violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
  });

  test('is told where the place of a message was not kept, and sees what was published all the same', async () => {
    await stage().scene.forgetPlace('C-2002');
    await using opened = await stage().open('/claims/C-2002', '钱是怎么付的');
    const { page } = opened;
    await page.getByRole('button', { name: '原始事件' }).click();
    await page.getByRole('alert').filter({ hasText: '没有记下位置' }).waitFor();
    await page.getByRole('button', { name: '重试' }).waitFor();
    expect(await mainText(page)).toContain('"psn_part_amt": "66.40"');
  });
}

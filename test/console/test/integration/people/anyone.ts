import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { until } from '@repo/testkit';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { DESKTOP, newContext, TABLET, watched } from '../../../src/browser.ts';
import { dayOf, PEOPLE } from '../../../src/family.ts';
import { PICTURES, type Stage } from '../../../src/stage.ts';

/** A clerk who opens the console does not wait longer than this. */
const SLOW_SECONDS_MAX = 4;

/** So long with hardly a byte more, and all is there: a page that asks again and again goes on asking. */
const REST_MS = 1_500;
const REST_BYTES = 5_000;

/** Tells whether a count is still about what it was when last asked. */
function isAtRest(count: () => number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const before = last;
    last = count();
    return last - before < REST_BYTES;
  };
}

export function anyone(stage: () => Stage): void {
  const PAGES = [
    ['find', '/', '查一个人', 'Find a person'],
    ['claim', '/claims/C-2010', '钱是怎么付的', 'How it was paid'],
    ['child', `/people/${PEOPLE.son}`, '使用明细', 'Usage details'],
    ['father', `/people/${PEOPLE.father}`, '使用明细', 'Usage details'],
    ['board', '/board', '谁付的钱', 'Who paid'],
    ['backdated', '/backdated', 'C-2001', 'C-2001'],
    ['held', '/held', 'R-2', 'R-2'],
    ['arrears', '/arrears', 'nightly', 'nightly'],
    ['books', `/books/${dayOf(Date.now())}`, '借贷相等', 'both sides equal'],
    ['dead-letters', '/dead-letters', 'PERSON_UNKNOWN', 'PERSON_UNKNOWN'],
    ['quarantine', '/quarantine', '放行', 'Release'],
    ['policies', '/policies/330106/2024-06-01/2025-06-01', '条规则不同', 'rules differ'],
  ] as const;

  // One page for each look, which goes from address to address as people do. The other two are for who looks at the pictures.
  const LOOKS = [
    { look: 'light', viewport: DESKTOP, lang: 'zh' },
    { look: 'dark', viewport: TABLET, lang: 'en' },
    ...(process.env.CONSOLE_LOOKS === 'all'
      ? ([
          { look: 'dark', viewport: DESKTOP, lang: 'zh' },
          { look: 'light', viewport: TABLET, lang: 'en' },
        ] as const)
      : []),
  ] as const;
  type Look = (typeof LOOKS)[number];
  const nameOf = ({ look, viewport, lang }: Look) => `${viewport.width}-${look}-${lang}`;
  const pages = new Map<string, ReturnType<typeof watched>>();
  const pageFor = async (as: Look) => {
    const known = pages.get(nameOf(as));
    if (known !== undefined) return known;
    const context = await newContext(stage().browser, { viewport: as.viewport, colorScheme: as.look });
    await context.addInitScript((lang) => localStorage.setItem('gongji.lang', lang), as.lang);
    const opened = watched(await context.newPage());
    pages.set(nameOf(as), opened);
    return opened;
  };

  /** Every picture is drawn, and nothing is being read. */
  const settled = (page: Page) =>
    page.waitForFunction(
      () =>
        document.querySelector('.ant-skeleton, .ant-spin-spinning') === null &&
        [...document.querySelectorAll('[role=img]')].every((each) => each.querySelector('svg') !== null),
    );

  const CELLS = LOOKS.flatMap((as) =>
    PAGES.map(([name, hash, zh, en]) => ({ name, hash, as, shown: { zh, en }, how: nameOf(as) })),
  );
  test.each(CELLS)('can use the page $name with a screen reader, $how', async ({ name, hash, as, shown }) => {
    const { page, errors } = await pageFor(as);
    await page.goto(stage().at(hash));
    await page.getByText(shown[as.lang]).first().waitFor();
    await settled(page);
    await page.screenshot({ path: join(PICTURES, `${name}-${nameOf(as)}.png`), fullPage: true });
    expect(await stage().violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
  });

  test('gets by with the keyboard: past the menu, to a person, to a claim', async () => {
    await using opened = await stage().open('/', '查一个人');
    const { page } = opened;
    await page.reload();
    await page.getByLabel('人员编号或结算编号').waitFor();
    await page.locator('body').press('Tab');
    await page.getByRole('button', { name: '跳到正文' }).press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PEOPLE.son);
    await page.keyboard.press('Enter');
    const link = page.getByRole('link', { name: 'C-2010' }).first();
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByText('钱是怎么付的').waitFor();
  });

  test('finds the language and the appearance they chose again', async () => {
    await using own = await newContext(stage().browser);
    const page = await own.newPage();
    await page.goto(stage().at('/'));
    await page.getByText('EN', { exact: true }).click();
    await page.getByText('Dark', { exact: true }).click();
    await page.reload();
    await page.getByText('Find a person or a settlement').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
    const ground = () =>
      page
        .locator('.ant-layout')
        .first()
        .evaluate((each) => getComputedStyle(each).backgroundColor);
    expect(await ground()).toBe('rgb(13, 17, 23)');
  });

  test('has the first view within its budget: bytes over the line, and work of the main thread', async () => {
    await using own = await newContext(stage().browser);
    const page = await own.newPage();
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    // Time of the thread and not of the clock: what else this machine does is not the console's.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    let bytes = 0;
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.goto(stage().at('/'));
    await page.getByLabel('人员编号或结算编号').waitFor();
    const { metrics } = await session.send('Performance.getMetrics');
    const work = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
    console.log(`first view: ${Math.round(bytes / 1000)} kB over the line, ${work.toFixed(2)} s of work`);
    expect(bytes).toBeLessThan(300_000);
    expect(work).toBeLessThan(1.5);
  });

  // Where people land: the search by themselves, the others by a link that somebody sent them or by a mark of their own.
  const LANDINGS = [
    ['the search', '/', '人员编号或结算编号', 300],
    ['a claim', '/claims/C-2010', '钱是怎么付的', 830],
    ['a person', `/people/${PEOPLE.son}`, '谁为他付钱', 880],
    ['the board', '/board', '谁付的钱', 680],
    ['policies', '/policies/210102', '规则', 490],
    ['quarantine', '/quarantine', '放行', 660],
  ] as const;

  test.each(LANDINGS)(
    'lands on %s within its budget on an office PC: by the clock, with the processor slowed fourfold',
    async (name, hash, shown, kilobytesMax) => {
      await using own = await newContext(stage().browser);
      const page = await own.newPage();
      const session = await page.context().newCDPSession(page);
      await session.send('Network.enable');
      let bytes = 0;
      session.on('Network.loadingFinished', ({ encodedDataLength }) => {
        bytes += encodedDataLength;
      });
      await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
      const begun = performance.now();
      await page.goto(stage().at(hash));
      await page.locator('main').getByText(shown).first().waitFor();
      const seconds = (performance.now() - begun) / 1_000;
      // All that it takes: how much of that comes before the text is a matter of what else this machine does.
      await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
      await until(
        isAtRest(() => bytes),
        { what: 'nothing more comes', everyMs: REST_MS },
      );
      const [load = 0] = loadavg();
      const waiting = `${load.toFixed(1)} processes for ${availableParallelism()} cores`;
      const size = `${Math.round(bytes / 1000)} kB in all`;
      console.log(
        `lands on ${name}, processor slowed fourfold: ${seconds.toFixed(1)} s by the clock, ${size}, ${waiting}`,
      );
      expect(bytes).toBeLessThan(kilobytesMax * 1_000);
      // The clock also counts what others do on this machine: it is held to the budget where there is room for all.
      if (load < availableParallelism()) expect(seconds).toBeLessThan(SLOW_SECONDS_MAX);
    },
  );

  test('sees that the service is away, and goes on when it is back', async () => {
    await using own = await newContext(stage().browser);
    const page = await own.newPage();
    await page.goto(stage().at('/board'));
    await page.getByText('谁付的钱').waitFor();
    await own.setOffline(true);
    await page.getByText('连不上服务').waitFor();
    await own.setOffline(false);
    await until(async () => (await page.getByText('连不上服务').count()) === 0, {
      what: 'the board to go on',
      deadlineMs: 30_000,
    });
  });
}

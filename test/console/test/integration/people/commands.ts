import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { busyPerson, PEOPLE } from '../../../src/family.ts';
import { mainText, PICTURES, type Stage } from '../../../src/stage.ts';
import { poll } from './poll.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly key: string | undefined;
}

/** The commands that a page sends, as they are sent. */
function commandsOf(page: Page): Sent[] {
  const sent: Sent[] = [];
  page.on('request', (request) => {
    if (request.method() === 'GET') return;
    const { pathname } = new URL(request.url());
    const key = request.headers()['idempotency-key'];
    sent.push({ method: request.method(), path: pathname, body: request.postDataJSON(), key });
  });
  return sent;
}

const bindingRow = (page: Page, bindingId: string) => page.locator(`tr[data-row-key=${bindingId}]`);

/** Chooses a command of a binding on a person's page, and says yes. */
async function choose(page: Page, bindingId: string, command: string): Promise<void> {
  await bindingRow(page, bindingId).getByRole('button', { name: '操作' }).click();
  await page.getByRole('menuitem', { name: command, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: command, exact: true }).click();
}

export function commands(stage: () => Stage): void {
  const bindingsOf = async (personNo: string) => {
    const { scene } = stage();
    const { bindings } = await scene.read<{ bindings: Record<string, unknown>[] }>(
      `/v1/bindings?beneficiary=${personNo}`,
    );
    return bindings;
  };
  const bindingOf = async (personNo: string, bindingId: string) =>
    (await bindingsOf(personNo)).find(({ binding_id: each }) => each === bindingId);

  test('the order of relatives is changed with the keyboard, which says where a row is, and only what changed is sent', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.son}`, '谁为他付钱');
    const { page } = opened;
    const sent = commandsOf(page);
    const handles = page.getByRole('button', { name: /拖动/ });
    await poll(() => handles.count()).toBe(3);
    await handles.nth(2).focus();
    await page.keyboard.press('Space');
    await page.getByText('移到第 3 位').waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowUp');
    await page.getByText('移到第 2 位').waitFor({ state: 'attached' });
    await page.keyboard.press('Space');
    await page.getByText('放在第 2 位').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: '保存顺序' }).click();
    await page.getByText('已生效').waitFor();
    expect(sent.map(({ method, path: to, body }) => [method, to, body])).toEqual([
      ['PATCH', '/v1/bindings/B-grandfather-son', { priority: 2 }],
      ['PATCH', '/v1/bindings/B-mother-son', { priority: 3 }],
    ]);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(2);
    expect(await bindingOf(PEOPLE.son, 'B-mother-son')).toMatchObject({ priority: 3 });
    const rows = page.locator('tbody tr[data-row-key^=B-]');
    await poll(() => rows.nth(1).innerText()).toContain(PEOPLE.grandfather);
    await page.getByRole('button', { name: '历史 B-mother-son' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('由付款人修改').waitFor();
    expect(await drawer.innerText()).toContain('先后：2 → 3');
    await page.screenshot({ path: join(PICTURES, 'binding-changed.png') });
  });

  test('the order of relatives is changed by drag and drop, and put back before it is saved', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.daughter}`, '谁为他付钱');
    const { page } = opened;
    const sent = commandsOf(page);
    const handles = page.getByRole('button', { name: /拖动/ });
    await poll(() => handles.count()).toBe(2);
    const rows = page.locator('tbody tr[data-row-key^=B-]');
    const drag = async () => {
      const [from, to] = await Promise.all([handles.nth(1).boundingBox(), handles.nth(0).boundingBox()]);
      if (from === null || to === null) throw new Error('there are no handles');
      await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
      await page.mouse.down();
      await page.mouse.move(to.x + to.width / 2, to.y, { steps: 8 });
      await page.mouse.up();
      await poll(() => rows.nth(0).innerText()).toContain(PEOPLE.aunt);
    };
    await handles.nth(1).scrollIntoViewIfNeeded();
    await drag();
    await page.getByRole('button', { name: '还原' }).click();
    await poll(() => rows.nth(0).innerText()).toContain(PEOPLE.father);
    await drag();
    await page.getByRole('button', { name: '保存顺序' }).click();
    await page.getByText('已生效').waitFor();
    expect(sent.map(({ path: to, body }) => [to, body])).toEqual([
      ['/v1/bindings/B-aunt-daughter', { priority: 1 }],
      ['/v1/bindings/B-father-daughter', { priority: 2 }],
    ]);
    expect(await bindingOf(PEOPLE.daughter, 'B-aunt-daughter')).toMatchObject({ priority: 1 });
  });

  test('a binding is paused and resumed, and the page shows what came of it', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.son}`, '谁为他付钱');
    const { page } = opened;
    const row = bindingRow(page, 'B-father-son');
    await choose(page, 'B-father-son', '暂停');
    await poll(() => row.innerText()).toContain('暂停');
    expect(await bindingOf(PEOPLE.son, 'B-father-son')).toMatchObject({ state: 'PAUSED', pause_reasons: ['USER'] });
    await choose(page, 'B-father-son', '恢复');
    await poll(() => row.innerText()).not.toContain('暂停');
    expect(await bindingOf(PEOPLE.son, 'B-father-son')).toMatchObject({ state: 'ACTIVE', pause_reasons: [] });
  });

  test('limits are set with only what differs, a bad amount is told beside its field, and the dialog can be read aloud', async () => {
    await using opened = await stage().open(`/people/${PEOPLE.son}`, '谁为他付钱');
    const { page } = opened;
    const sent = commandsOf(page);
    await bindingRow(page, 'B-father-son').getByRole('button', { name: '操作' }).click();
    await page.getByRole('menuitem', { name: '限额与期限' }).click();
    const field = page.getByLabel('每日限额');
    await field.fill('1.005');
    await page.getByRole('dialog').getByRole('button', { name: '保存' }).click();
    await page.getByText('请填金额').waitFor();
    expect(await stage().violations(page)).toEqual([]);
    await field.fill('150');
    await page.getByRole('dialog').getByRole('button', { name: '保存' }).click();
    await page.getByText('已生效').waitFor();
    expect(sent.map(({ body }) => body)).toEqual([{ daily_limit: '150' }]);
    expect(await bindingOf(PEOPLE.son, 'B-father-son')).toMatchObject({ daily_limit: '150.00' });
    await poll(() => bindingRow(page, 'B-father-son').innerText()).toContain('150.00');
  });

  test('a father asks to share with a relative; the request is approved, another rejected, a third revoked', async () => {
    const [first, second, third] = [busyPerson(11), busyPerson(12), busyPerson(13)];
    await using opened = await stage().open(`/people/${PEOPLE.father}`, '他为谁付钱');
    const { page } = opened;
    for (const relative of [first, second, third]) {
      await page.getByRole('button', { name: '申请共济' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('亲属的人员编号').fill(relative);
      await dialog.getByLabel('亲属是他的').click();
      await page.getByTitle('兄弟姐妹', { exact: true }).click();
      await dialog.getByLabel('每日限额').fill('80');
      if (relative === first) expect(await stage().violations(page)).toEqual([]);
      await dialog.getByRole('button', { name: '申请共济' }).click();
      await dialog.waitFor({ state: 'hidden' });
      const row = page.getByRole('row').filter({ hasText: relative });
      await poll(() => row.first().innerText()).toContain('待确认');
    }
    const outcomes = [
      [first, '通过', 'ACTIVE'],
      [second, '不通过', 'REJECTED'],
      [third, '解除', 'REVOKED'],
    ] as const;
    for (const [relative, command, state] of outcomes) {
      const binding = (await bindingsOf(relative)).find(({ payer }) => payer === PEOPLE.father);
      expect(binding).toMatchObject({ state: 'PENDING', relation: 'SIBLING', daily_limit: '80.00' });
      await choose(page, String(binding?.binding_id), command);
      await poll(async () => (await bindingOf(relative, String(binding?.binding_id)))?.state).toBe(state);
    }
    await poll(() => page.getByRole('row').filter({ hasText: third }).first().innerText()).toContain('已解除');
  });

  test('a command that did not get through says so, and its repetition carries the same key', async () => {
    const personNo = busyPerson(6);
    await using opened = await stage().open(`/people/${personNo}`, '谁为他付钱');
    const { page } = opened;
    const sent = commandsOf(page);
    await page.route('**/pause', (route) => route.abort('connectionreset'), { times: 1 });
    await choose(page, 'D-6', '暂停');
    await page.getByText('连不上服务').first().waitFor();
    await choose(page, 'D-6', '暂停');
    await page.getByText('已生效').waitFor();
    expect(sent.map(({ path: to }) => to)).toEqual(Array(2).fill('/v1/bindings/D-6/pause'));
    expect(sent[0]?.key).toBeTruthy();
    expect(sent[1]?.key).toBe(sent[0]?.key);
    expect(await bindingOf(personNo, 'D-6')).toMatchObject({ state: 'PAUSED' });
  });

  test('a command that is refused says why, and the page shows what is true now', async () => {
    const personNo = busyPerson(3);
    await using opened = await stage().open(`/people/${personNo}`, '谁为他付钱');
    const { page } = opened;
    const headers = { 'idempotency-key': 'elsewhere', 'content-type': 'application/json' };
    const revoked = await fetch(new URL('/v1/bindings/D-3/revoke', stage().scene.http), {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect(revoked.status).toBe(200);
    await choose(page, 'D-3', '暂停');
    await page.getByText('这一共济关系目前的状态不允许这样做').first().waitFor();
    await poll(() => bindingRow(page, 'D-3').innerText()).toContain('已解除');
  });

  test('a part of a claim is refunded by its amount', async () => {
    await using opened = await stage().open('/claims/C-2012', '钱是怎么付的');
    const { page } = opened;
    await page.getByRole('button', { name: '退费' }).click();
    await page.getByLabel('退回金额（元）').fill('12.5');
    await page.getByRole('dialog').getByRole('button', { name: '退费' }).click();
    await page.getByText('已生效').waitFor();
    const { refunds, refundable } = await stage().scene.read<{ refunds: { amount: string }[]; refundable: string }>(
      '/v1/settlements/C-2012',
    );
    expect([refunds.map(({ amount }) => amount), refundable]).toEqual([['12.50'], '23.30']);
    await poll(() => mainText(page)).toContain('23.30');
  });
}

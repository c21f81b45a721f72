import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '@repo/embedded';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, testBrokers, until } from '@repo/testkit';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { findBrowser, launch, NO_BROWSER, newContext, violationsOf, watched } from '../../src/browser.ts';
import { CLIENT, Issuer } from '../../src/issuer.ts';
import { PICTURES } from '../../src/stage.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const path = findBrowser();
const running: ChildProcess[] = [];
vi.setConfig({ testTimeout: 120_000 });
let browser: Browser;
let issuer: Issuer;

beforeAll(async () => {
  if (path === null) return;
  await promisify(execFile)(process.execPath, [join(ROOT, 'services/console/build.ts')]);
  issuer = await Issuer.open();
  browser = await launch(path);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await issuer?.[Symbol.asyncDispose]();
});
beforeEach(({ skip }) => skip(path === null, NO_BROWSER));
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** query-api alone, on a database that knows nobody, asking for tokens of the issuer. */
async function startApi(environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const { url } = await cloneDatabase({ key: schemaKey(), migrate });
  const port = String(await findFreePort());
  const env = {
    PATH: process.env.PATH,
    GONGJI_KAFKA_BROKERS: testBrokers(),
    GONGJI_DATABASE_URL: url,
    GONGJI_HTTP_PORT: port,
    GONGJI_OIDC_ISSUER: issuer.url,
    ...environment,
  };
  running.push(
    spawn(process.execPath, [join(ROOT, 'services/query-api/src/main.ts')], { env, cwd: '/', stdio: 'ignore' }),
  );
  const http = `http://127.0.0.1:${port}`;
  await until(() => fetch(`${http}/health/ready`).then(({ ok }) => ok), { what: 'query-api', deadlineMs: 60_000 });
  return http;
}

test('a clerk signs in at the issuer, comes back to the page that was asked for, and no token stands in an address', async () => {
  const http = await startApi({ GONGJI_OIDC_CLIENT_ID: CLIENT });
  await using session = await newContext(browser);
  const { page, errors } = watched(await session.newPage());
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  await page.goto(`${http}/console/#/people/P1`);
  await page.getByRole('button', { name: '登录' }).click();
  await page.getByText('没有找到').waitFor();
  expect(page.url()).toBe(`${http}/console/#/people/P1`);
  const token = await page.evaluate(() => sessionStorage.getItem('gongji.token'));
  expect(token?.split('.')).toHaveLength(3);
  expect(addresses.filter((address) => address.includes(token ?? ' '))).toEqual([]);
  expect(await page.evaluate(() => Object.values(localStorage).join())).not.toContain(token);
  expect(errors).toEqual([]);

  await page.getByRole('button', { name: '退出' }).click();
  await page.getByRole('button', { name: '登录' }).waitFor();
  expect(await page.evaluate(() => sessionStorage.getItem('gongji.token'))).toBeNull();
});

test('a sign-in that fails is told with what to do next, and the next one succeeds', async () => {
  const http = await startApi({ GONGJI_OIDC_CLIENT_ID: CLIENT });
  await using session = await newContext(browser);
  const { page, errors } = watched(await session.newPage());
  issuer.answers.error = 'access_denied';
  await page.goto(`${http}/console/#/held`);
  const go = page.getByRole('button', { name: '登录' });
  await go.click();
  const told = page.getByRole('alert').first();
  await told.getByText('登录方没有放行').waitFor();
  expect(await told.innerText()).toContain('请换一个有权使用的账号');
  expect(await violationsOf(page)).toEqual([]);
  expect(new URL(page.url()).search).toBe('');
  await page.screenshot({ path: join(PICTURES, 'sign-in-denied.png') });

  // The address of a sign-in that this tab never began, as from the history of another.
  await page.goto(`${http}/console/?code=used&state=unknown`);
  await told.getByText('已经用过或已过期').waitFor();
  issuer.answers.error = null;
  await go.click();
  await page.getByText('没有待付的退费').or(page.getByLabel('人员编号或结算编号')).first().waitFor();
  expect(errors).toEqual([]);
});

test('where the console is not known to the issuer, a token is pasted; one that is not taken is asked for again', async () => {
  const http = await startApi();
  await using session = await newContext(browser);
  const page = await session.newPage();
  await page.goto(`${http}/console/#/held`);
  const field = page.getByLabel('粘贴访问令牌');
  await field.fill(await issuer.token({}, 'another'));
  await page.getByRole('button', { name: '使用' }).click();
  await page.getByText('令牌没有被接受').waitFor();
  expect(await page.getByRole('alert').first().innerText()).toContain('请重新登录');
  expect(await field.inputValue()).toBe('');
  await field.fill(await issuer.token({ scope: 'gongji.operate' }, 'gongji'));
  await page.getByRole('button', { name: '使用' }).click();
  await page.getByText('没有待付的退费').waitFor();
});

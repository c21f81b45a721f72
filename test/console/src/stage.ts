import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, freshTopicPrefix, testBrokers } from '@repo/testkit';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launch, newContext, violationsOf, watched } from './browser.ts';
import { Scene } from './scene.ts';

const BUILD = join(import.meta.dirname, '../../../services/console/build.ts');
/** What each page looked like, to be looked at; not kept. */
export const PICTURES = join(import.meta.dirname, '../.report/screenshots');

/** A page of the console, and what it told the browser's console as an error. */
export interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly errors: string[];
}

/** The built console over the whole system, and a browser. */
export class Stage implements AsyncDisposable {
  readonly scene: Scene;
  readonly browser: Browser;
  /** What most look at: one session, so that its files are read and compiled once. */
  readonly #desk: BrowserContext;

  private constructor(scene: Scene, browser: Browser, desk: BrowserContext) {
    this.scene = scene;
    this.browser = browser;
    this.#desk = desk;
  }

  static async open(executablePath: string): Promise<Stage> {
    mkdirSync(PICTURES, { recursive: true });
    await promisify(execFile)(process.execPath, [BUILD]);
    const { url } = await cloneDatabase({ key: schemaKey(), migrate });
    const scene = await Scene.open({ databaseUrl: url, brokers: testBrokers(), topicPrefix: freshTopicPrefix() });
    await scene.play();
    await scene.busyDay(30);
    await scene.goWrong();
    const browser = await launch(executablePath);
    return new Stage(scene, browser, await newContext(browser));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.scene[Symbol.asyncDispose]();
  }

  at(hash: string): string {
    return `${this.scene.http}/console/#${hash}`;
  }

  readonly violations = violationsOf;

  /** An empty page at a desk. */
  async page(): Promise<Opened> {
    return watched(await this.#desk.newPage());
  }

  /** Opens a page of the console at a desk, and waits until it shows this. */
  async open(hash: string, shown: string): Promise<Opened> {
    const opened = await this.page();
    await opened.page.goto(this.at(hash));
    await opened.page.getByText(shown, { exact: false }).first().waitFor();
    return opened;
  }
}

export const mainText = (page: Page): Promise<string> => page.locator('main').innerText();

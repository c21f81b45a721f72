import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { fileProblem, isAboutArguments, parseOptions } from '../src/arguments.ts';
import { describeCommands } from '../src/command-list.ts';
import { run as policy } from '../src/commands/policy.ts';
import { COMMANDS, type CommandName } from '../src/commands.ts';
import { readSettings } from '../src/config.ts';
import { didYouMean } from '../src/did-you-mean.ts';
import { HELP_ZH } from '../src/help-zh.ts';
import { helpLanguage, languageOf } from '../src/language.ts';

const settings = readSettings();
const NAMES = Object.keys(COMMANDS) as CommandName[];

/** What a command printed when it was run in this process, and its exit code. */
async function ran(work: () => Promise<number>) {
  using out = vi.spyOn(console, 'log').mockImplementation(() => {});
  using problems = vi.spyOn(console, 'error').mockImplementation(() => {});
  const code = await work();
  return { code, out: out.mock.calls.flat().join('\n'), problems: problems.mock.calls.flat().join('\n') };
}

const gongjiIn = (locale: string, ...args: string[]) => {
  const main = join(import.meta.dirname, '../src/main.ts');
  const env = { ...process.env, LC_ALL: locale, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};

const gongji = (...args: string[]) => gongjiIn('C', ...args);

/** Every option that was given to `parseArgs`, which is the real one. */
const parsed = vi.hoisted(() => new Set<string>());
vi.mock('node:util', async (original) => {
  const util = await original<typeof import('node:util')>();
  const parseArgs: typeof util.parseArgs = (config) => {
    for (const name of Object.keys(config?.options ?? {})) parsed.add(name);
    return util.parseArgs(config);
  };
  return { ...util, parseArgs };
});

/** The exit codes that the table of the README has for each command. */
const README_CODES = new Map(
  readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    .split(/<!-- exit codes: \w+ -->/)[1]
    ?.split('\n')
    .flatMap((line) => {
      const [, name, codes = ''] = /^\| `([a-z-]+)` \|(.*)\|$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, ['0', '2', ...(codes.match(/\b\d+\b/g) ?? [])].sort()] as const];
    }),
);

describe.each(NAMES)('%s', (name) => {
  test('says how it is typed and every code it exits with, which are those of the README', async () => {
    const { run } = await COMMANDS[name]();
    const { code, out, problems } = await ran(() => run(['--help'], settings));
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
    expect(out).toMatch(new RegExp(`^Usage: gongji ${name}( |$)`, 'm'));
    expect(out.match(/npm run (?!demo)/g)).toBeNull();
    const [, exits = ''] = /Exits with (.*?)(?:\n\n|$)/s.exec(out) ?? [];
    expect([...new Set(exits.match(/\b\d+\b/g))].sort()).toEqual(README_CODES.get(name));
  });

  test('has its help in Chinese, with every option, action, setting and exit code of the English one', async () => {
    const { run } = await COMMANDS[name]();
    parsed.clear();
    const { out } = await ran(() => run(['--help'], settings));
    const zh = HELP_ZH[name];
    const usages = (text: string, word: string) =>
      text.slice(text.indexOf(word) + word.length, text.indexOf('\n\n')).replaceAll('筛选条件', 'filters');
    const withoutNotes = (usage: string) => usage.replace(/ {3}[(（].*/, '').replace(/\n[A-Z].*/s, '');
    expect(withoutNotes(usages(zh, '用法：')).split(/\n +/)).toEqual(
      withoutNotes(usages(out, 'Usage: ')).split(/\n +/),
    );
    const told = (text: string, what: RegExp) => [...new Set(text.match(what))].sort();
    for (const what of [/--[a-z-]+/g, /GONGJI_[A-Z_]+/g, /[a-z]+@-?\d+/g, /\b[A-Z]+_[A-Z_]+\b/g])
      expect(told(zh, what)).toEqual(expect.arrayContaining(told(out, what)));
    // These two read their options together, and refuse what is the other's.
    const isOfMessages = name === 'dead-letters' || name === 'quarantine';
    const options = isOfMessages ? HELP_ZH['dead-letters'] + HELP_ZH.quarantine : zh;
    expect(told(options, /--[a-z-]+/g)).toEqual(
      expect.arrayContaining([...parsed].filter((option) => option !== 'help').map((option) => `--${option}`)),
    );
    const [, exits = ''] = /退出码：(.*?)(?:\n\n|$)/s.exec(zh) ?? [];
    expect(told(exits, /(?<=^|；|或 )\d+(?= )/g)).toEqual(README_CODES.get(name));
    // An option, or an action, that is described is described in Chinese.
    for (const line of zh
      .split('\n')
      .filter((each) => /^(?: {2})?(?:--)?[a-z][a-zA-Z-]*(?: [A-Z]+)? {2,}\S/.test(each)))
      expect(line).toMatch(/\p{Script=Han}/u);
  });

  test('does not begin with an option that there is not', async () => {
    const { run } = await COMMANDS[name]();
    // What `parseArgs` throws becomes a 2 for all commands alike.
    const { code } = await ran(() =>
      run(['--nope'], settings).catch((error: unknown) => (isAboutArguments(error) ? 2 : Promise.reject(error))),
    );
    expect(code).toBe(2);
  });
});

test('the README has no command that is gone', () => {
  expect([...README_CODES.keys()]).toEqual(NAMES);
});

test('the version, the list and what is not understood come out of the process as they should', () => {
  expect(gongji('--version')).toEqual({ status: 0, stdout: `gongji ${manifest.version}\n`, stderr: '' });
  const { status, stdout, stderr } = gongji('frobnicate');
  expect({ status, stdout, unlisted: NAMES.filter((name) => !stderr.includes(`\n  ${name} `)) }).toEqual({
    status: 2,
    stdout: '',
    unlisted: [],
  });
  expect(gongji('books', '--nope')).toMatchObject({ status: 2, stdout: '' });
});

test('a word that is no command is not repeated, and what may have been meant is said', () => {
  const name = gongji('王伟110101199003070011');
  expect(name.stderr.split('\n')[0]).toBe('There is no such command.');
  expect(name.stderr).not.toMatch(/王伟|110101/);
  expect(gongji('book').stderr).toMatch(/^There is no such command. Did you mean gongji books\?\n/);
  expect(gongjiIn('zh_CN.UTF-8', 'explian').stderr).toMatch(/^没有这个命令。您是不是要用 gongji explain？\n/);
  expect(didYouMean('deadletters', NAMES)).toBe('dead-letters');
  expect(didYouMean('Quarantin', NAMES)).toBe('quarantine');
  for (const far of ['', 'frobnicate', '--', 'x'.repeat(1_000_000)]) expect(didYouMean(far, NAMES)).toBeUndefined();
});

test('an option that there is not is repeated where it is written as an option is', () => {
  const parse = (option: string) => () => parseOptions({ args: [option], options: {} });
  expect(parse('--quarantin')).toThrow("Unknown option '--quarantin'");
  for (const name of ['--王伟', '--P1', '--110101199003070011', `--${'x'.repeat(40)}`])
    expect(parse(name)).toThrow(/^there is no such option$/);
});

test.each([
  ['dead-letters', ['redrive', 'claims/0@7', '--topic', 'claims'], 'redrive takes filters and no place'],
  ['dead-letters', ['list', 'claims/0@7'], 'list takes filters and no place'],
  ['dead-letters', ['show', 'claims/0@7', 'claims/0@8'], 'show takes one place'],
  ['quarantine', ['list', 'claims/0@7'], 'list takes filters and no place'],
  ['books', ['close', '2026-03-10', '2026-03-11'], 'Usage: gongji books'],
  ['books', ['list', '2026-03-10'], 'Usage: gongji books'],
  ['reconcile', ['totals', 'there.csv', '--day', '2026-03-10'], 'totals takes options alone'],
  ['reconcile', ['compare', 'one.csv', 'two.csv', '--day', '2026-03-10'], 'compare takes one file'],
  ['reconcile', ['totals', '--110101199003070011'], 'there is no such option'],
  ['reconcile', ['totals', '--day', '2026-03-10', '--to', '2026-03-11'], 'expected --day DAY, or --from DAY --to DAY'],
  [
    'reconcile',
    ['details', '--day', '2026-03-10', '--from', '2026-03-01'],
    'expected --day DAY, or --from DAY --to DAY',
  ],
  ['load', ['src', '--format', 'csv'], 'src: expected a file that can be read'],
  ['refund', ['C1', '--key', '退费一'], '--key is 1 to 200 ASCII characters'],
  ['arrears', ['--on', '1899-12-31'], '--on: expected a date YYYY-MM-DD of the years 1900 to 2999'],
  ['arrears', ['--on', '2026-03-10', '--id', 'x'.repeat(201)], '--id: expected a text of 1 to 200 characters'],
] as const)('%s does not begin with %j, and says why', async (name, args, why) => {
  const { run } = await COMMANDS[name]();
  const { code, out, problems } = await ran(() => run([...args], settings));
  expect([code, out, problems.slice(0, why.length)]).toEqual([2, '', why]);
});

test('an error about a file is told where an argument names it, and is a defect where none does', () => {
  const failed = Object.assign(new Error('no'), { code: 'EACCES', path: '/there/payments.csv' });
  expect(fileProblem(failed, ['--out=/there'])).toBe(
    '/there/payments.csv: expected a place that can be used; found EACCES',
  );
  for (const [error, args] of [
    [failed, ['--out', '/elsewhere', '']],
    [new Error('no'), ['/there']],
    [Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), ['/there']],
  ] as const)
    expect(fileProblem(error, args)).toBeUndefined();
});

test('the help of a command is in the language of the list', () => {
  expect(helpLanguage(['close', '2026-01-01'], { LANG: 'zh_CN.UTF-8' })).toBeNull();
  expect(helpLanguage(['C1', '--lang', 'zh'], {})).toBeNull();
  expect(helpLanguage(['--help'], {})).toBe('en');
  expect(helpLanguage(['close', '-h'], { LANG: 'zh_CN.UTF-8' })).toBe('zh');
  expect(helpLanguage(['--lang', 'en', '--help'], { LANG: 'zh_CN.UTF-8' })).toBe('en');
  expect(() => helpLanguage(['--help', '--lang', 'fr'], {})).toThrow('--lang is zh or en');
  expect(() => helpLanguage(['--help', '--lang'], {})).toThrow('--lang is zh or en');
  expect(gongji('audit', '--help', '--lang', 'zh')).toEqual({ status: 0, stdout: `${HELP_ZH.audit}\n`, stderr: '' });
  expect(gongjiIn('zh_CN.UTF-8', 'explain', '--help').stdout).toBe(`${HELP_ZH.explain}\n`);
  expect(gongji('explain', '--help').stdout).toMatch(/^Usage: gongji explain/);
  expect(gongji('audit', '--help', '--lang', 'fr')).toMatchObject({ status: 2, stdout: '' });
});

test('the list is in Chinese where that is asked for, or the locale is Chinese', () => {
  expect(languageOf('zh', { LANG: 'en_GB.UTF-8' })).toBe('zh');
  expect(languageOf('en', { LC_ALL: 'zh_CN.UTF-8' })).toBe('en');
  expect(languageOf(undefined, { LC_ALL: '', LANG: 'zh_CN.UTF-8' })).toBe('zh');
  expect(languageOf(undefined, { LC_ALL: 'C', LANG: 'zh_CN.UTF-8' })).toBe('en');
  expect(languageOf(undefined, {})).toBe('en');
  expect(languageOf('fr', {})).toBeUndefined();
  const lines = describeCommands('zh')
    .split('\n')
    .filter((line) => line.startsWith('  '));
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual(NAMES);
  expect(lines.filter((line) => !/\p{Script=Han}/u.test(line))).toEqual([]);
});

describe('policy check --json', () => {
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'gongji-policy-test-'));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };

  test('lists the packs, shipped ones and those of the folder', async () => {
    const dir = folder();
    const pack = { regionCode: '410100', effectiveFrom: '2026-01-01', effectiveTo: null, sharingEnabled: false };
    writeFileSync(join(dir, 'zhengzhou.json'), JSON.stringify(pack));
    const { code, out } = await ran(() => policy(['check', dir, '--json']));
    const { packs, problems } = JSON.parse(out);
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
    expect(packs).toContainEqual({
      region: '410100',
      from: '2026-01-01',
      to: null,
      file: expect.stringContaining('zhengzhou'),
    });
    expect(packs).toContainEqual(expect.objectContaining({ region: '000000', from: null, to: '2024-11-30' }));
  });

  test('lists every problem, on both outputs, and exits with 1', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'bad.json'), JSON.stringify({ regionCode: '410100', effectiveFrom: 'soon', nothing: 1 }));
    const { code, out, problems } = await ran(() => policy(['check', dir, '--json']));
    const told = JSON.parse(out);
    expect({ code, packs: told.packs }).toEqual({ code: 1, packs: [] });
    expect(told.problems.length).toBeGreaterThan(1);
    expect(problems).toContain(told.problems[0]);
  });
});

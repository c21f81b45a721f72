import { execFileSync } from 'node:child_process';
import { mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { date, money } from '@repo/domain';
import { expect, test } from 'vitest';
import { loadPolicies } from '../src/index.ts';

const ON = date('2025-03-10');
const header = (region: string, from = 'null', to = 'null'): string =>
  `regionCode: ${region}\neffectiveFrom: ${from}\neffectiveTo: ${to}\n`;

/** A folder with these files, removed at the end of the test. */
async function folderOf(files: Readonly<Record<string, string>>) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'policy-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return folder;
}

test('a folder adds regions in YAML and JSON, and replaces a shipped version', async () => {
  await using folder = await folderOf({
    '330100.yaml': `${header('330100')}extends: T6000\nminRemaining: 1000`,
    '410000.yml': `${header('410000')}requireEmployerEnabled: true`,
    '420000.json': '{"regionCode":"420000","effectiveFrom":"2024-12-01","effectiveTo":null,"memberScope":"NATIONWIDE"}',
    'notes.txt': 'not a policy',
    '.330100.yaml.swp.yaml': 'an editor’s copy',
  });
  await mkdir(join(folder.path, 'older'));
  const loaded = await loadPolicies({ dir: folder.path });
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  const { policyAt, explainPolicy } = loaded.policies;
  const hangzhou = policyAt('330106', ON);
  expect(hangzhou).toMatchObject({ region: '330100', sharablePortion: 'PRIOR_YEAR' });
  expect(hangzhou.minRemaining).toBe(money('1000.00'));
  expect(hangzhou.shareThreshold).toBe(money('6000.00'));
  expect(policyAt('410100', ON).requireEmployerEnabled).toBe(true);
  const scope = explainPolicy('420100', ON).find(({ parameter }) => parameter === 'memberScope');
  expect(scope).toEqual({
    parameter: 'memberScope',
    value: 'NATIONWIDE',
    source: { file: join(folder.path, '420000.json'), region: '420000', version: '2024-12-01' },
  });
});

test('problems of the folder are listed with the path of the file', async () => {
  await using folder = await folderOf({ 'a.yaml': `${header('330000', '2026-01-01')}minRemaining: x`, 'b.json': '{' });
  await mkdir(join(folder.path, 'c.yaml'));
  const loaded = await loadPolicies({ dir: folder.path });
  const problems = 'problems' in loaded ? loaded.problems : [];
  expect(
    problems.find((problem) => problem.startsWith(`${join(folder.path, 'a.yaml')}:4: minRemaining: `)),
  ).toBeDefined();
  expect(problems.find((problem) => problem.startsWith(`${join(folder.path, 'b.json')}:1: `))).toBeDefined();
  expect(problems).toContain(`${join(folder.path, 'c.yaml')}: expected a regular file`);
  expect(
    problems.find((problem) => problem.startsWith('shipped/330000.yaml: effectiveTo: expected 2025-12-31')),
  ).toBeDefined();
});

test('a folder that is not there is a problem', async () => {
  await using folder = await folderOf({});
  const dir = join(folder.path, 'none');
  expect(await loadPolicies({ dir })).toEqual({ problems: [`${dir}: expected to be readable; found ENOENT`] });
});

test('loading again sees a changed file, and what was loaded before stays as it was', async () => {
  await using folder = await folderOf({ 'a.yaml': `${header('330100')}arrearsGraceDays: 1` });
  const load = async () => {
    const loaded = await loadPolicies({ dir: folder.path });
    if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
    return loaded.policies.policyAt;
  };
  const before = await load();
  await writeFile(join(folder.path, 'a.yaml'), `${header('330100')}arrearsGraceDays: 2`);
  const after = await load();
  expect(before('330106', ON).arrearsGraceDays).toBe(1);
  expect(after('330106', ON).arrearsGraceDays).toBe(2);
  expect(after('330106', ON).version).not.toBe(before('330106', ON).version);
});

test('what is no regular file is a problem and is not waited for', { timeout: 10_000 }, async () => {
  await using folder = await folderOf({});
  const path = (name: string): string => join(folder.path, name);
  execFileSync('mkfifo', [path('pipe.yaml')]);
  await symlink('/dev/zero', path('device.yaml'));
  await symlink(path('loop.yaml'), path('loop.yaml'));
  await symlink('/nowhere', path('nowhere.yaml'));
  const loaded = await loadPolicies({ dir: folder.path });
  expect('problems' in loaded && loaded.problems).toEqual([
    `${path('device.yaml')}: expected a regular file`,
    `${path('loop.yaml')}: expected to be readable; found ELOOP`,
    `${path('nowhere.yaml')}: expected to be readable; found ENOENT`,
    `${path('pipe.yaml')}: expected a regular file`,
  ]);
});

test('a file that is larger than any policy, or not UTF-8, is a problem', async () => {
  await using folder = await folderOf({ 'large.yaml': `${header('330100')}#${'x'.repeat(65_536)}` });
  await writeFile(join(folder.path, 'latin1.yaml'), Buffer.from(`${header('330100')}# Besan\xe7on`, 'latin1'));
  await writeFile(join(folder.path, 'utf16.yaml'), Buffer.from(`\ufeff${header('330100')}`, 'utf16le'));
  const loaded = await loadPolicies({ dir: folder.path });
  expect('problems' in loaded && loaded.problems).toEqual([
    `${join(folder.path, 'large.yaml')}: expected at most 65536 bytes`,
    `${join(folder.path, 'latin1.yaml')}: expected UTF-8`,
    `${join(folder.path, 'utf16.yaml')}: expected UTF-8`,
  ]);
});

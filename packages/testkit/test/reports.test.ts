import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  deleteReports,
  formatTallies,
  listWorkspaces,
  skippedNote,
  summaryLine,
  tallyReports,
} from '../src/reports.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gongji-reports-'));
  write('package.json', { workspaces: ['packages/*'] });
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: unknown): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(content));
}

function addPackage(name: string, scripts: Record<string, string>): void {
  write(`packages/${name}/package.json`, { name: `@repo/${name}`, scripts });
}

const suite = (status: string, ...tests: string[]) => ({
  name: join(root, 'packages/a/test/x.test.ts'),
  status,
  assertionResults: tests.map((state) => ({ status: state })),
});

const tally = () => tallyReports(listWorkspaces(root));

test('tests are counted by their state, per package and script', () => {
  addPackage('a', { 'test:unit': '', typecheck: '' });
  write('packages/a/.report/unit.json', {
    success: false,
    testResults: [suite('failed', 'passed', 'failed', 'skipped'), suite('passed', 'passed', 'todo')],
  });
  expect(tally()).toEqual([
    { workspace: '@repo/a', script: 'test:unit', passed: 2, failed: 1, skipped: 2, problems: [] },
  ]);
});

test('a file that could not be collected is a failure', () => {
  addPackage('a', { 'test:unit': '' });
  write('packages/a/.report/unit.json', { success: false, testResults: [suite('failed')] });
  expect(tally()).toMatchObject([{ passed: 0, failed: 1, problems: ['test/x.test.ts could not be run'] }]);
});

test('a missing report is a failure, and so is an error outside of the tests', () => {
  addPackage('a', { 'test:unit': '', 'test:integration': '' });
  write('packages/a/.report/unit.json', { success: false, testResults: [suite('passed', 'passed')] });
  expect(tally()).toMatchObject([
    { script: 'test:unit', passed: 1, failed: 1, problems: ['failed outside of its tests'] },
    { script: 'test:integration', passed: 0, failed: 1, problems: ['left no report'] },
  ]);
  expect(formatTallies(tally())).toContain('left no report');
});

test('reports of earlier runs are gone before a run', () => {
  addPackage('a', { 'test:unit': '' });
  write('packages/a/.report/unit.json', { success: true, testResults: [] });
  deleteReports(listWorkspaces(root));
  expect(existsSync(join(root, 'packages/a/.report'))).toBe(false);
});

test('the last line keeps its form; skipped tests are named beside it where there are any', () => {
  const counts = { passed: 1, failed: 2, skipped: 3 };
  expect(summaryLine(counts)).toBe('1 passed, 2 failed');
  expect(skippedNote(counts)).toBe(', 3 skipped');
  expect(skippedNote({ ...counts, skipped: 0 })).toBe('');
});

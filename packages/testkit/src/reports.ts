import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** The test scripts of a package; each leaves `.report/<its part after the colon>.json`. */
export const TEST_SCRIPTS = ['test:unit', 'test:integration'] as const;

export interface Workspace {
  readonly name: string;
  readonly directory: string;
  readonly scripts: readonly string[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What one script of one workspace came to, and what went wrong beside single tests. */
export interface Tally extends Counts {
  readonly workspace: string;
  readonly script: string;
  readonly problems: readonly string[];
}

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
}

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

/** The workspaces of the repository, in the order of their paths. */
export function listWorkspaces(root: string): Workspace[] {
  const { workspaces = [] } = readJson<Manifest>(join(root, 'package.json'));
  return workspaces
    .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .sort()
    .map((path) => {
      const { name = path, scripts = {} } = readJson<Manifest>(join(root, path));
      return { name, directory: join(root, dirname(path)), scripts: Object.keys(scripts) };
    });
}

/** Removes the reports of earlier runs, so that only this run's are counted. */
export function deleteReports(workspaces: readonly Workspace[]): void {
  for (const { directory } of workspaces) rmSync(join(directory, '.report'), { recursive: true, force: true });
}

/** Counts every report a workspace's test scripts should have left. A missing one counts as a failure. */
export function tallyReports(workspaces: readonly Workspace[]): Tally[] {
  return workspaces.flatMap(({ name, directory, scripts }) =>
    TEST_SCRIPTS.filter((script) => scripts.includes(script)).map((script) => {
      const path = join(directory, '.report', `${script.slice('test:'.length)}.json`);
      return { workspace: name, script, ...tallyReport(path) };
    }),
  );
}

interface Report {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts one report of vitest. A file that failed without a failed test (it could not be collected, or a hook failed) is
 * one failure, and so is a run that failed although every test passed (an error outside of any test).
 */
function tallyReport(path: string): Counts & { readonly problems: readonly string[] } {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0, problems: ['left no report'] };
  const { success, testResults } = readJson<Report>(path);
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const problems: string[] = [];
  for (const { name, status, assertionResults } of testResults) {
    const file = countTests(assertionResults.map((test) => test.status));
    const broken = status === 'failed' && file.failed === 0;
    if (broken) problems.push(`${relative(dirname(dirname(path)), name) || basename(name)} could not be run`);
    counts = addCounts(counts, broken ? { ...file, failed: 1 } : file);
  }
  if (success || counts.failed > 0) return { ...counts, problems };
  return { ...counts, failed: 1, problems: [...problems, 'failed outside of its tests'] };
}

const countTests = (states: readonly string[]): Counts => ({
  passed: states.filter((state) => state === 'passed').length,
  failed: states.filter((state) => state === 'failed').length,
  skipped: states.filter((state) => state !== 'passed' && state !== 'failed').length,
});

export const addCounts = (left: Counts, right: Counts): Counts => ({
  passed: left.passed + right.passed,
  failed: left.failed + right.failed,
  skipped: left.skipped + right.skipped,
});

/** `12 passed, 0 failed`: in this form alone, for whoever reads the last line. */
export const summaryLine = ({ passed, failed }: Counts): string => `${passed} passed, ${failed} failed`;

/** Tests that this machine cannot run, such as those that need containers; empty where there are none. */
export const skippedNote = ({ skipped }: Counts): string => (skipped > 0 ? `, ${skipped} skipped` : '');

/** A table with a line per script that had tests, and the problems that are not single tests. */
export function formatTallies(tallies: readonly Tally[]): string {
  const shown = tallies.filter((tally) => tally.passed + tally.failed + tally.skipped > 0);
  const width = Math.max(...shown.map(({ workspace }) => workspace.length), 0);
  return shown
    .flatMap((tally) => [
      `${tally.workspace.padEnd(width)}  ${tally.script.padEnd('test:integration'.length)}  ${summaryLine(tally)}${skippedNote(tally)}`,
      ...tally.problems.map((problem) => `${''.padEnd(width)}  ${problem}`),
    ])
    .join('\n');
}

/** `npm test`: every test of every package, on servers started once for all of them. The last line counts them. */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onStopRequest, StartFailure } from '@repo/embedded';
import {
  addCounts,
  type Counts,
  deleteReports,
  formatTallies,
  listWorkspaces,
  summaryLine,
  TEST_SCRIPTS,
  tallyReports,
} from './reports.ts';
import { provideServers, type TestServers } from './servers.ts';

/** A run that could not begin is one failure, never a green nothing. */
const NO_TEST_RAN: Counts = { passed: 0, failed: 1, skipped: 0 };
const root = fileURLToPath(new URL('../../..', import.meta.url));
process.exitCode = await run(process.argv.slice(2));

/** Runs the tests and answers the exit code. Arguments go to turbo, e.g. `--filter=@repo/ledger`. */
async function run(turboArgs: readonly string[]): Promise<number> {
  const workspaces = listWorkspaces(root);
  deleteReports(workspaces);
  const started = performance.now();
  let servers: TestServers;
  try {
    servers = await provideServers(process.env, (line) => console.log(line));
  } catch (error) {
    console.log(
      `${error instanceof StartFailure ? error.message : (error as Error).stack}\n\n${summaryLine(NO_TEST_RAN)}`,
    );
    return 1;
  }
  console.log(`servers ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  let code: number;
  try {
    const environment = { ...process.env, TEST_DATABASE_URL: servers.databaseUrl, TEST_KAFKA_BROKERS: servers.brokers };
    code = await runTurbo(turboArgs, environment);
  } finally {
    await servers.stop();
  }
  // A filter leaves packages out on purpose; their missing reports say nothing.
  const tallies = tallyReports(workspaces).filter(
    ({ problems }) => turboArgs.length === 0 || !problems.includes('left no report'),
  );
  const total = tallies.reduce(addCounts, { passed: 0, failed: 0, skipped: 0 });
  const unexplained = code !== 0 && total.failed === 0;
  console.log(`\n${formatTallies(tallies)}`);
  if (unexplained) console.log(`turbo ended with code ${code} although no test failed`);
  console.log(`\n${summaryLine(unexplained ? { ...total, failed: 1 } : total)}`);
  return code !== 0 || total.failed > 0 ? 1 : 0;
}

/** One package at a time: they share the servers and two cores. All of them run, whatever fails. */
function runTurbo(turboArgs: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(
    join(bin, 'turbo'),
    ['run', ...TEST_SCRIPTS, '--concurrency=1', '--continue=always', ...turboArgs],
    {
      cwd: root,
      env: { ...environment, PATH: `${bin}${delimiter}${environment.PATH}` },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  onStopRequest({
    stop: (signal) => child.kill(signal),
    stopAtOnce: () => process.exit(130),
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}

/** `npm test`: every test of every package, on servers started once for all of them. The last line counts them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onStopRequest, StartFailure } from '@repo/embedded';
import { keepOutput, searchOutput } from './output.ts';
import { PEOPLE_FILE } from './personal.ts';
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
  const folder = mkdtempSync(join(tmpdir(), 'gongji-run-'));
  const [people, output] = [join(folder, 'people'), join(folder, 'output')];
  writeFileSync(people, '');
  let code: number;
  let named: ReturnType<typeof searchOutput>;
  try {
    const environment = {
      ...process.env,
      TEST_DATABASE_URL: servers.databaseUrl,
      TEST_KAFKA_BROKERS: servers.brokers,
      [PEOPLE_FILE]: people,
    };
    code = await runTurbo(turboArgs, environment, output);
    named = searchOutput(people, output);
  } finally {
    await servers.stop();
    rmSync(folder, { recursive: true });
  }
  // A filter leaves packages out on purpose; their missing reports say nothing.
  const tallies = tallyReports(workspaces).filter(
    ({ problems }) => turboArgs.length === 0 || !problems.includes('left no report'),
  );
  const isNamed = named.lines.length > 0;
  const total = tallies.reduce(addCounts, { passed: isNamed ? 0 : 1, failed: isNamed ? 1 : 0, skipped: 0 });
  const unexplained = code !== 0 && total.failed === 0;
  console.log(`\n${formatTallies(tallies)}`);
  const where = isNamed ? `names some in lines ${named.lines.slice(0, 20).join(', ')}` : 'names none';
  console.log(`of ${named.people} names and numbers of people they made up, the output of all tests ${where}`);
  if (unexplained) console.log(`turbo ended with code ${code} although no test failed`);
  console.log(`\n${summaryLine(unexplained ? { ...total, failed: 1 } : total)}`);
  return code !== 0 || total.failed > 0 ? 1 : 0;
}

/** One package at a time: they share the servers and two cores. All of them run, whatever fails. What they print is kept in a file too. */
async function runTurbo(turboArgs: readonly string[], environment: NodeJS.ProcessEnv, output: string): Promise<number> {
  const bin = join(root, 'node_modules', '.bin');
  // Of a terminal turbo sees only our pipe.
  const child = spawn(
    join(bin, 'turbo'),
    ['run', ...TEST_SCRIPTS, '--concurrency=1', '--continue=always', ...turboArgs],
    {
      cwd: root,
      env: {
        ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
        ...environment,
        PATH: `${bin}${delimiter}${environment.PATH}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const kept = keepOutput(child, output);
  onStopRequest({
    stop: (signal) => child.kill(signal),
    stopAtOnce: () => process.exit(130),
  });
  const [code] = (await once(child, 'close')) as [number | null];
  await kept;
  return code ?? 1;
}

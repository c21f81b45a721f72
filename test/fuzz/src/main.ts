import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Range, Result } from './result.ts';
import { runInThread } from './run.ts';
import { openSystem, PREFIX } from './system.ts';
import { feedHttp } from './targets/http.ts';
import { feedTopics } from './targets/topics.ts';

const HELP = `Usage: npm run fuzz -- [options]

Feeds hostile inputs to the decoders, the policy loader, the HTTP interface and the input topics, and ends with a table; with exit code 1
where one of them crashed, hung, took too long or was answered otherwise than promised.

  --inputs N   how many (100000), shared out among the targets
  --seed N     which (a random one, printed)
  --only NAME  one target: decoders, policies, http or topics
  --from N     the number of the first input; with --only, --seed and --inputs 1 one input is made again
  --slow-ms N  processor time that one input of decoders and policies may take (3000)
  --hang-s N   how long one input of them may take by the clock (120)`;

/** Out of a hundred inputs. Those that need the whole system take a hundred times as long as those that do not. */
const SHARES = { decoders: 80, policies: 10, http: 8, topics: 2 } as const;
type Name = keyof typeof SHARES;
const NAMES = Object.keys(SHARES) as Name[];
const PROGRESS_EVERY_MS = 5_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    from: { type: 'string', default: '0' },
    'slow-ms': { type: 'string', default: '3000' },
    'hang-s': { type: 'string', default: '120' },
    help: { type: 'boolean', default: false },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
if (values.help) console.log(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
  const chosen = NAMES.filter((name) => values.only === undefined || values.only === name);
  if (chosen.length === 0) {
    console.error(`--only: expected one of ${NAMES.join(', ')}`);
    return 2;
  }
  console.log(`seed ${seed}`);
  const results: Result[] = [];
  const rangeOf = (name: Name): Range => {
    const share = values.only === undefined ? SHARES[name] / 100 : 1;
    const inputs = Math.ceil(Number(values.inputs) * share);
    return { seed, from: Number(values.from), inputs, onProgress: progressOf(name, inputs) };
  };
  for (const name of chosen)
    if (name === 'decoders' || name === 'policies') results.push(await feedInThread(name, rangeOf(name)));
  if (chosen.some((name) => name === 'http' || name === 'topics')) results.push(...(await feedSystem(chosen, rangeOf)));
  console.log(`\n${tableOf(results)}`);
  const findings = results.flatMap((result) => result.findings);
  for (const { target, input, what } of findings) {
    console.log(`\n${target} ${input}: ${what}`);
    console.log(
      `  again: npm run fuzz -- --only ${target} --seed ${seed} --from ${input} --inputs ${target === 'topics' ? 2000 : 1}`,
    );
  }
  return findings.length > 0 ? 1 : 0;
}

function feedInThread(name: 'decoders' | 'policies', range: Range): Promise<Result> {
  return runInThread({
    ...range,
    target: name,
    module: new URL(`./targets/${name}.ts`, import.meta.url),
    slowMs: Number(values['slow-ms']),
    hangMs: Number(values['hang-s']) * 1_000,
  });
}

/** Records first, so that the HTTP interface has something to tell of. */
async function feedSystem(chosen: readonly Name[], rangeOf: (name: Name) => Range): Promise<Result[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gongji-fuzz-'));
  const system = await openSystem({ dataDir, log: (line) => console.error(line) });
  const results: Result[] = [];
  try {
    if (chosen.includes('topics')) results.push(await feedTopics(system, PREFIX, rangeOf('topics')));
    if (chosen.includes('http')) results.push(await feedHttp(system.http, rangeOf('http')));
  } finally {
    await system.stop();
  }
  if (results.every(({ findings }) => findings.length === 0)) rmSync(dataDir, { recursive: true });
  else console.log(`logs and data are kept in ${dataDir}`);
  return results;
}

/** A line every few seconds: how many, how fast, how long still. */
function progressOf(name: string, inputs: number): (done: number) => void {
  const startedAt = performance.now();
  let toldAt = startedAt;
  return (done) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = now;
    const rate = done / ((now - startedAt) / 1000);
    const left = rate > 0 ? `${Math.ceil((inputs - done) / rate)} s left` : 'not begun';
    console.error(`${name.padEnd(9)} ${String(done).padStart(8)} of ${inputs}, ${Math.round(rate)}/s, ${left}`);
  };
}

function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ target, inputs, seconds, slowestMs, slowest, findings }) =>
    [target, inputs, seconds.toFixed(0), slowestMs.toFixed(1), slowest, findings.length].map(String),
  );
  const head = ['target', 'inputs', 'seconds', 'slowest ms', 'its number', 'findings'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  ')).join('\n');
}

import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { brokerBytes, cpuSeconds, peakRss } from './cost.ts';
import { type Bench, withFullTopic } from './measure.ts';
import type { Run } from './pipelines.ts';
import { openServers } from './servers.ts';
import { FAMILY_SIZE, makeFamilies } from './workload.ts';

const HELP = `npm run simulate -w @repo/bench -- [--claims N] [--runs N] [--json]

How long \`gongji simulate\` takes over claims that the settlement worker has settled, and how much memory, and what a claim takes of its
topic. Six claims a family of five, as in the benchmark; 300000 claims unless told otherwise. With --json the last line is one JSON object.
SIMULATE_NODE_FLAGS adds to the flags of the command that is measured.
`;

const PARTITIONS = 6;
const CLAIMS_A_FAMILY = 6;
const LOOK_AT_MS = 100;
const GONGJI = new URL('../../../services/cli/src/main.ts', import.meta.url).pathname;

interface Measured {
  readonly seconds: number;
  readonly claimsPerSecond: number;
  readonly peakRssBytes: number;
  /** Of the command alone: others on the machine hardly change it. */
  readonly cpuSeconds: number;
}

/** Runs the command as its user would, over all days there are. */
async function measureSimulate(run: Run, claims: number): Promise<Measured> {
  const env = {
    ...process.env,
    GONGJI_KAFKA_BROKERS: run.brokers,
    GONGJI_DATABASE_URL: run.databaseUrl,
    GONGJI_TOPIC_PREFIX: run.prefix,
    GONGJI_PARTITIONS: String(run.partitions),
  };
  const flags = process.env.SIMULATE_NODE_FLAGS?.split(' ') ?? [];
  const days = ['--from', '2025-03-10', '--to', '2025-12-31'];
  const begun = performance.now();
  const child = spawn(process.execPath, [...flags, GONGJI, 'simulate', ...days, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
  });
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  let [peakRssBytes, used] = [0, 0];
  const looking = setInterval(() => {
    // Of a process that has just ended there is no memory any more.
    if (child.exitCode !== null || child.pid === undefined) return;
    peakRssBytes = Math.max(peakRssBytes, peakRss(child.pid) || 0);
    used = cpuSeconds(child.pid);
  }, LOOK_AT_MS);
  const code = await ended.finally(() => clearInterval(looking));
  const seconds = (performance.now() - begun) / 1_000;
  const report = JSON.parse(printed || '{}') as { readonly replayed?: number; readonly reproduced?: number };
  // A replay that differs from the ledger is not what is to be measured.
  if (code !== 0 || report.replayed !== claims || report.reproduced !== claims)
    throw new Error(`simulate ended with ${code}, ${report.reproduced} of ${report.replayed} claims as they were`);
  return { seconds, claimsPerSecond: claims / seconds, peakRssBytes, cpuSeconds: used };
}

function measure(bench: Bench, { count, runs }: { readonly count: number; readonly runs: number }) {
  const { servers, progress } = bench;
  return withFullTopic(bench, 'product', count, async ({ run, start, answered }) => {
    const { prefix } = run;
    await using pipeline = start();
    await answered(count, [pipeline]);
    await pipeline.stop();
    const measured: Measured[] = [];
    for (let nth = 1; nth <= runs; nth += 1) {
      progress(`simulate, run ${nth} of ${runs}`);
      measured.push(await measureSimulate(run, count));
    }
    const topics = [`${prefix}.claims.v1`];
    const topicBytes = servers.brokerDir === undefined ? null : brokerBytes(servers.brokerDir, topics) / count;
    return { claims: count, topicBytes, runs: measured };
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      claims: { type: 'string', default: '300000' },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const [count, runs] = [Number(values.claims), Number(values.runs)];
  if (![count, runs].every((number) => Number.isSafeInteger(number) && number > 0))
    throw new Error('--claims and --runs must be whole numbers from 1');
  const progress = (line: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`));
  await using servers = await openServers(progress);
  const families = makeFamilies(1, Math.ceil(count / CLAIMS_A_FAMILY));
  const bench = { servers, town: 'usual', families, patients: families, partitions: PARTITIONS, seed: 1, progress };
  const result = await measure(bench, { count, runs });
  console.log(`${count} claims, ${families.length * FAMILY_SIZE} people`);
  for (const { seconds, claimsPerSecond, peakRssBytes, cpuSeconds: used } of result.runs)
    console.log(
      `simulate: ${seconds.toFixed(1)} s (processor ${used.toFixed(1)} s), ${Math.round(claimsPerSecond)} claims/s, at most ${Math.round(peakRssBytes / 2 ** 20)} MiB`,
    );
  if (result.topicBytes !== null) console.log(`a claim takes ${Math.round(result.topicBytes)} bytes of its topic`);
  if (values.json) console.log(JSON.stringify(result));
}

await main();

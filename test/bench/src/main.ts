import { parseArgs } from 'node:util';
import { type ArrearsRun, measureArrears } from './arrears.ts';
import { record, toRecord } from './history.ts';
import { type Bench, type Latency, measureLatency, measureThroughput, type Throughput } from './measure.ts';
import { measureRates } from './rates.ts';
import { renderTable, summarise } from './report.ts';
import { type Idle, measureIdle, measureScenarios, type Scenario, type ScenarioName } from './scenarios.ts';
import { openServers } from './servers.ts';
import { SOAK_SECONDS_MIN, type Soak, soak } from './soak.ts';
import { TOWN_UNIT } from './town.ts';
import { measureWorkers } from './workers.ts';
import { makeFamilies } from './workload.ts';

const HELP = `npm run bench -- [options]

  --json            end with one line of JSON
  --claims N        claims in the full topic (60000)
  --rate N          claims per second for the latency (500)
  --seconds N       how long that rate is held, or a full topic with fullLoad (20)
  --rounds N        how often each measurement is repeated (3)
  --only NAME,…     measure these of plain, bare, product, echo (these four by default), latency, workers, idle,
                    contention, accounts, relatives, ledger, arrears, steadyLoad, fullLoad
  --payers N        persons of an arrears check, in steps of 10,000 (1000000)
  --accounts N      accounts of the large town (1000000)
  --settlements N   that the large ledger begins with (2000000)
  --seed N          of the families and claims (1)
  --record          keep what was found in test/bench/results, draw it there, and say what changed
`;

const PARTITIONS = 6;
const WARM_UP_CLAIMS = 30_000;
const BROKER_WARM_UP_SECONDS = 10;
const IDLE_SECONDS = 30;
/** What is compared with what. */
const TOWNS = {
  contention: ['usual', 'contention'],
  accounts: ['usual', 'accounts'],
  ledger: ['usual', 'ledger'],
  relatives: ['relatives1', 'relatives4', 'relatives12'],
} as const satisfies Record<string, readonly ScenarioName[]>;
const THROUGHPUT_NAMES = ['plain', 'bare', 'product'] as const;
const PIPELINE_NAMES = [...THROUGHPUT_NAMES, 'echo'] as const;
const TOWN_NAMES = Object.keys(TOWNS) as (keyof typeof TOWNS)[];
const NAMES = [
  ...PIPELINE_NAMES,
  ...TOWN_NAMES,
  'latency',
  'workers',
  'idle',
  'arrears',
  'steadyLoad',
  'fullLoad',
] as const;

function readOptions() {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      claims: { type: 'string', default: '60000' },
      rate: { type: 'string', default: '500' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: 'plain,bare,product,echo' },
      payers: { type: 'string', default: '1000000' },
      accounts: { type: 'string', default: '1000000' },
      settlements: { type: 'string', default: '2000000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const count = (name: 'claims' | 'rate' | 'seconds' | 'rounds' | 'payers' | 'accounts' | 'settlements' | 'seed') => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1`);
    return value;
  };
  const only = values.only.split(',').map((text) => {
    const name = NAMES.find((known) => known === text);
    if (name === undefined) throw new Error(`--only takes ${NAMES.join(', ')}`);
    return name;
  });
  const isSoaked = only.includes('steadyLoad') || only.includes('fullLoad');
  if (isSoaked && count('seconds') < SOAK_SECONDS_MIN)
    throw new Error(`--seconds must be at least ${SOAK_SECONDS_MIN} with steadyLoad and fullLoad`);
  const payers = count('payers');
  if (payers % TOWN_UNIT !== 0) throw new Error(`--payers must be a multiple of ${TOWN_UNIT}`);
  return {
    json: values.json,
    record: values.record,
    help: values.help,
    claims: count('claims'),
    rate: count('rate'),
    seconds: count('seconds'),
    rounds: count('rounds'),
    payers,
    accounts: count('accounts'),
    settlements: count('settlements'),
    seed: count('seed'),
    only,
  };
}

type Options = ReturnType<typeof readOptions>;

async function measureAll(bench: Bench, options: Options) {
  const { only, payers, rate } = options;
  // Uncounted: a broker that has just started still compiles itself, a pipeline what it runs, and the first to be measured would pay for it.
  if (only.some((name) => name !== 'idle' && name !== 'arrears'))
    for (const name of THROUGHPUT_NAMES)
      if (name === 'product' || only.includes(name)) await measureThroughput(bench, name, WARM_UP_CLAIMS);
  const compared = PIPELINE_NAMES.some((name) => only.includes(name))
    ? await comparePipelines(bench, options)
    : { throughput: { plain: [], bare: [], product: [] }, latency: { echo: [], product: [] } };
  const rates = only.includes('latency') ? await measureRates(bench, options) : [];
  // Twice as many claims: until the workers have shared the partitions, one may have them all.
  const workers = only.includes('workers')
    ? await measureWorkers(bench, { ...options, claims: 2 * options.claims })
    : [];
  const names = [...new Set(TOWN_NAMES.filter((name) => only.includes(name)).flatMap((name) => [...TOWNS[name]]))];
  const scenarios: Scenario[] = await measureScenarios(bench, { ...options, past: options.settlements, names });
  const idle: Idle | undefined = only.includes('idle') ? await measureIdle(bench, IDLE_SECONDS) : undefined;
  const arrears: ArrearsRun[] = only.includes('arrears')
    ? await measureArrears({ ...bench, payers, perSecond: rate })
    : [];
  const soaks: Soak[] = [];
  if (only.includes('fullLoad')) soaks.push(await soak(bench, { seconds: options.seconds }));
  if (only.includes('steadyLoad')) soaks.push(await soak(bench, { seconds: options.seconds, perSecond: rate }));
  return { ...compared, rates, workers, scenarios, idle, arrears, soaks };
}

/** Takes turns, so that a disturbance of the machine falls on all alike. */
async function comparePipelines(bench: Bench, { claims, rate, seconds, rounds, only }: Options) {
  const throughput = { plain: [] as Throughput[], bare: [] as Throughput[], product: [] as Throughput[] };
  const latency = { echo: [] as Latency[], product: [] as Latency[] };
  // The broker is warmed up, too.
  await measureLatency(bench, 'echo', { perSecond: rate, seconds: BROKER_WARM_UP_SECONDS });
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of THROUGHPUT_NAMES) {
      if (!only.includes(name)) continue;
      const result = await measureThroughput(bench, name, claims);
      throughput[name].push(result);
      const disturbed = `${(100 * result.disturbance).toFixed(0)} % of the machine used by others`;
      console.log(
        `round ${round}  ${name.padEnd(8)} ${result.claimsPerSecond.toFixed(0).padStart(7)} claims/s, ${disturbed}`,
      );
    }
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of ['echo', 'product'] as const) {
      if (!only.includes(name)) continue;
      const result = await measureLatency(bench, name, { perSecond: rate, seconds });
      latency[name].push(result);
      console.log(
        `round ${round}  ${name.padEnd(8)} p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms at ${rate} claims/s`,
      );
    }
  }
  return { throughput, latency };
}

/** One line that is overwritten on a terminal; elsewhere only a change of activity is a line. */
function progressTo(stream: NodeJS.WriteStream): (line: string) => void {
  if (stream.isTTY) return (line) => void stream.write(`\r\x1b[K${line}`);
  let last = '';
  return (line) => {
    const activity = line.replace(/\d+/g, '');
    if (activity !== last) stream.write(`${line}\n`);
    last = activity;
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  const progress = progressTo(process.stderr);
  progress('starting PostgreSQL and Kafka');
  await using servers = await openServers(progress);
  const families = makeFamilies(options.seed);
  const bench = {
    servers,
    town: 'usual',
    families,
    patients: families,
    partitions: PARTITIONS,
    seed: options.seed,
    progress,
  };
  const results = await Promise.race([measureAll(bench, options), interrupted]);
  const { json, record: isKept, help: _, ...shown } = options;
  const summary = summarise(results, shown);
  console.log(renderTable(summary).join('\n'));
  if (isKept) console.log(record(toRecord(summary), summary.soaks).join('\n'));
  if (json) console.log(JSON.stringify(summary));
}

// Ends the process with whatever an interrupted measurement still had open; its pipeline ends with its IPC channel.
await main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

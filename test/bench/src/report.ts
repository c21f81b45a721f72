import { cpus, loadavg, totalmem } from 'node:os';
import type { ArrearsRun, ClaimsWindow } from './arrears.ts';
import { processorSeconds } from './cost.ts';
import type { Latency, Throughput } from './measure.ts';
import type { Rate } from './rates.ts';
import type { Idle, Scenario, ScenarioName } from './scenarios.ts';
import { growth, MEGABYTES_MAX, peakMegabytes, type Soak } from './soak.ts';
import type { WorkersRun } from './workers.ts';

/** Below this the plain pipeline itself was disturbed, or is not what it is meant to be, and a ratio to it says nothing. */
const PLAIN_MIN = 14_000;

export interface Results {
  readonly throughput: Readonly<Record<'plain' | 'bare' | 'product', readonly Throughput[]>>;
  readonly latency: Readonly<Record<'echo' | 'product', readonly Latency[]>>;
  readonly rates?: readonly Rate[];
  readonly workers?: readonly WorkersRun[];
  readonly scenarios?: readonly Scenario[];
  readonly idle?: Idle | undefined;
  readonly arrears?: readonly ArrearsRun[];
  readonly soaks?: readonly Soak[];
}

/** The middle value, or the mean of the two in the middle; undefined of nothing. */
function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** The worst of several; undefined of none. */
const worst = (values: readonly number[], of: (...values: number[]) => number) =>
  values.length === 0 ? undefined : of(...values);

const ratio = (part: number | undefined, whole: number | undefined) =>
  part === undefined || whole === undefined ? undefined : part / whole;

function summariseThroughput(runs: readonly Throughput[]) {
  const rates = runs.map(({ claimsPerSecond }) => claimsPerSecond);
  const names = Object.keys(runs[0]?.costs ?? {});
  const perClaim = Object.fromEntries(
    names.map((name) => [name, median(runs.map(({ costs }) => costs[name] ?? Number.NaN)) ?? Number.NaN]),
  );
  const cpuSecondsPerClaim = runs.length === 0 ? undefined : processorSeconds(perClaim);
  const disturbances = runs.map(({ disturbance }) => disturbance);
  const peakRssBytes = worst(
    runs.map((run) => run.peakRssBytes),
    Math.max,
  );
  return { claimsPerSecond: median(rates), runs: rates, disturbances, cpuSecondsPerClaim, peakRssBytes, perClaim };
}

function summariseLatency(runs: readonly Latency[]) {
  const of = (name: 'p50' | 'p90' | 'p99' | 'max') => median(runs.map((run) => run[name]));
  return { p50: of('p50'), p90: of('p90'), p99: of('p99'), max: of('max'), runs };
}

/** The claims' rate during a check as a part of their rate before and after it. */
const claimsKept = ({ before, during, after }: ArrearsRun): number =>
  (2 * during.claimsPerSecond) / (before.claimsPerSecond + after.claimsPerSecond);

/** The product's p99 at one rate, of the echo's, round by round and of the medians. */
function compareAt({ name, perSecond, echo, product }: Rate) {
  const [floor, ours] = [summariseLatency(echo), summariseLatency(product)];
  const p99s = (runs: readonly Latency[]) => runs.map(({ p99 }) => p99);
  return {
    ...{ name, perSecond, echo: floor, product: ours },
    p99Ratio: ratio(ours.p99, floor.p99),
    p99Ratios: ratios(p99s(product), p99s(echo)),
    othersMax: othersMax([...echo, ...product]),
  };
}

/** The most that others took of the machine in any of these runs, in processors: where it is much, look at nothing else. */
const othersMax = (runs: readonly Pick<Latency, 'processors'>[]) =>
  worst(
    runs.map(({ processors }) => processors.others ?? 0),
    Math.max,
  );

/** One and two workers at each place. */
function compareWorkers(runs: readonly WorkersRun[]) {
  const ratesOf = (workers: WorkersRun['workers'], { delayMs, share }: Pick<WorkersRun, 'delayMs' | 'share'>) =>
    runs
      .filter((run) => run.workers === workers && run.delayMs === delayMs && run.share === share)
      .map(({ claimsPerSecond }) => claimsPerSecond);
  const near = median(ratesOf(1, { delayMs: 0 }));
  const places = new Map(runs.map(({ delayMs, share }) => [`${delayMs} ${share}`, { delayMs, share }]));
  return [...places.values()].map(({ delayMs, share }) => {
    const place = { delayMs, ...(share !== undefined && { share }) };
    const [one, two] = [ratesOf(1, place), ratesOf(2, place)];
    return {
      ...{ ...place, one, two },
      ratio: ratio(median(two), median(one)),
      ratios: ratios(two, one),
      /** What the place leaves of one worker's rate near the database. */
      kept: ratio(median(one), near),
      othersMax: othersMax(runs.filter((run) => run.delayMs === delayMs && run.share === share)),
    };
  });
}

/** The claims' p99 during a check, of the mean of before and after it: what drifts meanwhile is not charged to the check, nor does it excuse it. */
const p99During = ({ before, during, after }: ArrearsRun): number | undefined =>
  before.p99 === undefined || during.p99 === undefined || after.p99 === undefined
    ? undefined
    : (2 * during.p99) / (before.p99 + after.p99);

/** The other towns beside the usual one. Costs are compared by processor time, which hardly moves when others use the machine. */
function summariseScenarios(scenarios: readonly Scenario[]) {
  const all = (of: (scenario: Scenario) => readonly number[]) => (name: ScenarioName) =>
    scenarios.filter((each) => each.name === name).flatMap(of);
  const rates = all(({ claimsPerSecond }) => claimsPerSecond);
  const costs = all((scenario) => scenario.costs.map(processorSeconds));
  const recoveries = all(({ recoverySeconds }) => recoverySeconds);
  const besideUsual = (of: typeof rates, name: ScenarioName) => ({
    value: ratio(median(of(name)), median(of('usual'))),
    runs: ratios(of(name), of('usual')),
  });
  const [one, four, twelve] = (['relatives1', 'relatives4', 'relatives12'] as const).map((name) => median(costs(name)));
  const early = one === undefined || four === undefined ? undefined : (four - one) / 3;
  const late = four === undefined || twelve === undefined ? undefined : (twelve - four) / 8;
  return {
    runs: scenarios,
    /** Claims/s where a thousand patients share a payer, of the usual rate. */
    contended: besideUsual(rates, 'contention'),
    /** Processor time per claim among many accounts, of the usual. */
    accountsCost: besideUsual(costs, 'accounts'),
    /** Processor time of a relative from the fifth on, of one before. */
    relativesCost: ratio(late, early),
    /** Processor time per claim on a large ledger, of that on an empty one. */
    ledgerCost: besideUsual(costs, 'ledger'),
    /** Time to recover from a kill, likewise. */
    ledgerRecovery: besideUsual(recoveries, 'ledger'),
    deadlocks: scenarios.length === 0 ? undefined : scenarios.reduce((sum, { deadlocks }) => sum + deadlocks, 0),
  };
}

/** All that one machine keeps busy for a system in which nothing happens. */
const idleProcessors = ({ settlementWorker, sharingWorker, database, broker = 0 }: Idle): number =>
  settlementWorker + sharingWorker + database + broker;

/** What is wanted of a measure and what was found, `runs` round by round; `met` is absent where it was not measured. */
export interface Target {
  readonly value: number | undefined;
  readonly target: number;
  readonly wanted: 'at least' | 'at most';
  readonly met?: boolean;
  readonly runs: readonly number[];
  /** How large was what it was measured on, where that is chosen: accounts of the large town, settlements of the large ledger. */
  readonly of?: number;
}

const judge =
  (wanted: Target['wanted']) =>
  (value: number | undefined, target: number, runs: readonly number[] = [], of?: number): Target => ({
    value,
    target,
    wanted,
    ...(value === undefined ? {} : { met: wanted === 'at least' ? value >= target : value <= target }),
    runs,
    ...(of !== undefined && { of }),
  });
const atLeast = judge('at least');
const atMost = judge('at most');

/** Round by round, since the runs of one round took turns. */
const ratios = (parts: readonly number[], wholes: readonly number[]): number[] =>
  parts.flatMap((part, round) => ratio(part, wholes[round]) ?? []);

/** Everything the benchmark found, as the one JSON object it ends with. */
export function summarise(
  results: Results,
  options: Readonly<Record<string, unknown>> & { readonly accounts?: number; readonly settlements?: number },
) {
  const { accounts, settlements } = options;
  const plain = summariseThroughput(results.throughput.plain);
  const bare = summariseThroughput(results.throughput.bare);
  const product = summariseThroughput(results.throughput.product);
  const echo = summariseLatency(results.latency.echo);
  const settled = summariseLatency(results.latency.product);
  const digests = new Set(Object.values(results.throughput).flatMap((runs) => runs.map(({ digest }) => digest)));
  const rateRatio = ratio(product.claimsPerSecond, plain.claimsPerSecond);
  const p99Ratio = ratio(settled.p99, echo.p99);
  const { arrears = [], idle, soaks = [] } = results;
  const scenarios = summariseScenarios(results.scenarios ?? []);
  const kept = arrears.map(claimsKept);
  const rates = (results.rates ?? []).map(compareAt);
  const [half, slow] = [rates.find(({ name }) => name === 'half'), rates.find(({ name }) => name === 'slow')];
  const workers = compareWorkers(results.workers ?? []);
  const distant = workers.find(({ delayMs, share }) => delayMs === 5 && share === undefined);
  return {
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      load: loadavg(),
    },
    options,
    // The target is the ratio to the plain pipeline. Those of processor time hardly move when others use the machine.
    throughput: {
      plain,
      bare,
      product,
      ratio: rateRatio,
      cpuRatio: ratio(plain.cpuSecondsPerClaim, product.cpuSecondsPerClaim),
      ratioToBare: ratio(product.claimsPerSecond, bare.claimsPerSecond),
      cpuRatioToBare: ratio(bare.cpuSecondsPerClaim, product.cpuSecondsPerClaim),
      sameOutcomes: digests.size <= 1,
    },
    latencyMs: { echo, product: settled, p99Ratio },
    rates,
    workers: { compared: workers, runs: results.workers ?? [] },
    scenarios,
    idle,
    arrears,
    soaks,
    targets: {
      baselineCounts: atLeast(plain.claimsPerSecond, PLAIN_MIN, plain.runs),
      ratio: atLeast(rateRatio, 0.7, ratios(product.runs, plain.runs)),
      claimsPerSecond: atLeast(product.claimsPerSecond, 5_000, product.runs),
      p99Ratio: atMost(
        p99Ratio,
        2,
        ratios(
          settled.runs.map(({ p99 }) => p99),
          echo.runs.map(({ p99 }) => p99),
        ),
      ),
      halfRateP99Ratio: atMost(half?.p99Ratio, 1.5, half?.p99Ratios),
      slowP99Ratio: atMost(slow?.p99Ratio, 1.5, slow?.p99Ratios),
      twoWorkers: atLeast(distant?.ratio, 1.5, distant?.ratios),
      contended: atLeast(scenarios.contended.value, 0.5, scenarios.contended.runs),
      deadlocks: atMost(scenarios.deadlocks, 0),
      accountsCost: atMost(scenarios.accountsCost.value, 1.2, scenarios.accountsCost.runs, accounts),
      relativesCost: atMost(scenarios.relativesCost, 1.2),
      ledgerCost: atMost(scenarios.ledgerCost.value, 1.2, scenarios.ledgerCost.runs, settlements),
      ledgerRecovery: atMost(scenarios.ledgerRecovery.value, 1.2, scenarios.ledgerRecovery.runs, settlements),
      idleProcessors: atMost(idle === undefined ? undefined : idleProcessors(idle), 0.2),
      peakRssMegabytes: atMost(
        product.peakRssBytes === undefined ? undefined : product.peakRssBytes / 1e6,
        MEGABYTES_MAX,
      ),
      loadedRssMegabytes: atMost(worst(soaks.map(peakMegabytes), Math.max), MEGABYTES_MAX),
      rssGrowth: atMost(
        worst(
          soaks.map(({ rssBytes }) => growth(rssBytes)),
          Math.max,
        ),
        1.05,
      ),
      arrearsSeconds: atMost(
        worst(
          arrears.map(({ seconds }) => seconds),
          Math.max,
        ),
        180,
      ),
      claimsKeptDuringArrears: atLeast(worst(kept, Math.min), 0.8),
      p99DuringArrears: atMost(
        worst(
          arrears.flatMap((run) => p99During(run) ?? []),
          Math.max,
        ),
        1.5,
      ),
    },
  };
}

const show = (value: number | undefined, digits: number) =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits);

/** What a claim costs in all and in parts, each the middle of its rounds, in words. */
function partsOf(costs: readonly Throughput['costs'][]): string {
  const middle = (name: string) => median(costs.flatMap((each) => each[name] ?? []));
  const microseconds = (name: string) => show((middle(`${name}CpuSeconds`) ?? Number.NaN) * 1e6, 0);
  const all = show((median(costs.map(processorSeconds)) ?? Number.NaN) * 1e6, 0);
  return `${all} µs of processor a claim (worker ${microseconds('worker')}, database ${microseconds('database')}, broker ${microseconds('broker')}), WAL ${show(middle('walBytes'), 0)} bytes, ${show(middle('pagesRead'), 2)} pages read`;
}

function arrearsLines(run: ArrearsRun): string[] {
  const columns = [run.before, run.during, run.after];
  const row = (name: string, values: readonly (number | undefined)[], digits: number) =>
    `  ${name.padEnd(28)}${values.map((value) => show(value, digits).padStart(14)).join('')}`;
  const used = Object.keys(run.during.processors) as (keyof ClaimsWindow['processors'])[];
  return [
    `  arrears check beside claims from ${run.stream}: ${show(run.seconds, 1)} s, ${run.events} pauses read`,
    `  ${''.padEnd(28)}${['before', 'during', 'after'].map((name) => name.padStart(14)).join('')}`,
    row(
      'claims/s',
      columns.map(({ claimsPerSecond }) => claimsPerSecond),
      0,
    ),
    ...(run.during.p99 === undefined
      ? []
      : [
          row(
            'p99, ms',
            columns.map(({ p99 }) => p99),
            0,
          ),
        ]),
    ...used.map((name) =>
      row(
        `processors: ${name}`,
        columns.map(({ processors }) => processors[name]),
        2,
      ),
    ),
  ];
}

/** The same for a reader, as lines of text. */
export function renderTable(summary: ReturnType<typeof summarise>): string[] {
  const { throughput, latencyMs, rates, workers, scenarios, idle, arrears, soaks, targets } = summary;
  const row = (name: string, ...columns: readonly string[]) =>
    `  ${name.padEnd(28)}${columns.map((text) => text.padStart(14)).join('')}`;
  const spread = (runs: readonly number[]) => runs.map((rate) => show(rate, 0)).join(' ');
  const sides = ['plain', 'bare', 'product'] as const;
  const costs = [...new Set(sides.flatMap((side) => Object.keys(throughput[side].perClaim)))];
  const costOf = (side: (typeof sides)[number], name: string) => {
    const value = throughput[side].perClaim[name];
    return name.endsWith('CpuSeconds')
      ? show(value === undefined ? undefined : value * 1e6, 1)
      : show(value, name.endsWith('Bytes') ? 0 : 4);
  };
  return [
    row('from a full topic', ...sides),
    row('claims/s (median)', ...sides.map((side) => show(throughput[side].claimsPerSecond, 0))),
    `  runs: ${sides.map((side) => `${side} ${spread(throughput[side].runs)}`).join(' | ')}`,
    `  ratio to plain ${show(throughput.ratio, 2)} (of processor time ${show(throughput.cpuRatio, 2)}), to bare ${show(throughput.ratioToBare, 2)} (${show(throughput.cpuRatioToBare, 2)}); all settled every claim alike: ${throughput.sameOutcomes ? 'yes' : 'NO'}`,
    row('per claim', ...sides),
    ...costs.map((name) =>
      row(name.replace('CpuSeconds', 'Cpu (microseconds)'), ...sides.map((side) => costOf(side, name))),
    ),
    row('ms at a steady rate', 'echo', 'product'),
    ...(['p50', 'p90', 'p99', 'max'] as const).map((name) =>
      row(name, show(latencyMs.echo[name], 1), show(latencyMs.product[name], 1)),
    ),
    `  p99 ratio ${show(latencyMs.p99Ratio, 2)}`,
    ...rates.map(
      ({ perSecond, echo, product, p99Ratio, othersMax }) =>
        `  at ${perSecond} claims/s: p50 ${show(product.p50, 1)} ms beside ${show(echo.p50, 1)} of the echo, p99 ${show(product.p99, 1)} beside ${show(echo.p99, 1)}: ${show(p99Ratio, 2)}; others used up to ${show(othersMax, 2)} processors`,
    ),
    ...workers.compared.map(
      ({ delayMs, share, one, two, ratio, kept, othersMax }) =>
        `  ${delayMs} ms more to the database${share === undefined ? '' : `, ${share} of a processor each`}: one worker ${spread(one)} claims/s (${show(kept, 2)} of that without), two ${spread(two)}: ${show(ratio, 2)}; others used up to ${show(othersMax, 2)} processors`,
    ),
    ...scenarios.runs.map(
      ({ name, claimsPerSecond, costs, recoverySeconds }) =>
        `  town ${name.padEnd(12)} ${show(median(claimsPerSecond), 0).padStart(7)} claims/s (${spread(claimsPerSecond)}), ${partsOf(costs)}${recoverySeconds.length === 0 ? '' : `, ${show(median(recoverySeconds), 1)} s to recover`}`,
    ),
    ...(idle === undefined
      ? []
      : [
          `  processors while idle: ${Object.entries(idle)
            .map(([name, share]) => `${name} ${show(share, 3)}`)
            .join(', ')}`,
        ]),
    ...arrears.flatMap(arrearsLines),
    ...soaks.map(
      ({ stream, seconds, claims, claimsPerSecond, rssBytes }) =>
        `  ${seconds} s of ${stream}: ${claims} claims, ${show(claimsPerSecond, 0)} a second; the worker had ${show(peakMegabytes({ rssBytes }), 0)} MB at most, in the last quarter ${show(growth(rssBytes), 3)} of the second`,
    ),
    ...Object.entries(targets).map(([name, target]) => {
      const verdict = 'met' in target ? (target.met ? 'met' : 'NOT met') : 'not measured';
      return `  target ${name}: ${show(target.value, 2)} against ${target.target}: ${verdict}`;
    }),
  ];
}

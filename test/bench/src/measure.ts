import { createHash } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import {
  brokerBytes,
  type Counters,
  costPerClaim,
  cpuSeconds,
  machineCpuSeconds,
  peakRss,
  processorsBetween,
  readCounters,
  readUsage,
} from './cost.ts';
import { fillTopic, type Outcome, produceSteadily, readOutcomes, stampOutcomes, waitForOutcomes } from './load.ts';
import { enterPast } from './past.ts';
import { makeKafka } from './pipeline.ts';
import { PIPELINES, type PipelineName, type PipelineProcess, type Run, startPipeline } from './pipelines.ts';
import { type BenchServers, execute, queryOne } from './servers.ts';
import { type Claim, type Family, keepOneRich, makeClaims, yuan } from './workload.ts';

/** What every run of one benchmark shares. */
export interface Bench {
  readonly servers: BenchServers;
  /** Names the town that `families` are, each of which is loaded once. */
  readonly town: string;
  readonly families: Iterable<Family>;
  /** The families whose patients have claims. */
  readonly patients: readonly Family[];
  readonly partitions: number;
  /** Settlements of an earlier time that the product's database begins with; default none. */
  readonly past?: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface Throughput {
  readonly claimsPerSecond: number;
  /** Per claim: WAL bytes, rows, statements, fsyncs, CPU seconds and so on. */
  readonly costs: Readonly<Record<string, number>>;
  /** The share of the machine's processors that went to anything but the worker, the servers and us. A disturbed run shows here. */
  readonly disturbance: number;
  /** The most memory that the pipeline's process had, bytes. */
  readonly peakRssBytes: number;
  /** Deadlocks that the database saw. */
  readonly deadlocks: number;
  /** The same for two pipelines that settled the same claims alike. */
  readonly digest: string;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
  /** The most memory that the pipeline's process had, bytes. */
  readonly peakRssBytes: number;
  /** How late the producer was at worst, ms; included in the latencies. */
  readonly producerLateMs: number;
  /** How many processors each kept busy; `bench` produces and reads. */
  readonly processors: Readonly<Record<string, number>>;
}

const READ_DEADLINE_MS = 60_000;
/** A worker that is to be killed in the midst of its work is looked at more often, which costs the broker something. */
const KILL_LOOK_EVERY_MS = 25;
/** What a pipeline settles, as fast as it can and then at the rate, before its latency is measured: as one that has been up for a while. */
const WARM_UP_CLAIMS = 60_000;
const WARM_UP_SECONDS = 5;
let runs = 0;

/** Databases with the families in them, made once per pipeline and town; each run starts from a copy. */
const templates = new Map<string, string>();

/** Makes the database that runs of a pipeline in this town are copies of, unless it is there already; answers its name. */
export async function templateFor(
  { servers, town, families, partitions, past, progress }: Bench,
  name: PipelineName,
): Promise<string | undefined> {
  const { prepareDatabase } = PIPELINES[name];
  const key = `${name}-${town}`;
  const known = templates.get(key);
  if (known !== undefined || prepareDatabase === undefined) return known;
  const template = `bench-${key}-${process.pid}`;
  progress(`${name}: loading the families of the town ${town}`);
  const { url } = await servers.createDatabase(template);
  await prepareDatabase(url, { families, partitions });
  if (past !== undefined) await enterPast(url, { settlements: past, progress });
  await execute(url, 'VACUUM (ANALYZE)');
  templates.set(key, template);
  return template;
}

/** Gives a run topics and a database of its own, and takes the database away afterwards. */
export async function withRun<T>(bench: Bench, name: PipelineName, measure: (run: Run) => Promise<T>): Promise<T> {
  const { servers, partitions } = bench;
  const template = await templateFor(bench, name);
  runs += 1;
  const prefix = `bench-${name}-${process.pid}-${runs}`;
  await using database = await servers.createDatabase(prefix, template);
  const run: Run = { brokers: servers.brokers, databaseUrl: database.url, prefix, partitions };
  await PIPELINES[name].createTopics(run);
  return await measure(run);
}

/** Claims that wait in a topic which nothing has read yet. */
export interface FullTopic {
  readonly run: Run;
  readonly kafka: Kafka;
  /** Starts a process that settles them; by another way to the database, where one is given. */
  start(databaseUrl?: string): PipelineProcess;
  /** Waits until so many were answered, by what the broker has; looks every 250 ms unless told otherwise. */
  answered(wanted: number, by: readonly PipelineProcess[], everyMs?: number): Promise<void>;
  /** The outcomes, once each claim has one. Throws unless each has one only and is divided wholly. */
  readAll(): Promise<readonly Outcome[]>;
}

/** Fills the topic of a run of its own. The broker stamps each outcome when it appends it, so nothing needs to read meanwhile. */
export async function withFullTopic<T>(
  bench: Bench,
  name: 'plain' | 'bare' | 'product',
  count: number,
  measure: (topic: FullTopic) => Promise<T>,
): Promise<T> {
  const { servers, patients, seed, progress } = bench;
  return withRun(bench, name, async (run) => {
    const { prefix } = run;
    const kafka = makeKafka(run.brokers.split(','), 'bench');
    const claims = makeClaims({ seed: seed + 1, count, families: patients, idPrefix: 'C' });
    await stampOutcomes(kafka, prefix);
    progress(`${name}: filling the topic with ${count} claims`);
    await fillTopic(kafka, { prefix, claims });
    await execute(run.databaseUrl, 'CHECKPOINT');
    return await measure({
      run,
      kafka,
      start: (databaseUrl = run.databaseUrl) => startPipeline(name, { ...run, databaseUrl }, servers.workDir),
      answered: (wanted, by, everyMs) =>
        waitForOutcomes(kafka, {
          ...{ prefix, count: wanted, ...(everyMs !== undefined && { everyMs }) },
          progress: (records) => progress(`${name}: ${records} of ${wanted} settled`),
          alive: () => by.forEach((process) => void process.assertAlive()),
        }),
      readAll: async () => {
        await using reader = await readOutcomes(kafka, prefix);
        await reader.waitFor(count, READ_DEADLINE_MS);
        checkOutcomes(claims, reader.outcomes);
        return reader.outcomes;
      },
    });
  });
}

/** Settled claims per second. The first batch's outcomes start the clock and are not counted: how long a process takes to start is not measured here. */
export async function measureThroughput(
  bench: Bench,
  name: 'plain' | 'bare' | 'product',
  count: number,
): Promise<Throughput> {
  const { brokerPid, brokerDir } = bench.servers;
  return withFullTopic(bench, name, count, async ({ run, start, answered, readAll }) => {
    const { prefix, databaseUrl } = run;
    const machine = machineCpuSeconds();
    const before = await readCounters(databaseUrl, brokerPid);
    await using pipeline = start();
    await answered(count, [pipeline]);
    const outcomes = await readAll();
    const workerCpuSeconds = cpuSeconds(pipeline.pid);
    const peakRssBytes = peakRss(pipeline.pid);
    await pipeline.stop();
    const after = await readCounters(databaseUrl, brokerPid);
    const outputs = [`${prefix}.settlements.v1`, `${prefix}.dead-letters.v1`];
    const outputBytes = brokerDir === undefined ? {} : { outputBytes: brokerBytes(brokerDir, outputs) / count };
    return {
      claimsPerSecond: rateOf(outcomes),
      costs: { ...costPerClaim(before, after, count), ...outputBytes, workerCpuSeconds: workerCpuSeconds / count },
      disturbance: disturbanceOf({ machine, workerCpuSeconds, before, after }),
      peakRssBytes,
      deadlocks: Number(
        await queryOne(databaseUrl, 'select deadlocks from pg_stat_database where datname = current_database()'),
      ),
      digest: digestOf(outcomes),
    };
  });
}

function disturbanceOf(run: {
  machine: ReturnType<typeof machineCpuSeconds>;
  workerCpuSeconds: number;
  before: Counters;
  after: Counters;
}): number {
  const { machine, workerCpuSeconds, before, after } = run;
  const now = machineCpuSeconds();
  const us = after.benchCpuSeconds - before.benchCpuSeconds;
  const servers =
    after.databaseCpuSeconds -
    before.databaseCpuSeconds +
    (after.brokerCpuSeconds ?? 0) -
    (before.brokerCpuSeconds ?? 0);
  return Math.max(0, now.busy - machine.busy - workerCpuSeconds - us - servers) / (now.all - machine.all);
}

/** Seconds from the start of a worker, after another was killed in the midst of a full topic, to the first outcome that it publishes. */
export async function measureRecovery(bench: Bench, count: number): Promise<number> {
  return withFullTopic(bench, 'product', count, async ({ start, answered, readAll }) => {
    await using killed = start();
    await answered(count / 8, [killed], KILL_LOOK_EVERY_MS);
    await killed[Symbol.asyncDispose]();
    const startedAt = Date.now();
    await using recovering = start();
    await answered(count, [recovering]);
    const outcomes = await readAll();
    await recovering.stop();
    const later = outcomes.map(({ appendedAt }) => appendedAt).filter((stamp) => stamp > startedAt);
    if (later.length === 0) throw new Error(`all ${count} claims were settled before the kill; more are needed`);
    return (earliest(later) - startedAt) / 1_000;
  });
}

const earliest = (stamps: readonly number[]): number => stamps.reduce((least, stamp) => Math.min(least, stamp));

/** Outcomes per second between the first stamp and the last, without those of the first stamp. */
export function rateOf(outcomes: readonly Pick<Outcome, 'appendedAt'>[]): number {
  const stamps = outcomes.map(({ appendedAt }) => appendedAt);
  const first = earliest(stamps);
  const last = stamps.reduce((most, stamp) => Math.max(most, stamp));
  return (stamps.filter((stamp) => stamp > first).length * 1_000) / (last - first);
}

/** A run counts only if every claim was answered once and its parts add up to what the patient bears. */
export function checkOutcomes(
  claims: readonly Pick<Claim, 'claimId' | 'personalShare'>[],
  outcomes: readonly Pick<Outcome, 'claimId' | 'amounts'>[],
): void {
  const answered = new Map(outcomes.map(({ claimId, amounts }) => [claimId, amounts]));
  if (answered.size !== outcomes.length) throw new Error(`${outcomes.length - answered.size} outcomes appear twice`);
  for (const { claimId, personalShare } of claims) {
    const parts = answered.get(claimId);
    if (parts === undefined) throw new Error(`claim ${claimId} has no outcome`);
    const sum = parts.reduce((total, part) => total + Math.round(Number(part) * 100), 0);
    if (sum !== personalShare)
      throw new Error(`claim ${claimId} was settled with ${yuan(sum)} of ${yuan(personalShare)}`);
  }
}

function digestOf(outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(({ claimId, amounts }) => `${claimId} ${amounts?.join(' ')}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/**
 * The time from when a claim was due to be produced until its outcome was read, at a steady rate, by a pipeline that has been up for a
 * while. In every family one relative never runs dry, so that the last claim is paid like the first.
 */
export async function measureLatency(
  bench: Bench,
  name: 'echo' | 'product',
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Latency> {
  const { servers, seed, progress } = bench;
  const families = keepOneRich(bench.patients);
  return withRun({ ...bench, town: 'rich', families, patients: families }, name, async (run) => {
    const { prefix } = run;
    const kafka = makeKafka(run.brokers.split(','), 'bench');
    const [warmUp, measured] = [WARM_UP_CLAIMS + WARM_UP_SECONDS * perSecond, seconds * perSecond];
    const claims = makeClaims({ seed: seed + 2, count: warmUp + measured, families, idPrefix: 'L' });
    await using pipeline = startPipeline(name, run, servers.workDir);
    await using reader = await readOutcomes(kafka, prefix);
    progress(`${name}: warming up`);
    await fillTopic(kafka, { prefix, claims: claims.slice(0, WARM_UP_CLAIMS) });
    await reader.waitFor(WARM_UP_CLAIMS, READ_DEADLINE_MS);
    await produceSteadily(kafka, { prefix, claims: claims.slice(WARM_UP_CLAIMS, warmUp), perSecond });
    await reader.waitFor(warmUp, READ_DEADLINE_MS);
    progress(`${name}: ${perSecond} claims/s for ${seconds} s`);
    const place = { databaseUrl: run.databaseUrl, brokerPid: servers.brokerPid };
    const usage = () => readUsage(place, { [name]: [pipeline.pid] });
    const before = await usage();
    const { dueAt, latestMs } = await produceSteadily(kafka, { prefix, claims: claims.slice(warmUp), perSecond });
    await reader.waitFor(warmUp + measured, READ_DEADLINE_MS);
    const processors = processorsBetween(before, await usage());
    const peakRssBytes = peakRss(pipeline.pid);
    await pipeline.stop();
    const latencies = reader.outcomes
      .slice(warmUp)
      .map(({ claimId, readAt }) => readAt - (dueAt.get(claimId) ?? Number.NaN));
    return { ...percentiles(latencies), samples: latencies.length, producerLateMs: latestMs, processors, peakRssBytes };
  });
}

/** Nearest-rank percentiles. */
export function percentiles(values: readonly number[]): { p50: number; p90: number; p99: number; max: number } {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

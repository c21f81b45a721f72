import { setTimeout as delay } from 'node:timers/promises';
import { topicsOf } from '@repo/contracts';
import { Sender, tail } from '@repo/messaging';
import { arrearsMessages } from '@repo/shard-worker';
import { Client } from 'pg';
import { processorsBetween, readUsage, type Usage } from './cost.ts';
import { claimsFor, keepFull, produceSteadily, readOutcomes, takeWhile } from './load.ts';
import { checkOutcomes, percentiles } from './measure.ts';
import { makeKafka } from './pipeline.ts';
import { PIPELINES, type Run, startPipeline } from './pipelines.ts';
import type { BenchServers } from './servers.ts';
import { bindingsToPause, CHECKS, patientsOf, prepareTown, type TownCheck } from './town.ts';
import type { Claim, Family } from './workload.ts';

/** Claims while nothing else was asked for, or while a check ran. */
export interface ClaimsWindow {
  readonly seconds: number;
  readonly claimsPerSecond: number;
  /** At a steady rate: from when a claim was due until its outcome was read, ms. */
  readonly p99?: number;
  /** How many processors each kept busy; `others` is whatever else ran on the machine. */
  readonly processors: Readonly<Record<string, number>>;
}

/** One check beside one stream of claims. */
export interface ArrearsRun {
  readonly stream: 'a steady rate' | 'a full topic';
  /** From sending the command until every shard has finished and the last event has been read. */
  readonly seconds: number;
  /** Events read: one for each binding of each payer who missed the month. */
  readonly events: number;
  readonly before: ClaimsWindow;
  readonly during: ClaimsWindow;
  readonly after: ClaimsWindow;
}

export interface ArrearsOptions {
  readonly servers: BenchServers;
  readonly payers: number;
  readonly perSecond: number;
  readonly partitions: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

/** Long enough that a broker just started does not stand in the latency before the check. */
const WARM_UP_MS = 30_000;
const QUIET_MS = 30_000;
const CHECK_DEADLINE_MS = 600_000;
const READ_DEADLINE_MS = 60_000;
/** Claims that wait in a full topic at least. */
const WAITING = 50_000;

/** What one town's processes and topics offer the two measurements. */
interface Town {
  readonly run: Run;
  readonly database: Client;
  readonly families: readonly Family[];
  readonly sharingPid: number;
  readonly paused: PausedEvent[];
}

interface PausedEvent {
  readonly checkId: string;
  readonly bindingId: string;
}

/**
 * Checks a town's payers for a month of which one in fifty is missing, twice: beside claims at a steady rate, then beside a topic that
 * never runs empty. The claims' rate is taken for 30 s before each check, while it runs, and for 30 s after it.
 */
export async function measureArrears(options: ArrearsOptions): Promise<ArrearsRun[]> {
  const { servers, payers, partitions, progress, seed } = options;
  const prefix = `bench-arrears-${process.pid}`;
  await using database = await servers.createDatabase(prefix);
  await prepareTown(database.url, { payers, partitions, seed, progress });
  const run: Run = { brokers: servers.brokers, databaseUrl: database.url, prefix, partitions };
  await PIPELINES.sharing.createTopics(run);
  const connection = { brokers: run.brokers.split(','), clientId: 'bench' };
  const paused: PausedEvent[] = [];
  let failure: Error | undefined;
  await using _events = await tail({
    connection,
    topics: [topicsOf(prefix).sharing],
    from: 'start',
    onRecords: (records) => {
      for (const { value } of records) {
        const { binding_id: bindingId, reason, cause } = JSON.parse(String(value));
        if (reason === 'ARREARS') paused.push({ checkId: cause.id, bindingId });
      }
    },
    onFailure: (error) => {
      failure = error;
    },
  });
  await using sharing = startPipeline('sharing', run, servers.workDir);
  await using stack = new AsyncDisposableStack();
  const client = new Client({ connectionString: run.databaseUrl });
  client.on('error', () => {}); // the servers may go first when a run is interrupted; a query under way rejects
  await client.connect();
  stack.defer(() => client.end());
  const town = { run, database: client, families: patientsOf(payers), sharingPid: sharing.pid, paused };
  const runs = [await besideSteady(town, options), await besideFullTopic(town, options)];
  if (failure !== undefined) throw failure;
  await sharing.stop();
  for (const check of CHECKS) checkPaused(paused, check, payers);
  return runs;
}

const checkIdOf = ({ on }: TownCheck): string => `bench:${on}`;

/** A run counts only if each binding of each payer who missed the month was paused once, and no other. */
export function checkPaused(paused: readonly PausedEvent[], check: TownCheck, payers: number): void {
  const expected = bindingsToPause(payers, check);
  const told = paused.filter(({ checkId }) => checkId === checkIdOf(check)).map(({ bindingId }) => bindingId);
  const wrong = told.filter((bindingId) => !expected.delete(bindingId));
  if (wrong.length > 0) throw new Error(`${wrong.length} pauses are of the wrong binding, or told twice`);
  if (expected.size > 0) throw new Error(`${expected.size} bindings were not paused`);
}

/** Sends the check to every shard; resolves when all have finished and its last event has been read. */
async function runCheck(town: Town, check: TownCheck, { payers, progress }: ArrearsOptions) {
  const { run, database, paused } = town;
  const checkId = checkIdOf(check);
  const expected = bindingsToPause(payers, check).size;
  await using sender = await Sender.open({ brokers: run.brokers.split(','), clientId: 'bench' });
  const sentAt = performance.now();
  await sender.sendAll(topicsOf(run.prefix).members, arrearsMessages({ checkId, on: check.on }, run.partitions));
  const read = () => paused.filter((event) => event.checkId === checkId);
  for (;;) {
    const { rows } = await database.query(
      'select count(*) filter (where finished)::int as finished, sum(checked)::int as checked from arrears_check where check_id = $1',
      [checkId],
    );
    const { finished, checked } = rows[0];
    progress(`arrears: ${checked ?? 0} of ${payers} checked`);
    const events = read().length;
    const now = performance.now();
    if (finished === run.partitions && events >= expected) return { seconds: (now - sentAt) / 1_000, events };
    if (now - sentAt > CHECK_DEADLINE_MS) throw new Error(`only ${events} of ${expected} pauses were told`);
    await delay(100);
  }
}

/** Outcomes published and processor time used until a moment. */
interface Mark extends Usage {
  readonly published: number;
}

/** Outcomes published so far, as the shards' rows tell: counting them costs the claims nothing. */
async function countPublished({ database, run }: Town): Promise<number> {
  const { rows } = await database.query('select sum(published_seq)::int as published from shard where topic = $1', [
    topicsOf(run.prefix).claims,
  ]);
  return rows[0].published ?? 0;
}

async function mark(town: Town, settlingPid: number, { servers }: ArrearsOptions): Promise<Mark> {
  const place = { databaseUrl: town.run.databaseUrl, brokerPid: servers.brokerPid };
  const usage = await readUsage(place, { settling: [settlingPid], sharing: [town.sharingPid] });
  return { ...usage, published: await countPublished(town) };
}

function windowOf(start: Mark, end: Mark): ClaimsWindow {
  const seconds = (end.at - start.at) / 1_000;
  const claimsPerSecond = (end.published - start.published) / seconds;
  return { seconds, claimsPerSecond, processors: processorsBetween(start, end) };
}

/** Runs a check with a quiet time before and after it, so that a drift of the claims' rate does not count for or against the check. */
async function bracket(town: Town, check: TownCheck, settlingPid: number, options: ArrearsOptions) {
  const now = () => mark(town, settlingPid, options);
  const start = await now();
  await delay(QUIET_MS);
  const sent = await now();
  const result = await runCheck(town, check, options);
  const done = await now();
  await delay(QUIET_MS);
  const end = await now();
  const [before, during, after] = [windowOf(start, sent), windowOf(sent, done), windowOf(done, end)];
  return { ...result, before, during, after, times: [start.at, sent.at, done.at, end.at] as const };
}

async function besideSteady(town: Town, options: ArrearsOptions): Promise<ArrearsRun> {
  const { run, families } = town;
  const { servers, perSecond, seed, progress } = options;
  const kafka = makeKafka(run.brokers.split(','), 'bench');
  await using settling = startPipeline('product', run, servers.workDir);
  await using reader = await readOutcomes(kafka, run.prefix);
  const sent: Claim[] = [];
  let running = true;
  const noted = takeWhile(
    claimsFor(families, seed, 'A'),
    () => running,
    (claim) => void sent.push(claim),
  );
  progress(`arrears: ${perSecond} claims/s`);
  const stream = produceSteadily(kafka, { prefix: run.prefix, claims: noted, perSecond });
  await delay(WARM_UP_MS);
  const { times, before, during, after, ...check } = await bracket(town, CHECKS[0], settling.pid, options);
  running = false;
  const { dueAt } = await stream;
  await reader.waitFor(sent.length, READ_DEADLINE_MS);
  await settling.stop();
  checkOutcomes(sent, reader.outcomes);
  const p99 = (start: number, end: number) => {
    const latencies = reader.outcomes.flatMap(({ claimId, readAt }) => {
      const due = dueAt.get(claimId) ?? Number.NaN;
      return due >= start && due < end ? [readAt - due] : [];
    });
    return { p99: percentiles(latencies).p99 };
  };
  return {
    stream: 'a steady rate',
    ...check,
    before: { ...before, ...p99(times[0], times[1]) },
    during: { ...during, ...p99(times[1], times[2]) },
    after: { ...after, ...p99(times[2], times[3]) },
  };
}

async function besideFullTopic(town: Town, options: ArrearsOptions): Promise<ArrearsRun> {
  const { run, families } = town;
  const { servers, seed, progress } = options;
  const earlier = await countPublished(town);
  let settled = 0;
  let running = true;
  const stream = keepFull(makeKafka(run.brokers.split(','), 'bench'), {
    prefix: run.prefix,
    claims: claimsFor(families, seed + 1_000_000, 'B'),
    waiting: WAITING,
    settled: () => settled,
    running: () => running,
  });
  await using settling = startPipeline('product', run, servers.workDir);
  const watch = (async () => {
    while (running) {
      settling.assertAlive();
      settled = (await countPublished(town)) - earlier;
      await delay(200);
    }
  })();
  const measure = (async () => {
    while (settled < WAITING) await delay(200);
    progress('arrears: claims from a full topic');
    const { times: _, ...result } = await bracket(town, CHECKS[1], settling.pid, options);
    running = false;
    return result;
  })();
  const [result] = await Promise.all([measure, watch, stream]);
  await settling.stop();
  return { stream: 'a full topic', ...result };
}

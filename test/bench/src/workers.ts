import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort, inSession } from '@repo/embedded';
import { Relay } from '@repo/faults/relay';
import type { Kafka } from 'kafkajs';
import { processorsBetween, readUsage, showProcessors } from './cost.ts';
import { openLimit } from './limit.ts';
import type { Outcome } from './load.ts';
import { type Bench, percentiles, rateOf, withFullTopic } from './measure.ts';
import type { PipelineProcess } from './pipelines.ts';

/** What some settlement workers made of a full topic, with a longer way to their database. */
export interface WorkersRun {
  readonly workers: (typeof WORKERS)[number];
  /** Added to each round trip. */
  readonly delayMs: number;
  /** What each worker has of a processor at most; absent: what there is. */
  readonly share?: number;
  /** What one took then: the median of some. */
  readonly roundTripMs: number;
  readonly claimsPerSecond: number;
  /** How many processors each kept busy; `bench` is mostly the relay. */
  readonly processors: Readonly<Record<string, number>>;
}

const WORKERS = [1, 2] as const;
/** Near the database, in another building, in another country; and where a worker is the bound, since it may not have a processor to itself. */
const PLACES = [{ delayMs: 0 }, { delayMs: 5 }, { delayMs: 50 }, { delayMs: 5, share: 0.4 }] as const;
const ROUND_TRIPS = 21;
const JOIN_LIMIT_MS = 30_000;

/** Lets one and two workers settle the same claims at each place, in turn, always by a relay, so that only the delay differs. */
export async function measureWorkers(
  bench: Bench,
  { claims, rounds }: { readonly claims: number; readonly rounds: number },
): Promise<WorkersRun[]> {
  const runs: WorkersRun[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const place of PLACES) {
      for (const workers of WORKERS) {
        const run = await settleFrom(bench, { ...place, workers, claims });
        if (run === undefined) continue;
        runs.push(run);
        const { roundTripMs, claimsPerSecond, processors } = run;
        console.log(
          `round ${round}  ${workers} at ${roundTripMs.toFixed(1)} ms ${claimsPerSecond.toFixed(0).padStart(7)} claims/s, processors: ${showProcessors(processors)}`,
        );
      }
    }
  }
  return runs;
}

type Place = Pick<WorkersRun, 'workers' | 'delayMs' | 'share'>;

/** Undefined: this machine lets nobody limit a process. */
function settleFrom(bench: Bench, { claims, ...place }: Place & { claims: number }): Promise<WorkersRun | undefined> {
  const { workers, delayMs, share } = place;
  return withFullTopic(bench, 'product', claims, async ({ run, kafka, start, answered, readAll }) => {
    const [url, port] = [new URL(run.databaseUrl), await findFreePort()];
    await using relay = await Relay.open({ port, target: Number(url.port) });
    relay.slow(delayMs / 2);
    url.port = String(port);
    const roundTripMs = await roundTrip(url.href);
    await using stack = new AsyncDisposableStack();
    const processes: PipelineProcess[] = [];
    for (let n = 1; n <= workers; n += 1) {
      const limit = share === undefined ? null : stack.use(openLimit(`${run.prefix}-${n}`, share));
      if (limit === undefined) return undefined;
      const worker = stack.use(start(url.href));
      limit?.add(worker.pid);
      processes.push(worker);
    }
    await haveJoined(kafka, `${run.prefix}-settlement-worker`, workers);
    const servers = { databaseUrl: run.databaseUrl, brokerPid: bench.servers.brokerPid };
    const usage = () => readUsage(servers, { workers: processes.map(({ pid }) => pid) });
    const [joinedAt, before] = [Date.now(), await usage()];
    await answered(claims, processes);
    const processors = processorsBetween(before, await usage());
    const outcomes = await readAll();
    for (const process of processes) await process.stop();
    return { ...place, roundTripMs, processors, claimsPerSecond: rateOf(onceShared(outcomes, joinedAt)) };
  });
}

/** What was answered from when every partition had an answer after `joinedAt`: before, one worker alone may have had them all. */
export function onceShared<T extends Pick<Outcome, 'partition' | 'appendedAt'>>(
  outcomes: readonly T[],
  joinedAt: number,
): T[] {
  const first = new Map<number, number>();
  for (const { partition, appendedAt } of outcomes)
    if (appendedAt > joinedAt) first.set(partition, Math.min(appendedAt, first.get(partition) ?? appendedAt));
  const since = Math.max(...first.values());
  return outcomes.filter(({ appendedAt }) => appendedAt >= since);
}

async function haveJoined(kafka: Kafka, group: string, members: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const deadline = performance.now() + JOIN_LIMIT_MS;
    for (;;) {
      const [found] = (await admin.describeGroups([group])).groups;
      if (found?.state === 'Stable' && found.members.length === members) return;
      if (performance.now() > deadline) throw new Error(`${found?.members.length} of ${members} workers have joined`);
      await delay(50);
    }
  } finally {
    await admin.disconnect();
  }
}

async function roundTrip(url: string): Promise<number> {
  return inSession(url, async (client) => {
    const times: number[] = [];
    for (let n = 0; n < ROUND_TRIPS; n += 1) {
      const start = performance.now();
      await client.query('select 1');
      times.push(performance.now() - start);
    }
    return percentiles(times).p50;
  });
}

import { setTimeout as delay } from 'node:timers/promises';
import { processorsBetween, readUsage, rss, showProcessors } from './cost.ts';
import { claimsFor, keepFull, produceSteadily, takeWhile } from './load.ts';
import { type Bench, withRun } from './measure.ts';
import { makeKafka } from './pipeline.ts';
import { startPipeline } from './pipelines.ts';
import { queryOne } from './servers.ts';
import { keepOneRich } from './workload.ts';

/** One settlement worker over a long time. */
export interface Soak {
  readonly stream: 'a steady rate' | 'a full topic';
  readonly seconds: number;
  /** Answered, each once, as the shards' own counts of outcomes say. */
  readonly claims: number;
  readonly claimsPerSecond: number;
  /** What the worker's process had of memory, bytes, every `SAMPLE_SECONDS`. */
  readonly rssBytes: readonly number[];
  /** How many processors each kept busy. */
  readonly processors: Readonly<Record<string, number>>;
}

const LOOK_EVERY_MS = 200;
export const SAMPLE_SECONDS = 10;
/** Four quarters with a sample each. */
export const SOAK_SECONDS_MIN = 4 * SAMPLE_SECONDS;
/** What a worker may have of memory, MB. */
export const MEGABYTES_MAX = 300;
const DRAIN_LIMIT_MS = 120_000;
/** Claims that wait in a full topic at least. */
const WAITING = 50_000;

/**
 * Lets one worker settle for `seconds`, at a steady rate or, without one, from a topic that never runs empty, and looks at its memory. In every
 * family one relative never runs dry, so that the last claim still goes through all accounts and is paid like the first. Throws unless
 * every claim was answered once.
 */
export function soak(
  bench: Bench,
  { seconds, perSecond }: { readonly seconds: number; readonly perSecond?: number },
): Promise<Soak> {
  const { servers, seed, progress } = bench;
  const families = keepOneRich(bench.patients);
  const town = { ...bench, town: 'rich', families, patients: families };
  const stream = perSecond === undefined ? ('a full topic' as const) : ('a steady rate' as const);
  return withRun(town, 'product', async (run) => {
    const kafka = makeKafka(run.brokers.split(','), 'bench');
    await using worker = startPipeline('product', run, servers.workDir);
    const place = { databaseUrl: run.databaseUrl, brokerPid: servers.brokerPid };
    const usage = () => readUsage(place, { worker: [worker.pid] });
    const published = async () =>
      Number(await queryOne(run.databaseUrl, 'select coalesce(sum(published_seq), 0) from shard'));
    let running = true;
    let [sent, settled] = [0, 0];
    const claims = takeWhile(
      claimsFor(families, seed, 'S'),
      () => running,
      () => {
        sent += 1;
      },
    );
    const { prefix } = run;
    const load =
      perSecond === undefined
        ? keepFull(kafka, { prefix, claims, waiting: WAITING, settled: () => settled, running: () => running })
        : produceSteadily(kafka, { prefix, claims, perSecond });
    const rssBytes: number[] = [];
    const watch = (async () => {
      const [startedAt, before] = [performance.now(), await usage()];
      const elapsed = () => performance.now() - startedAt;
      while (elapsed() < seconds * 1_000) {
        await delay(LOOK_EVERY_MS);
        worker.assertAlive();
        settled = await published();
        if (elapsed() < (rssBytes.length + 1) * SAMPLE_SECONDS * 1_000) continue;
        const now = rss(worker.pid);
        rssBytes.push(now);
        progress(`${stream}: ${settled} claims in ${(elapsed() / 1_000).toFixed(0)} s, ${(now / 1e6).toFixed(0)} MB`);
      }
      const rate = { claimsPerSecond: settled / (elapsed() / 1_000) };
      const processors = processorsBetween(before, await usage());
      running = false;
      return { ...rate, processors };
    })();
    const [found] = await Promise.all([watch, load]);
    for (const deadline = performance.now() + DRAIN_LIMIT_MS; settled < sent; settled = await published()) {
      worker.assertAlive();
      if (performance.now() > deadline) throw new Error(`only ${settled} of ${sent} claims were answered`);
      await delay(LOOK_EVERY_MS);
    }
    await worker.stop();
    if (settled !== sent) throw new Error(`${settled} outcomes of ${sent} claims`);
    const highest = peakMegabytes({ rssBytes }).toFixed(0);
    console.log(
      `${seconds} s of ${stream}: ${found.claimsPerSecond.toFixed(0)} claims/s, ${highest} MB at most, processors: ${showProcessors(found.processors)}`,
    );
    return { stream, seconds, claims: sent, rssBytes, ...found };
  });
}

/** The most of it, MB. */
export const peakMegabytes = ({ rssBytes }: Pick<Soak, 'rssBytes'>): number => Math.max(...rssBytes) / 1e6;

/** What was had at most in the last quarter, as a part of the second: a worker that has warmed up and loses nothing has the same in both. */
export function growth(rssBytes: readonly number[]): number {
  const quarter = rssBytes.length / 4;
  const most = (from: number, to: number) =>
    Math.max(...rssBytes.slice(Math.floor(from * quarter), Math.ceil(to * quarter)));
  return most(3, 4) / most(1, 2);
}

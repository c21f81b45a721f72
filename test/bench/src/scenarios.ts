import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, readCounters } from './cost.ts';
import { fillTopic, readOutcomes } from './load.ts';
import { type Bench, measureRecovery, measureThroughput, type Throughput, templateFor, withRun } from './measure.ts';
import { makeKafka } from './pipeline.ts';
import { startPipeline } from './pipelines.ts';
import { execute } from './servers.ts';
import { drawFamilies, FAMILIES, FAMILY_SIZE, type Family, makeClaims, makeFamilies, shareAPayer } from './workload.ts';

/** What the product does in a town, round by round: to be held against the usual one. */
export interface Scenario {
  readonly name: ScenarioName;
  readonly claimsPerSecond: readonly number[];
  /** What a claim costs, by name. */
  readonly costs: readonly Throughput['costs'][];
  /** From the start of a worker after a kill to its first outcome; measured in the towns whose ledgers are compared. */
  readonly recoverySeconds: readonly number[];
  /** Deadlocks that the database saw in all runs. */
  readonly deadlocks: number;
}

export type ScenarioName = 'usual' | 'contention' | 'accounts' | 'ledger' | 'relatives1' | 'relatives4' | 'relatives12';

/** Enough that a fast machine is still at work when the worker is killed, after an eighth of it. */
const RECOVERY_CLAIMS = 60_000;

/** Patients who share one payer, who is asked first and never runs dry. */
const PATIENTS_OF_ONE = 1_000;

/** The towns. Those with relatives hold no money at all, so that every relative is asked and the same is posted: nothing. */
function townOf(
  name: ScenarioName,
  { seed, accounts }: { seed: number; accounts: number },
): { readonly families: Iterable<Family>; readonly patients: readonly Family[] } {
  switch (name) {
    case 'usual':
    case 'ledger': {
      const families = makeFamilies(seed);
      return { families, patients: families };
    }
    case 'contention': {
      const families = shareAPayer(makeFamilies(seed, PATIENTS_OF_ONE));
      return { families, patients: families };
    }
    case 'accounts': {
      // As many families have claims as usual, spread over all.
      const count = Math.floor(accounts / FAMILY_SIZE);
      const families = { [Symbol.iterator]: () => drawFamilies(seed, count) };
      const every = Math.max(1, Math.floor(count / FAMILIES));
      return {
        families,
        patients: drawFamilies(seed, count)
          .filter((_, index) => index % every === 0)
          .take(FAMILIES)
          .toArray(),
      };
    }
    default: {
      const families = makeFamilies(seed, FAMILIES, {
        size: 1 + Number(name.slice('relatives'.length)),
        penniless: true,
      });
      return { families, patients: families };
    }
  }
}

/** Settles the same number of claims in each town, in turn, `rounds` times. */
export async function measureScenarios(
  bench: Bench,
  options: {
    readonly names: readonly ScenarioName[];
    readonly claims: number;
    readonly rounds: number;
    readonly accounts: number;
    /** Settlements of an earlier time in the town `ledger`. */
    readonly past: number;
  },
): Promise<Scenario[]> {
  const { names, claims, rounds, accounts, past } = options;
  const recovering = new Set<ScenarioName>(names.includes('ledger') ? ['usual', 'ledger'] : []);
  const towns = names.map((name) => ({
    name,
    there: {
      ...{ ...bench, town: name, ...townOf(name, { seed: bench.seed, accounts }) },
      ...(name === 'ledger' && { past }),
    },
    runs: [] as Throughput[],
    recoverySeconds: [] as number[],
  }));
  // All towns before the first claim: what is compared must not lie half an hour apart.
  for (const { there } of towns) await templateFor(there, 'product');
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, there, runs, recoverySeconds } of towns) {
      const run = await measureThroughput(there, 'product', claims);
      runs.push(run);
      console.log(`round ${round}  ${name.padEnd(12)} ${run.claimsPerSecond.toFixed(0).padStart(7)} claims/s`);
      if (!recovering.has(name)) continue;
      const seconds = await measureRecovery(there, RECOVERY_CLAIMS);
      recoverySeconds.push(seconds);
      console.log(`round ${round}  ${name.padEnd(12)} ${seconds.toFixed(1).padStart(7)} s to recover`);
    }
  }
  return towns.map(({ name, runs, recoverySeconds }) => ({
    name,
    recoverySeconds,
    claimsPerSecond: runs.map(({ claimsPerSecond }) => claimsPerSecond),
    costs: runs.map(({ costs }) => costs),
    deadlocks: runs.reduce((sum, { deadlocks }) => sum + deadlocks, 0),
  }));
}

/** How many processors each part keeps busy while nothing happens, after a claim has shown that all shards are owned. */
export interface Idle {
  readonly settlementWorker: number;
  readonly sharingWorker: number;
  readonly database: number;
  readonly broker: number | undefined;
}

const IDLE_DEADLINE_MS = 60_000;

export function measureIdle(bench: Bench, seconds: number): Promise<Idle> {
  const { servers, patients, partitions, seed, progress } = bench;
  return withRun(bench, 'product', async (run) => {
    await using settlement = startPipeline('product', run, servers.workDir);
    await using sharing = startPipeline('sharing', run, servers.workDir);
    const kafka = makeKafka(run.brokers.split(','), 'bench');
    await using reader = await readOutcomes(kafka, run.prefix);
    const claims = makeClaims({ seed, count: 50 * partitions, families: patients, idPrefix: 'I' });
    await fillTopic(kafka, { prefix: run.prefix, claims });
    await reader.waitFor(claims.length, IDLE_DEADLINE_MS);
    const read = async () => {
      const { databaseCpuSeconds, brokerCpuSeconds } = await readCounters(run.databaseUrl, servers.brokerPid);
      return {
        settlementWorker: cpuSeconds(settlement.pid),
        sharingWorker: cpuSeconds(sharing.pid),
        database: databaseCpuSeconds,
        broker: brokerCpuSeconds,
      };
    };
    await execute(run.databaseUrl, 'CHECKPOINT');
    progress(`idle for ${seconds} s`);
    const [before, startedAt] = [await read(), performance.now()];
    await delay(seconds * 1_000);
    const [after, elapsed] = [await read(), (performance.now() - startedAt) / 1_000];
    const share = (name: keyof Idle) => ((after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)) / elapsed;
    await sharing.stop();
    await settlement.stop();
    return {
      settlementWorker: share('settlementWorker'),
      sharingWorker: share('sharingWorker'),
      database: share('database'),
      broker: servers.brokerPid === undefined ? undefined : share('broker'),
    };
  });
}

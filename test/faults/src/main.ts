import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { burst } from './burst.ts';
import { type Counts, charge, type Injected, inject, type Judged, tableOf } from './campaign.ts';
import { diskFull, FILLABLE_BYTES, isFillable } from './disk-fault.ts';
import { clusterPlan, mixedPlan, type Step, shortPlan, singlePlan } from './plan.ts';
import type { Problem } from './problems.ts';
import { Random } from './random.ts';
import { Stage } from './stage.ts';

const HELP = `Usage: npm run test:faults -- [options]

Runs the whole system under load, each part a process, and makes it fail in every way of its catalogue: each fault by itself,
then three at a time; then the same for the nodes of three brokers. Ends with a table, and with exit code 1 if a single outcome was lost, doubled or altered.

  --seed N     which order, counts and messages (a random one, printed)
  --hours N    round after round of faults, each on a system of its own, for so long
  --mixed N    how many steps of three faults at once in a round (6)
  --brokers N  1 or 3: only the round on so many brokers
  --only TEXT  of the single faults only those whose name matches this regular expression
  --burst N    instead of all this: N claims that wait at once (to judge a million takes some 6 GB)
  --short      the plan of npm test
  --rate N     claims per second (80)
  --keep       keep logs and data of a clean run too`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    hours: { type: 'string', default: '0' },
    mixed: { type: 'string', default: '6' },
    brokers: { type: 'string' },
    only: { type: 'string' },
    burst: { type: 'string' },
    short: { type: 'boolean', default: false },
    rate: { type: 'string', default: '80' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
if (values.help) console.log(HELP);
else process.exitCode = await run();

async function run(): Promise<number> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
  const end = performance.now() + Number(values.hours) * 3_600_000;
  const ran: Ran = { judged: [], rest: { lost: 0, duplicated: 0 } };
  let round = 0;
  do {
    for (const brokers of [1, 3] as const) {
      const plan = planOf(brokers, new Random(seed + round));
      if (plan.length > 0 && (await runRound({ seed: seed + round, brokers, plan }, ran)) > 0) return 1;
    }
    round += 1;
  } while (performance.now() < end);
  return 0;
}

/** What all rounds so far came to. */
interface Ran {
  readonly judged: Judged[];
  rest: Counts;
}

/** One round on a system of its own; answers how much was wrong. */
async function runRound(
  { seed, brokers, plan }: { readonly seed: number; readonly brokers: 1 | 3; readonly plan: readonly Step[] },
  ran: Ran,
): Promise<number> {
  const started = performance.now();
  const say = (line: string): void => {
    console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`);
  };
  const directory = mkdtempSync(join(tmpdir(), 'gongji-faults-'));
  console.log(`seed ${seed}; logs and data in ${directory}`);
  const claimsPerSecond = Number(values.rate);
  const stage = await Stage.open({ dataDir: directory, seed, claimsPerSecond, brokers, log: say });
  let problems: Problem[];
  const injected: Injected[] = [];
  try {
    try {
      for (const step of plan) injected.push(...(await inject(stage, step)));
    } catch (error) {
      // What was done so far is judged all the same.
      say(`the plan cannot go on: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
    const verdict = await stage.judge();
    problems = verdict.problems;
    const { judged, rest } = charge(injected, problems, (id) => stage.load.dueAt(id));
    ran.judged.push(...judged);
    ran.rest = { lost: ran.rest.lost + rest.lost, duplicated: ran.rest.duplicated + rest.duplicated };
    console.log(
      `\n${tableOf(ran.judged, ran.rest)}\n\n${verdict.messages} messages, ${verdict.outcomes} outcomes: ${summaryOf(problems)}`,
    );
  } finally {
    await stage.close();
  }
  const isFailed = problems.length > 0 || process.exitCode === 1;
  writeFileSync(join(directory, 'problems.json'), JSON.stringify(problems, undefined, 1));
  for (const { kind, what } of problems.slice(0, 20)) console.log(`${kind}: ${what}`);
  if (isFailed) console.log(`seed ${seed} failed; everything is kept in ${directory}`);
  else if (!values.keep) rmSync(directory, { recursive: true });
  return isFailed ? Math.max(1, problems.length) : 0;
}

/** The steps of a round on so many brokers; none where the round is not asked for. */
function planOf(brokers: 1 | 3, random: Random): Step[] {
  if (values.brokers !== undefined && Number(values.brokers) !== brokers) return [];
  if (values.burst !== undefined) return brokers === 1 ? [[[burst(Number(values.burst))]]] : [];
  if (values.short) return brokers === 1 ? shortPlan(random) : [];
  const only = new RegExp(values.only ?? '');
  const single = brokers === 1 ? [...singlePlan(random), ...fullDisk()] : clusterPlan(random);
  const chosen = single.filter((step) => step.flat().some(({ name }) => only.test(name)));
  return brokers === 1 ? [...chosen, ...mixedPlan(random, Number(values.mixed))] : chosen;
}

/** The disk is filled where that is nobody else's. */
function fullDisk(): Step[] {
  if (isFillable(tmpdir())) return [[[diskFull]]];
  console.log(
    `"${diskFull.name}" is left out: TMPDIR is on no file system of its own of at most ${FILLABLE_BYTES / 2 ** 30} GiB (see test/faults/README.md)`,
  );
  return [];
}

/** "lost 0, duplicated 0, …" */
function summaryOf(problems: readonly Problem[]): string {
  const kinds = ['lost', 'duplicated', 'altered', 'order', 'money', 'stuck', 'personal'] as const;
  return kinds.map((name) => `${name} ${problems.filter(({ kind }) => kind === name).length}`).join(', ');
}

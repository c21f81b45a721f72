import { burst } from './burst.ts';
import {
  nobodyReaches,
  nodeGoes,
  nodesFarApart,
  nodesLoseConnections,
  ROLES,
  rollingRestart,
} from './cluster-faults.ts';
import {
  connectionsCut,
  databaseDies,
  databaseStalls,
  deadlock,
  diskRefused,
  lockTimeout,
  tooManyConnections,
} from './database-faults.ts';
import type { Fault } from './fault.ts';
import { brokerDies, brokerStalls, dieAnywhere, dieAt, FAILPOINTS, rebalanceStorm, repeats, zombie } from './faults.ts';
import { brokerUnreachable, databaseUnreachable, halfOpen, resets, slow } from './network-faults.ts';
import { poison } from './poison-fault.ts';
import { clockWrong, eventLoopBlocked, heapLimit, nameLost, passwordChanged, policyBroken } from './process-faults.ts';
import type { Random } from './random.ts';
import { stops, stopsAtOnce, stopsInSilence, stopsWhileJoining } from './shutdown-faults.ts';
import { FAR_WORKERS } from './stage.ts';
import { rollingUpdate } from './update-fault.ts';

/** Lists of faults that happen side by side; within a list one comes after the other. */
export type Step = readonly (readonly Fault[])[];

/** Every window once, in a few minutes, and of the other faults one that the seed chooses: what `npm test` runs. */
export const shortPlan = (random: Random): Step[] => [
  [
    [
      dieAt('settlement-worker', 'mid-db'),
      dieAt('settlement-worker', 'after-db-commit'),
      dieAt('settlement-worker', 'after-send'),
    ],
    [
      dieAt('settlement-worker-2', 'before-db-commit'),
      dieAt('settlement-worker-2', 'before-endtxn'),
      dieAt('settlement-worker-2', 'after-endtxn'),
    ],
    [dieAt('sharing-worker', 'before-db-commit'), dieAt('sharing-worker', 'after-endtxn')],
  ],
  [[dieAt('settlement-worker', 'after-mark')], [repeats]],
  [[zombie('settlement-worker-2', 'before-db-commit')]],
  [[brokerDies('SIGKILL')]],
  [[databaseDies('SIGKILL')]],
  [[random.pick(QUICK)]],
];

/** Of each kind the cheapest. */
const QUICK: readonly Fault[] = [
  resets('Kafka'),
  resets('PostgreSQL'),
  halfOpen('PostgreSQL'),
  connectionsCut,
  diskRefused,
  tooManyConnections,
  lockTimeout,
  stops('settlement-worker'),
  stopsWhileJoining('sharing-worker-2'),
  stopsAtOnce('settlement-worker-2'),
  stopsInSilence('settlement-worker', 'network'),
  dieAnywhere('sharing-worker'),
  rollingUpdate,
  poison,
];

/** A short form of the million that `--burst` takes. */
const BURST = 60_000;
const LINES = ['Kafka', 'PostgreSQL'] as const;
const WORKERS = ['settlement-worker', 'sharing-worker-2'] as const;
const ZOMBIES = [
  'mid-db',
  'before-db-commit',
  'after-db-commit',
  'after-send',
  'before-endtxn',
  'after-endtxn',
] as const;

/** Every fault of the catalogue by itself, in an order that follows from the seed. */
export function singlePlan(random: Random): Step[] {
  const faults = [
    ...WORKERS.flatMap((worker) => FAILPOINTS.map((failpoint) => dieAt(worker, failpoint))),
    ...WORKERS.flatMap((worker) => [dieAnywhere(worker), rebalanceStorm(worker)]),
    ...ZOMBIES.map((failpoint) => zombie('settlement-worker-2', failpoint)),
    zombie('sharing-worker', 'after-send'),
    zombie('sharing-worker', 'before-db-commit'),
    dieAnywhere('query-api'),
    brokerDies('SIGKILL'),
    brokerDies('SIGTERM'),
    brokerStalls,
    databaseDies('SIGKILL'),
    databaseDies('SIGINT'),
    databaseDies('SIGQUIT'),
    databaseStalls,
    connectionsCut,
    lockTimeout,
    deadlock,
    diskRefused,
    tooManyConnections,
    repeats,
    brokerUnreachable,
    databaseUnreachable,
    burst(BURST),
    rollingUpdate,
    ...LINES.flatMap((line) => [halfOpen(line), resets(line), slow(line)]),
    ...WORKERS.flatMap((worker) => [stops(worker), stopsWhileJoining(worker), stopsAtOnce(worker)]),
    ...WORKERS.flatMap((worker) => [heapLimit(worker), eventLoopBlocked(worker)]),
    clockWrong('settlement-worker', 'fast'),
    clockWrong('settlement-worker-2', 'slow'),
    clockWrong('sharing-worker', 'slow'),
    clockWrong('settlement-worker-2', 'fast and right in turn'),
    clockWrong('sharing-worker-2', 'slow and right in turn'),
    nameLost('settlement-worker-2'),
    nameLost('sharing-worker-2'),
    poison,
    passwordChanged,
    policyBroken('settlement-worker'),
    ...WORKERS.map((worker) => stopsInSilence(worker, 'server')),
    ...FAR_WORKERS.map((worker) => stopsInSilence(worker, 'network')),
  ];
  return shuffled(faults, random).map((fault) => [[fault]]);
}

/** Each node of three that matters goes away in turn, in every way; in an order that follows from the seed. */
export function clusterPlan(random: Random): Step[] {
  const ways = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
  const faults = [
    ...ROLES.flatMap((role) => [...ways.map((way) => nodeGoes(role, way)), nobodyReaches(role)]),
    ...[nodesFarApart, nodesLoseConnections, rollingRestart],
  ];
  return shuffled(faults, random).map((fault) => [[fault]]);
}

/** Three faults at once: one in each of two services, and one of a server or of the load. */
export function mixedPlan(random: Random, steps: number): Step[] {
  const failpoint = () => random.pick(ZOMBIES);
  return Array.from({ length: steps }, () => [
    [random.pick([dieAt, zombie])('settlement-worker', failpoint())],
    [
      random.pick([
        dieAt('sharing-worker', failpoint()),
        dieAnywhere('sharing-worker'),
        dieAnywhere('settlement-worker-2'),
      ]),
    ],
    [
      random.pick([
        brokerDies('SIGKILL'),
        brokerStalls,
        databaseDies('SIGKILL'),
        databaseStalls,
        connectionsCut,
        halfOpen('PostgreSQL'),
        resets('Kafka'),
        repeats,
      ]),
    ],
  ]);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const left = [...list];
  return list.map(() => left.splice(random.below(left.length), 1)[0] as T);
}

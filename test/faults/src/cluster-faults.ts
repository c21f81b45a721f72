import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, STALL_MS, until, whileDisturbed } from './fault.ts';
import { type Role, readRoles } from './roles.ts';
import type { Cluster, Stage } from './stage.ts';

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  leader: 'the leader of an input partition',
  group: 'the group coordinator',
  transaction: 'the transaction coordinator',
  controller: 'the controller',
};
export const ROLES = Object.keys(ROLE_NAMES) as Role[];
export type NodeFault = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';
const WAYS: Readonly<Record<NodeFault, string>> = { SIGKILL: 'kill -9', SIGTERM: 'stop', SIGSTOP: 'stall' };

/** The node with a role goes away. The load must flow without it, and only then does it come back. */
export const nodeGoes = (role: Role, way: NodeFault): Fault => ({
  name: `${WAYS[way]} of ${ROLE_NAMES[role]}`,
  run: async (stage) => {
    const cluster = clusterOf(stage);
    const roles = await rolesOf(stage, cluster);
    const node = cluster.nodes[roles[role] - 1];
    if (node === undefined) throw new Error(`no node is ${ROLE_NAMES[role]}`);
    if (way === 'SIGSTOP') {
      process.kill(node.current.pid, 'SIGSTOP');
      try {
        await delay(STALL_MS);
      } finally {
        process.kill(node.current.pid, 'SIGCONT');
      }
    } else {
      await node.kill(way);
      try {
        await flows(stage, `the load does not flow without ${ROLE_NAMES[role]}`);
      } finally {
        await node.start();
      }
    }
    await inSync(stage, cluster);
  },
});

/**
 * No other node reaches the one with a role, which reaches them and is reached by every client: a leader without followers, a
 * coordinator or controller whose writes nobody copies. What it can no longer do, others do, or it waits.
 */
export const nobodyReaches = (role: Role): Fault => ({
  name: `no network from the other nodes to ${ROLE_NAMES[role]}`,
  run: async (stage) => {
    const cluster = clusterOf(stage);
    const roles = await rolesOf(stage, cluster);
    const ways = cluster.ways[roles[role] - 1] ?? [];
    if (ways.length === 0) throw new Error(`no node is ${ROLE_NAMES[role]}`);
    await whileDisturbed(
      ways,
      (way) => way.silence(),
      () => delay(STALL_MS),
    );
    await inSync(stage, cluster);
  },
});

const APART_MS = 100;
const APART_FOR_MS = 20_000;

/** A tenth of a second lies between any two nodes, in each direction, as between two distant cities. */
export const nodesFarApart: Fault = {
  name: `the nodes ${APART_MS} ms from each other`,
  run: async (stage) => {
    const cluster = clusterOf(stage);
    await whileDisturbed(
      cluster.ways.flat(),
      (way) => way.slow(APART_MS),
      async () => {
        await delay(APART_FOR_MS);
        await flows(stage, 'the load does not flow between slow nodes');
      },
    );
    await inSync(stage, cluster);
  },
};

/** Every connection between nodes is lost without a word to who made it, then reset, twenty times. */
export const nodesLoseConnections: Fault = {
  name: 'connections between the nodes lost and reset',
  run: async (stage) => {
    const cluster = clusterOf(stage);
    const ways = cluster.ways.flat();
    if (ways.reduce((sum, way) => sum + way.halfOpen(), 0) === 0) throw new Error('there was no connection to lose');
    await inSync(stage, cluster);
    for (let round = 0; round < 20; round++) {
      for (const way of ways) way.reset();
      await delay(100 + stage.random.below(300));
    }
    await inSync(stage, cluster);
  },
};

/** Every node is stopped and started again, one after the other, as an upgrade does it. */
export const rollingRestart: Fault = {
  name: 'rolling restart of the brokers',
  run: async (stage) => {
    const cluster = clusterOf(stage);
    for (const node of cluster.nodes) {
      await node.kill('SIGTERM');
      await node.start();
      await inSync(stage, cluster);
    }
  },
};

function clusterOf({ cluster }: Stage): Cluster {
  if (cluster === undefined) throw new Error('this fault needs several brokers');
  return cluster;
}

/** Every role has its node only when the cluster has settled, so it is asked until it tells. */
async function rolesOf(stage: Stage, { brokers }: Cluster): Promise<Record<Role, number>> {
  let roles: Record<Role, number> | undefined;
  await until(async () => {
    roles = await readRoles(brokers, stage.place.prefix).catch(() => undefined);
    return roles !== undefined;
  }, 'the cluster does not tell who does what');
  return roles as Record<Role, number>;
}

async function flows(stage: Stage, orElse: string): Promise<void> {
  const since = performance.now();
  await until(async () => {
    await stage.startAll();
    return stage.load.hasFlowedSince(since);
  }, orElse);
}

/** With two replicas in sync another loss would be one too many. */
async function inSync(stage: Stage, { brokers }: Cluster): Promise<void> {
  const isWhole = async () => (await readRoles(brokers, stage.place.prefix).catch(() => undefined))?.behind === 0;
  await until(isWhole, 'a node that came back does not catch up');
}

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stopLeftovers } from './child.ts';
import { type KafkaServer, newClusterId, type SideDoor, startKafka } from './kafka.ts';
import { type KeptRunning, keepRunning } from './keep-running.ts';
import { findFreePort, HOST } from './ports.ts';

const NODES = 3;

export interface KafkaClusterOptions {
  /** Holds a directory per node. The same directory goes on where it stopped, on other ports. */
  readonly dataDir: string;
  /** Further settings of every node; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** By which ways the nodes reach each other, one a node: a network of one's own may lie between. Directly when absent. */
  readonly between?: readonly NodeWays[] | undefined;
  /** JVM heap of each node; 256m when absent. */
  readonly heap?: string;
  readonly log?: (line: string) => void;
}

/** The ways to one node: to the broker, for replicas and coordinators, and to the controller. */
interface NodeWays {
  readonly broker: SideDoor;
  readonly controller: SideDoor;
}

export interface KafkaCluster {
  /** `host:port` of every node, separated by commas. */
  readonly brokers: string;
  /** Node n is `nodes[n - 1]`: `kill(signal)` leaves it down until `start()`, on the same ports and data. */
  readonly nodes: readonly KeptRunning<KafkaServer>[];
  stop(): Promise<void>;
}

/**
 * Starts three combined nodes (broker and controller), one KRaft cluster: everything is kept three times and acknowledged by two, so
 * that any one of them may be lost. For tests; `startKafka` is what one machine needs.
 */
export async function startKafkaCluster(options: KafkaClusterOptions): Promise<KafkaCluster> {
  const { heap = '256m', log = () => {}, between } = options;
  const dataDir = resolve(options.dataDir);
  const directories = Array.from({ length: NODES }, (_, index) => join(dataDir, `node-${index + 1}`));
  for (const directory of directories) await stopLeftovers(join(directory, 'run'));
  const clusterId = clusterIdIn(dataDir);
  const ports = await Promise.all(directories.map(() => findFreePort()));
  const controllers =
    between?.map(({ controller }) => controller) ??
    (await Promise.all(directories.map(() => findFreePort()))).map((port) => ({ port, advertised: port }));
  const voters = controllers.map(({ advertised }, index) => `${index + 1}@${HOST}:${advertised}`).join();
  const settings = {
    ...CLUSTER_SETTINGS,
    ...(between !== undefined && { 'inter.broker.listener.name': 'SIDE' }),
    ...options.settings,
  };
  const startNode = (index: number): Promise<KafkaServer> =>
    startKafka({
      dataDir: directories[index] as string,
      port: ports[index],
      settings,
      heap,
      sideDoor: between?.[index]?.broker,
      member: { nodeId: index + 1, clusterId, controllerPort: controllers[index]?.port as number, voters },
      log,
    });
  // None is ready before most are up, so they are started side by side.
  const started = await Promise.allSettled(
    directories.map((_, index) => keepRunning({ name: `Kafka node ${index + 1}`, start: () => startNode(index), log })),
  );
  const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { brokers: ports.map((port) => `${HOST}:${port}`).join(), nodes, stop };
}

const CLUSTER_SETTINGS: Readonly<Record<string, string>> = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
  'share.coordinator.state.topic.replication.factor': '3',
  'share.coordinator.state.topic.min.isr': '2',
};

/** All nodes of a cluster are formatted with one id, also one whose directory was lost. */
function clusterIdIn(dataDir: string): string {
  const file = join(dataDir, 'cluster.id');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  mkdirSync(dataDir, { recursive: true });
  const id = newClusterId();
  writeFileSync(file, `${id}\n`);
  return id;
}

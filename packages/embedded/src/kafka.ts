import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Child, runToEnd, startChild } from './child.ts';
import { explainFileError, StartFailure } from './failure.ts';
import { kafkaAnswers } from './kafka-probe.ts';
import { findJava, findKafkaClassPath, KAFKA_DIR } from './kafka-programs.ts';
import { choosePort, findFreePort, HOST } from './ports.ts';
import { waitUntilReady } from './ready.ts';

export interface KafkaOptions {
  /** Its parts `kafka/`, `logs/` and `run/` are used. */
  readonly dataDir: string;
  /** A free one when absent. */
  readonly port?: number | undefined;
  /** Further broker settings, e.g. `{ 'log.retention.ms': '1000' }`; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** JVM heap, `-Xmx`; 1g when absent. */
  readonly heap?: string;
  /**
   * A second way in: listens on `port` and tells its clients to come back by `advertised`, where for instance a proxy listens that
   * leads to `port`. The first way in stays what it is.
   */
  readonly sideDoor?: SideDoor | undefined;
  /** Set where this is one node of several; `startKafkaCluster` does. */
  readonly member?: ClusterMember | undefined;
  /** Further listeners on 127.0.0.1, by name; what they need (certificates, logins) is among the settings. */
  readonly listeners?: Readonly<Record<string, KafkaListener>>;
  /** Users and their passwords for SCRAM-SHA-512, made with the data directory. */
  readonly scramUsers?: Readonly<Record<string, string>>;
  readonly jvmArgs?: readonly string[];
  readonly log?: (line: string) => void;
}

/** Listens on one port and is reached by another, where for instance a proxy listens that leads to it. */
export interface SideDoor {
  readonly port: number;
  readonly advertised: number;
}

export interface KafkaListener {
  readonly port: number;
  readonly protocol: 'SSL' | 'SASL_SSL';
}

/** What a node of several must be told, besides the settings they share. */
interface ClusterMember {
  readonly nodeId: number;
  readonly clusterId: string;
  /** The same at every start: the others find it there. */
  readonly controllerPort: number;
  /** `id@host:port` of every controller, as `controller.quorum.voters` takes it. */
  readonly voters: string;
}

export interface KafkaServer extends Child {
  /** `127.0.0.1:port`, to bootstrap from. */
  readonly brokers: string;
  readonly port: number;
}

/**
 * Starts one combined Kafka node (broker and controller) on 127.0.0.1 and waits until it serves clients, its group and
 * transaction coordinators included. Throws a `StartFailure` that says what to do.
 */
export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  const dataDir = resolve(options.dataDir);
  const logFile = join(dataDir, 'logs', 'kafka.log');
  const java = await findJava();
  const classPath = await findKafkaClassPath(options.log === undefined ? {} : { log: options.log });
  const port = await choosePort(options.port, 'GONGJI_KAFKA_PORT');
  const properties = join(dataDir, 'kafka.properties');
  const jvm: Jvm = { java, classPath, properties };
  const { member, sideDoor } = options;
  try {
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    const write = (logDir: string, controllerPort: number): void => {
      const quorum =
        member === undefined
          ? { 'controller.quorum.bootstrap.servers': `${HOST}:${controllerPort}` }
          : { 'controller.quorum.voters': member.voters, 'node.id': String(member.nodeId) };
      const base = withListeners(brokerSettings({ port, controllerPort, logDir, sideDoor }), options.listeners ?? {});
      const settings = { ...base, ...quorum, ...options.settings };
      writeFileSync(
        properties,
        Object.entries(settings)
          .map(([name, value]) => `${name}=${asProperty(value)}\n`)
          .join(''),
      );
    };
    await ensureStorage({ dataDir, jvm, write, member, scramUsers: options.scramUsers ?? {}, log: options.log });
    write(join(dataDir, 'kafka'), member?.controllerPort ?? (await findFreePort()));
  } catch (error) {
    throw explainFileError(error, dataDir);
  }
  const heap = options.heap ?? '1g';
  const child = await startChild({
    name: member === undefined ? 'kafka' : `kafka-${member.nodeId}`,
    command: java,
    args: [
      `-Xmx${heap}`,
      '-Xms256m',
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      '-Djava.awt.headless=true',
      ...(options.jvmArgs ?? []),
      ...javaFlags(jvm),
      'kafka.Kafka',
      properties,
    ],
    cwd: dataDir,
    env: javaEnvironment(),
    runDir: join(dataDir, 'run'),
    logFile,
    stopSteps: [{ signal: 'SIGTERM', withinMs: 30_000 }],
  });
  try {
    const answers = () => kafkaAnswers({ host: HOST, port });
    await waitUntilReady({ name: 'Kafka', child, logFile, answers });
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...child, brokers: `${HOST}:${port}`, port };
}

interface Jvm {
  readonly java: string;
  readonly classPath: string;
  readonly properties: string;
}

const javaFlags = ({ classPath }: Jvm): string[] => [
  `-Dlog4j2.configurationFile=${join(KAFKA_DIR, 'log4j2.xml')}`,
  '-cp',
  classPath,
];

/** In a locale without UTF-8 Java cannot even name a file whose path is not ASCII. */
function javaEnvironment(): NodeJS.ProcessEnv {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '') ? process.env : { ...process.env, LC_ALL: 'C.UTF-8' };
}

/** Java reads the file as Latin-1, and a backslash as the beginning of an escape. */
const asProperty = (value: string): string =>
  value.replace(/[^\x20-\x5b\x5d-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** One node, so everything is replicated once; internal topics have few partitions, which makes the first start quick. */
export function brokerSettings(options: {
  readonly port: number;
  readonly controllerPort: number;
  readonly logDir: string;
  readonly sideDoor?: SideDoor | undefined;
}): Record<string, string> {
  const { port, controllerPort, logDir, sideDoor } = options;
  const listeners = `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`;
  const side = (at: 'port' | 'advertised'): string => (sideDoor === undefined ? '' : `,SIDE://${HOST}:${sideDoor[at]}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `${listeners}${side('port')}`,
    'advertised.listeners': `${listeners}${side('advertised')}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SIDE:PLAINTEXT',
    'log.dirs': logDir,
    'num.partitions': '6',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '6',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '6',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A broker that died uncleanly may register again only when its old session has run out (9 s by default).
    'broker.session.timeout.ms': '5000',
    'broker.heartbeat.interval.ms': '1000',
    'group.initial.rebalance.delay.ms': '0',
  };
}

function withListeners(
  settings: Record<string, string>,
  listeners: Readonly<Record<string, KafkaListener>>,
): Record<string, string> {
  const entries = Object.entries(listeners);
  const addresses = entries.map(([name, { port }]) => `,${name}://${HOST}:${port}`).join('');
  const protocols = entries.map(([name, { protocol }]) => `,${name}:${protocol}`).join('');
  return {
    ...settings,
    listeners: `${settings.listeners}${addresses}`,
    'advertised.listeners': `${settings['advertised.listeners']}${addresses}`,
    'listener.security.protocol.map': `${settings['listener.security.protocol.map']}${protocols}`,
  };
}

interface StorageOptions {
  readonly dataDir: string;
  readonly jvm: Jvm;
  readonly write: (logDir: string, controllerPort: number) => void;
  readonly member: ClusterMember | undefined;
  readonly scramUsers: Readonly<Record<string, string>>;
  readonly log: ((line: string) => void) | undefined;
}

async function ensureStorage({ dataDir, jvm, write, member, scramUsers, log }: StorageOptions): Promise<void> {
  const logDir = join(dataDir, 'kafka');
  if (existsSync(join(logDir, 'meta.properties'))) return;
  if (existsSync(logDir)) {
    // Partition directories are named topic-number; only the metadata log exists before any topic does.
    const partition = readdirSync(logDir).find((name) => /-\d+$/.test(name) && !name.startsWith('__cluster_metadata-'));
    if (partition !== undefined) {
      throw new StartFailure(
        `${logDir} holds topics (${partition}) but its file meta.properties is missing, so the directory is damaged. Restore it from a backup, or move it away to start empty.`,
      );
    }
    rmSync(logDir, { recursive: true });
  }
  log?.('creating the Kafka data directory');
  // Formatted beside and renamed, so that a death on the way leaves no half-made directory in its place.
  const draft = join(dataDir, 'kafka.new');
  rmSync(draft, { recursive: true, force: true });
  write(draft, member?.controllerPort ?? (await findFreePort()));
  const args = [
    ...javaFlags(jvm),
    'kafka.tools.StorageTool',
    'format',
    ...(member === undefined ? ['--standalone'] : []),
    '--config',
    jvm.properties,
    // In one word: an id may begin with a dash.
    `--cluster-id=${member?.clusterId ?? newClusterId()}`,
    ...Object.entries(scramUsers).flatMap(([user, password]) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${user},password=${password}]`,
    ]),
  ];
  try {
    await runToEnd(jvm.java, ['-XX:TieredStopAtLevel=1', ...args], { env: javaEnvironment() });
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new StartFailure(`Kafka could not format ${logDir}:\n${text.trim()}`, { cause: error });
  }
  // The records are personal data; other users of the machine have no business there.
  chmodSync(draft, 0o700);
  renameSync(draft, logDir);
}

export const newClusterId = (): string => randomBytes(16).toString('base64url');

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { type Child, findFreePort, HOST, type KafkaCluster, startKafkaCluster, waitFor } from '@repo/embedded';
import { Client } from 'pg';
import { collectEvidence, fullName, type Place } from './evidence.ts';
import { Load } from './load.ts';
import { judgeLogs } from './personal.ts';
import type { Problem } from './problems.ts';
import { Random } from './random.ts';
import { readEnds } from './reader.ts';
import { Relay } from './relay.ts';
import { Script } from './script.ts';
import { secondOpinion } from './second-opinion.ts';
import { judge } from './verdict.ts';

export interface StageOptions {
  readonly dataDir: string;
  readonly seed: number;
  readonly claimsPerSecond: number;
  /** One broker, or three of which any may be lost. */
  readonly brokers?: 1 | 3;
  readonly log: (line: string) => void;
}

/** The workers that reach the servers through relays; the others of their kind go straight. */
export const FAR_WORKERS = ['settlement-worker', 'sharing-worker'] as const;
/** All that reach them so. */
const FAR_SERVICES: readonly string[] = [...FAR_WORKERS, 'query-api'];
export type Line = 'Kafka' | 'PostgreSQL';
export type Cluster = Pick<KafkaCluster, 'brokers' | 'nodes'> & {
  /** The ways by which the others reach a node, as broker and as controller. */
  readonly ways: readonly (readonly Relay[])[];
};

type Variables = Readonly<Record<string, string>>;

const POLICY_DIR = fileURLToPath(new URL('../policy', import.meta.url));
/** A copy of it, for faults to spoil. */
const policyDirOf = (dataDir: string): string => join(dataDir, 'policy');
const PREFIX = 'gongji';
const PARTITIONS = 6;
const FAMILIES = 60;
const NODES = 3;
/** Few enough to be used up. */
const CONNECTIONS_MAX = 80;
/** SQLSTATE of the refusal when there is none left. */
const TOO_MANY_CONNECTIONS = '53300';
/** Time zones of the processes: none of them may matter. */
const ZONES: Readonly<Record<string, string>> = {
  'settlement-worker': 'America/New_York',
  'settlement-worker-2': 'Pacific/Kiritimati',
  'sharing-worker': 'Asia/Kathmandu',
  'sharing-worker-2': 'UTC',
};
/** Longer than query-api waits for its database. */
const ANSWERED_WITHIN_MS = 30_000;
const OPEN_WITHIN_MS = 120_000;
const REST_WITHIN_MS = 240_000;
/** What a service is promised to take at most from SIGTERM to its end (`STOP_LIMIT_MS` of the product), and a moment for the machine. */
export const STOPS_WITHIN_MS = 15_000 + 2_000;

/** The whole system, each of its parts a process, under load: where faults happen. */
export class Stage {
  readonly system: RunningSystem;
  readonly cluster: Cluster | undefined;
  /** The ways of far workers and query-api to the servers. With several brokers their way to Kafka is straight, and the line here leads nowhere. */
  readonly lines: Readonly<Record<Line, Relay>>;
  readonly load: Load;
  readonly random: Random;
  readonly log: (line: string) => void;
  /** Holds the data and logs of the servers and services, and the policies of all. */
  readonly dataDir: string;
  /** Keys of which messages were held for a while. */
  readonly setAside = new Set<string>();
  readonly #armed: Map<string, Variables>;
  readonly #below: AsyncDisposableStack;

  private constructor(parts: Pick<Stage, 'system' | 'cluster' | 'lines'> & Below, options: StageOptions) {
    this.system = parts.system;
    this.cluster = parts.cluster;
    this.lines = parts.lines;
    this.#armed = parts.armed;
    this.#below = parts.below;
    this.log = options.log;
    this.dataDir = options.dataDir;
    this.random = new Random(options.seed);
    const script = new Script({ seed: options.seed ^ 0x5eed, families: FAMILIES });
    const { claimsPerSecond } = options;
    const kafka = parts.system.kafka;
    this.load = new Load({ kafka, prefix: PREFIX, partitions: PARTITIONS, script, claimsPerSecond });
  }

  /** Starts everything, opens the families and lets the load flow. */
  static async open(options: StageOptions): Promise<Stage> {
    const below = new AsyncDisposableStack();
    let stage: Stage;
    try {
      stage = await build(options, below, (parts) => new Stage(parts, options));
    } catch (error) {
      await below.disposeAsync();
      throw error;
    }
    try {
      await stage.load.open();
      const isOpen = async () => (await stage.count('select count(*)::int as count from binding')) === 4 * FAMILIES;
      if (!(await waitFor(isOpen, OPEN_WITHIN_MS, 200))) throw new Error('the families were not opened in time');
    } catch (error) {
      await stage.close();
      throw error;
    }
    stage.load.start();
    return stage;
  }

  get place(): Place {
    const { kafka, postgresUrl, envelopeKeyFile } = this.system;
    return { kafka, postgresUrl, envelopeKeyFile, prefix: PREFIX, partitions: PARTITIONS };
  }

  service(name: string): RunningSystem['services'][number] {
    const service = this.system.services.find((each) => each.name === name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return service;
  }

  /** Whether a process says that it is at work. */
  async isReady(name: string): Promise<boolean> {
    return (await this.#health(name)) === 200;
  }

  async allReady(): Promise<boolean> {
    const ready = await Promise.all(this.system.services.map(({ name }) => this.isReady(name)));
    return ready.every(Boolean);
  }

  /** Whether a process listens at all. */
  async answers(name: string): Promise<boolean> {
    return (await this.#health(name)) !== undefined;
  }

  /** The status with which query-api answers a question about an account; undefined: none in time. */
  askApi(): Promise<number | undefined> {
    return this.#statusOf('query-api', `/v1/accounts/${this.load.patients[0]}`, ANSWERED_WITHIN_MS);
  }

  #health(name: string): Promise<number | undefined> {
    return this.#statusOf(name, '/health/ready', 2_000);
  }

  async #statusOf(name: string, path: string, limitMs: number): Promise<number | undefined> {
    const url = `http://${HOST}:${this.service(name).adminPort}${path}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(limitMs) }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status;
  }

  /** Has a process end in order and starts it again; this one, and no later one, has these variables besides its own. */
  async restart(name: string, variables: Variables = {}): Promise<Child> {
    const { process } = this.service(name);
    // Before it is down: a fault beside this one may start whatever it finds so.
    this.#armed.set(name, variables);
    await process.kill('SIGTERM');
    return process.start();
  }

  /** Where a file of this name would be one of the policies of all. */
  policyFile(name: string): string {
    return join(policyDirOf(this.dataDir), name);
  }

  /** Starts at once what lies dead, instead of after the supervisor's growing pauses. */
  async startAll(): Promise<void> {
    await Promise.all(this.system.services.map(({ process }) => process.start()));
  }

  /** A connection of the database's owner, for one piece of work. */
  async withDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.system.postgresUrl, connectionTimeoutMillis: 10_000 });
    client.on('error', () => {});
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Takes one more of the database's connections and keeps it. False = there is none left. */
  async takeConnection(stack: AsyncDisposableStack): Promise<boolean> {
    const client = new Client({ connectionString: this.system.postgresUrl, connectionTimeoutMillis: 10_000 });
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (error) {
      if ((error as { code?: unknown }).code === TOO_MANY_CONNECTIONS) return false;
      throw error;
    }
    stack.defer(() => client.end().catch(() => {}));
    return true;
  }

  /** The `count` of a query's only row; undefined while the database is away. */
  count(sql: string, parameters: readonly unknown[] = []): Promise<number | undefined> {
    return this.withDatabase(async (client) => {
      const { rows } = await client.query<{ count: number }>(sql, [...parameters]);
      return rows[0]?.count;
    }).catch(() => undefined);
  }

  /** Ends the load, waits until the system has come to rest, and judges all it has done. */
  async judge(): Promise<{ problems: Problem[]; outcomes: number; messages: number }> {
    await this.load.stop();
    await this.#rest();
    // The relays are in this process, which for minutes has no time for them while it judges a million outcomes.
    const hung = await Promise.all(this.system.services.map(endOf));
    const evidence = await collectEvidence(this.place, this.load.sent, this.setAside);
    const problems = [...hung.flat(), ...judge(evidence)];
    problems.push(...(await secondOpinion(this.place)));
    problems.push(...judgeLogs(join(this.dataDir, 'data', 'logs'), this.load.sent));
    const outcomes = evidence.records.filter(({ topic }) => topic === 'settlements').length;
    return { problems, outcomes, messages: this.load.sent.length };
  }

  async close(): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await this.system.stop();
    await this.#below.disposeAsync();
  }

  /** All input applied, all outcomes published, all work done. What does not come to rest, the verdict calls stuck. */
  async #rest(): Promise<void> {
    const names = new Map((['claims', 'members'] as const).map((topic) => [fullName(PREFIX, topic), topic]));
    const ends = await readEnds(this.system.kafka, names);
    const topics = ends.map(({ topic }) => fullName(PREFIX, topic));
    const unfinished = `select (select count(*) from unnest($1::text[], $2::int[], $3::bigint[]) as given (topic, partition, high)
        left join shard using (topic, partition)
        where next_offset is distinct from high or published_seq < out_seq)::int
      + (select count(*) from shard_work where kind = 'BALANCE')::int as count`;
    const columns = [topics, ends.map(({ partition }) => partition), ends.map(({ high }) => high)];
    await waitFor(async () => (await this.count(unfinished, columns)) === 0, REST_WITHIN_MS, 200);
  }
}

/** A service that has nothing left to do ends at once and in order when it is told to; one that does not hung. */
async function endOf({ name, process }: RunningSystem['services'][number]): Promise<Problem[]> {
  const ended = process.kill('SIGTERM');
  const inTime = await Promise.race([ended, delay(STOPS_WITHIN_MS, undefined, { ref: false })]);
  const { code, signal } = inTime ?? (await process.kill('SIGKILL'));
  return code === 0 ? [] : [{ kind: 'stuck', what: `${name} was told to end and ended with ${signal ?? code}` }];
}

interface Below {
  readonly armed: Map<string, Variables>;
  /** What runs below the system and is closed after it. */
  readonly below: AsyncDisposableStack;
}

async function build(
  { dataDir, brokers = 1, log }: StageOptions,
  below: AsyncDisposableStack,
  make: (parts: Pick<Stage, 'system' | 'cluster' | 'lines'> & Below) => Stage,
): Promise<Stage> {
  const armed = new Map<string, Variables>();
  cpSync(POLICY_DIR, policyDirOf(dataDir), { recursive: true });
  const open = async (port: number, target: number): Promise<Relay> => below.use(await Relay.open({ port, target }));
  const cluster = brokers === 1 ? undefined : await buildCluster(join(dataDir, 'cluster'), { open, below, log });
  const [door, farKafka] = [await findFreePort(), await findFreePort()];
  const [postgres, farPostgres] = [await findFreePort(), await findFreePort()];
  const lines = { Kafka: await open(farKafka, door), PostgreSQL: await open(farPostgres, postgres) };
  const system = await startSystem({
    settings: settingsFor(dataDir, { postgresPort: postgres, kafkaBrokers: cluster?.brokers.split(',') }),
    log,
    instances: { 'settlement-worker': 2, 'sharing-worker': 2, 'query-api': 1 },
    kafkaSideDoor: { port: door, advertised: farKafka },
    postgresSettings: { max_connections: String(CONNECTIONS_MAX) },
    environment: ({ name, postgresUrl }) => {
      const variables = armed.get(name);
      armed.delete(name);
      const isFar = FAR_SERVICES.includes(name);
      const url = new URL(postgresUrl);
      url.port = String(farPostgres);
      return {
        GONGJI_POLICY_DIR: policyDirOf(dataDir),
        ...(ZONES[name] !== undefined && { TZ: ZONES[name] }),
        ...(isFar && { GONGJI_DATABASE_URL: url.href }),
        ...(isFar && cluster === undefined && { GONGJI_KAFKA_BROKERS: `${HOST}:${farKafka}` }),
        ...variables,
      };
    },
  });
  return make({ system, cluster, lines, armed, below });
}

/** Three brokers that reach each other through relays. */
async function buildCluster(
  dataDir: string,
  {
    open,
    below,
    log,
  }: Pick<Below, 'below'> & Pick<StageOptions, 'log'> & { open(port: number, target: number): Promise<Relay> },
): Promise<Cluster> {
  const ways: Relay[][] = [];
  const between: NonNullable<Parameters<typeof startKafkaCluster>[0]['between']>[number][] = [];
  for (let node = 0; node < NODES; node++) {
    const way = async () => ({ port: await findFreePort(), advertised: await findFreePort() });
    const [broker, controller] = [await way(), await way()];
    between.push({ broker, controller });
    ways.push([await open(broker.advertised, broker.port), await open(controller.advertised, controller.port)]);
  }
  const cluster = await startKafkaCluster({ dataDir, between, log });
  below.defer(() => cluster.stop());
  return { ...cluster, ways };
}

/** As a deployment would have them, but for free ports and nothing taken from the surroundings. */
function settingsFor(
  dataDir: string,
  places: { readonly postgresPort: number; readonly kafkaBrokers: string[] | undefined },
): Parameters<typeof startSystem>[0]['settings'] {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GONGJI_') || name === 'GONGJI_CACHE_DIR',
  );
  return {
    kafkaBrokers: places.kafkaBrokers,
    databaseUrl: undefined,
    servers: 'embedded',
    kafkaPort: undefined,
    postgresPort: places.postgresPort,
    httpPort: 0,
    dataDir: join(dataDir, 'data'),
    policyDir: undefined,
    topicPrefix: PREFIX,
    partitions: PARTITIONS,
    futureDaysMax: 400,
    logLevel: 'info',
    environment: Object.fromEntries(inherited),
  };
}

import { join } from 'node:path';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { waitFor } from '@repo/embedded';
import { Client } from 'pg';
import { collectEvidence, fullName, type Place } from './evidence.ts';
import { Load } from './load.ts';
import type { Problem } from './problems.ts';
import { Random } from './random.ts';
import { readEnds } from './reader.ts';
import { Script } from './script.ts';
import { secondOpinion } from './second-opinion.ts';
import { judge } from './verdict.ts';

export interface StageOptions {
  readonly dataDir: string;
  readonly seed: number;
  readonly claimsPerSecond: number;
  readonly log: (line: string) => void;
}

const PREFIX = 'gongji';
const PARTITIONS = 6;
const FAMILIES = 60;
const OPEN_WITHIN_MS = 120_000;
const REST_WITHIN_MS = 240_000;

/** The whole system, each of its parts a process, under load: where faults happen. */
export class Stage {
  readonly system: RunningSystem;
  readonly load: Load;
  readonly random: Random;
  readonly log: (line: string) => void;
  readonly #armed: Map<string, string>;

  private constructor(system: RunningSystem, options: StageOptions, armed: Map<string, string>) {
    this.system = system;
    this.log = options.log;
    this.random = new Random(options.seed);
    this.#armed = armed;
    const script = new Script({ seed: options.seed ^ 0x5eed, families: FAMILIES });
    const { claimsPerSecond } = options;
    this.load = new Load({ kafka: system.kafka, prefix: PREFIX, partitions: PARTITIONS, script, claimsPerSecond });
  }

  /** Starts everything, opens the families and lets the load flow. */
  static async open(options: StageOptions): Promise<Stage> {
    const armed = new Map<string, string>();
    const system = await startSystem({
      settings: settingsFor(options.dataDir),
      log: options.log,
      instances: { 'settlement-worker': 2, 'sharing-worker': 2, 'query-api': 1 },
      environment: ({ name }): Readonly<Record<string, string>> => {
        const failpoint = armed.get(name);
        armed.delete(name);
        return failpoint === undefined ? {} : { GONGJI_FAILPOINT: failpoint };
      },
    });
    const stage = new Stage(system, options, armed);
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
    const { kafka, postgresUrl } = this.system;
    return { kafka, postgresUrl, prefix: PREFIX, partitions: PARTITIONS };
  }

  service(name: string): RunningSystem['services'][number] {
    const service = this.system.services.find((each) => each.name === name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return service;
  }

  /** The next start of a process, and no later one, has this failpoint. */
  arm(name: string, failpoint: string): void {
    this.#armed.set(name, failpoint);
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
    const evidence = await collectEvidence(this.place, this.load.sent);
    const problems = judge(evidence);
    problems.push(...(await secondOpinion(this.place)));
    const outcomes = evidence.records.filter(({ topic }) => topic === 'settlements').length;
    return { problems, outcomes, messages: this.load.sent.length };
  }

  async close(): Promise<void> {
    await this.load[Symbol.asyncDispose]();
    await this.system.stop();
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

/** As a deployment would have them, but for free ports and nothing taken from the surroundings. */
function settingsFor(dataDir: string): Parameters<typeof startSystem>[0]['settings'] {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GONGJI_') || name === 'GONGJI_CACHE_DIR',
  );
  return {
    kafkaBrokers: undefined,
    databaseUrl: undefined,
    servers: 'embedded',
    kafkaPort: undefined,
    postgresPort: undefined,
    httpPort: 0,
    dataDir: join(dataDir, 'data'),
    policyDir: undefined,
    topicPrefix: PREFIX,
    partitions: PARTITIONS,
    logLevel: 'info',
    environment: Object.fromEntries(inherited),
  };
}

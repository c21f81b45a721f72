import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningSystem, type SystemOptions, startSystem } from '@repo/cli/system';
import { migrate, schemaKey } from '@repo/ledger';
import { cloneDatabase, freshTopicPrefix, PersonalData, testBrokers } from '@repo/testkit';
import type { Pack } from '../auditor/policy.ts';
import { Progress } from './progress.ts';
import { Topics } from './topics.ts';

const READERS = 16;

export interface TestSystemOptions extends Pick<SystemOptions, 'instances' | 'environment'> {
  /** Policy files beside the shipped ones. */
  readonly packs?: readonly Pack[];
  readonly partitions?: number;
}

/** The whole system as its processes run it, on the test run's servers, with a database, topics and ports of its own. */
export class TestSystem implements AsyncDisposable {
  readonly topics: Topics;
  readonly http: string;
  readonly running: RunningSystem;
  readonly databaseUrl: string;
  readonly #progress: Progress;
  readonly #dataDir: string;

  private constructor(
    running: RunningSystem,
    parts: { topics: Topics; progress: Progress; dataDir: string; databaseUrl: string },
  ) {
    this.running = running;
    this.http = running.http;
    this.topics = parts.topics;
    this.#progress = parts.progress;
    this.#dataDir = parts.dataDir;
    this.databaseUrl = parts.databaseUrl;
  }

  static async start(options: TestSystemOptions = {}): Promise<TestSystem> {
    await using started = new AsyncDisposableStack();
    const { packs = [], partitions = 4, ...rest } = options;
    const prefix = freshTopicPrefix();
    const dataDir = started.adopt(mkdtempSync(join(tmpdir(), 'gongji-e2e-')), (path) =>
      rmSync(path, { recursive: true, force: true }),
    );
    const brokers = testBrokers();
    const { url: databaseUrl } = await cloneDatabase({ key: schemaKey(), migrate });
    const people = new PersonalData();
    // Looked through when all services have ended, before their logs are removed.
    started.defer(() => refusePersonal(people, logsIn(dataDir)));
    const topics = started.use(await Topics.open({ brokers, prefix, partitions, people }));
    const settings = {
      kafkaBrokers: brokers.split(','),
      databaseUrl,
      servers: 'embedded',
      kafkaPort: undefined,
      postgresPort: undefined,
      httpPort: 0,
      dataDir,
      policyDir: writePacks(join(dataDir, 'policies'), packs),
      topicPrefix: prefix,
      partitions,
      futureDaysMax: 400,
      // As talkative as it gets: nothing personal may be in the least of its lines.
      logLevel: 'debug',
      environment: { ...withoutOwnSettings(process.env), GONGJI_POLICY_DIR: join(dataDir, 'policies') },
    } as const;
    const running = await startSystem({ settings, log: () => undefined, ...rest });
    started.defer(() => running.stop());
    const progress = started.use(await Progress.open(databaseUrl, topics));
    await topics.collect();
    const system = new TestSystem(running, { topics, progress, dataDir, databaseUrl });
    system.#owned = started.move();
    return system;
  }

  #owned: AsyncDisposableStack | undefined;

  /** Waits until everything sent is applied and all it led to can be read by a `read_committed` reader. */
  waitUntilAnswered(deadlineMs = 30_000): Promise<void> {
    return this.#progress.waitUntilAnswered(deadlineMs);
  }

  /** The JSON body of a read; null where the answer is 404. Rejects on any other status. */
  async read(path: string): Promise<Readonly<Record<string, unknown>> | null> {
    const response = await fetch(new URL(path, this.http));
    const body = (await response.json()) as Record<string, unknown>;
    if (response.ok) return body;
    if (response.status === 404) return null;
    throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`);
  }

  /** The answers of many reads, in their order, a few at a time. */
  async readAll(paths: readonly string[]): Promise<(Readonly<Record<string, unknown>> | null)[]> {
    const answers: (Readonly<Record<string, unknown>> | null)[] = [];
    const queue = paths.entries();
    const reader = async () => {
      for (const [index, path] of queue) answers[index] = await this.read(path);
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return answers;
  }

  /**
   * What the services logged as warnings and errors. Those of the Kafka client are left out: it reports every rebalance as one, and
   * what comes of a real failure is told by the service.
   */
  complaints(): string[] {
    return this.logs().flatMap(({ name, text }) =>
      text
        .split('\n')
        .filter((line) => line !== '' && !/"level":"(debug|info)"|"component":"kafka"/.test(line))
        .map((line) => `${name}: ${line}`),
    );
  }

  /** Everything the services wrote. */
  logs(): Log[] {
    return logsIn(this.#dataDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.disposeAsync();
  }
}

interface Log {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

function logsIn(dataDir: string): Log[] {
  const directory = join(dataDir, 'logs');
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => {
    const path = join(directory, name);
    return { name, path, text: readFileSync(path, 'utf8') };
  });
}

/** Fails where a log names anyone who was sent to the system. */
function refusePersonal(people: PersonalData, logs: readonly Log[]): void {
  const found = logs.flatMap(({ name, text }) => people.foundIn(text).map((value) => `${name}: ${value}`));
  if (found.length > 0) throw new Error(`personal data in the logs of the services: ${found.slice(0, 20).join(', ')}`);
}

/** Settings of the person who runs the tests must not reach the system under test. */
function withoutOwnSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('GONGJI_')));
}

/** Writes policy files as an operator's folder holds them. */
export function writePacks(directory: string, packs: readonly Pack[]): string {
  mkdirSync(directory, { recursive: true });
  packs.forEach((pack, index) => {
    writeFileSync(join(directory, `${pack.regionCode}-${index}.json`), JSON.stringify(pack));
  });
  return directory;
}

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Child, stopLeftovers } from './child.ts';
import { lastLockTaker, lockDirectory } from './directory-lock.ts';
import { explainFileError, StartFailure } from './failure.ts';
import { startKafka } from './kafka.ts';
import { keepRunning } from './keep-running.ts';
import { choosePort } from './ports.ts';
import { startPostgres } from './postgres.ts';

export interface ServersOptions {
  /** Holds everything: data, logs, the lock. Made when missing; the same directory goes on where it stopped. */
  readonly dataDir: string;
  readonly kafkaPort?: number | undefined;
  readonly postgresPort?: number | undefined;
  readonly kafkaSettings?: Readonly<Record<string, string>>;
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Kafka's JVM heap, as `-Xmx` takes it; 1g when absent. */
  readonly kafkaHeap?: string;
  /** A second way into Kafka; see `KafkaOptions`. */
  readonly kafkaSideDoor?: { readonly port: number; readonly advertised: number } | undefined;
  /** A server of one's own, which is used as it is: no other is started in its place. */
  readonly external?: { readonly kafka?: string | undefined; readonly postgresUrl?: string | undefined };
  /** `containers` runs both in containers (Testcontainers); `embedded` when absent. */
  readonly mode?: 'embedded' | 'containers' | undefined;
  /** Progress and restarts, one line each. */
  readonly log?: (line: string) => void;
}

export interface Servers {
  /** Kafka's `host:port`. */
  readonly kafka: string;
  /** The owner's URL of the database `gongji`. */
  readonly postgresUrl: string;
  /** The processes of now. Throws for a server that is no process of ours: an external one, or one in a container. */
  readonly kafkaPid: number;
  readonly postgresPid: number;
  /** Ends the broker with a signal (SIGKILL when absent) and leaves it down until `restartKafka`, on the same port and data. */
  killKafka(signal?: NodeJS.Signals): Promise<void>;
  restartKafka(): Promise<void>;
  /** Ends PostgreSQL (SIGINT fast, SIGQUIT immediate, SIGKILL when absent) and leaves it down until `restartPostgres`. */
  killPostgres(signal?: NodeJS.Signals): Promise<void>;
  restartPostgres(): Promise<void>;
  /** Stops Kafka, then PostgreSQL, both in order, and frees the data directory. May be called twice. */
  stop(): Promise<void>;
}

/** One of the two servers, wherever it runs. */
export interface Server {
  readonly address: string;
  readonly pid: () => number;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts PostgreSQL and Kafka on 127.0.0.1 and waits until both serve. One that dies without being asked to is started
 * again, on the same port and data. What an earlier unclean death left running on this directory is ended first.
 */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const dataDir = resolve(options.dataDir);
  const log = options.log ?? (() => {});
  const lock = takeLock(dataDir);
  const started: Server[] = [];
  const stopAll = async (): Promise<void> => {
    for (const server of started) await server.stop();
    lock.release();
  };
  try {
    const leftovers = await stopLeftovers(join(dataDir, 'run'));
    for (const name of leftovers) log(`ended ${name}, left running by an earlier start`);
    const launch = options.mode === 'containers' ? await import('./containers.ts') : { launchKafka, launchPostgres };
    const { kafka: brokers, postgresUrl } = options.external ?? {};
    // Both are waited for even when one fails, so that the other is known and can be stopped.
    const starts = [
      brokers ? externalServer('Kafka', brokers) : launch.launchKafka(options, log),
      postgresUrl ? externalServer('PostgreSQL', postgresUrl) : launch.launchPostgres(options, log),
    ] as const;
    for (const result of await Promise.allSettled(starts))
      if (result.status === 'fulfilled') started.push(result.value);
    const [kafka, postgres] = await Promise.all(starts);
    let stopping: Promise<void> | undefined;
    return {
      kafka: kafka.address,
      postgresUrl: postgres.address,
      get kafkaPid() {
        return kafka.pid();
      },
      get postgresPid() {
        return postgres.pid();
      },
      killKafka: (signal = 'SIGKILL') => kafka.kill(signal),
      restartKafka: kafka.start,
      killPostgres: (signal = 'SIGKILL') => postgres.kill(signal),
      restartPostgres: postgres.start,
      stop: () => {
        stopping ??= stopAll();
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function launchKafka(options: ServersOptions, log: Log): Promise<Server> {
  const { dataDir, kafkaPort, kafkaSettings = {}, kafkaHeap = '1g', kafkaSideDoor: sideDoor } = options;
  const port = await choosePort(kafkaPort, 'GONGJI_KAFKA_PORT');
  const start = () => startKafka({ dataDir, port, settings: kafkaSettings, heap: kafkaHeap, sideDoor, log });
  return keptServer({ name: 'Kafka', start, addressOf: ({ brokers }) => brokers, log });
}

async function launchPostgres(options: ServersOptions, log: Log): Promise<Server> {
  const { dataDir, postgresPort, postgresSettings = {} } = options;
  const port = await choosePort(postgresPort, 'GONGJI_POSTGRES_PORT');
  const start = () => startPostgres({ dataDir, port, settings: postgresSettings, log });
  return keptServer({ name: 'PostgreSQL', start, addressOf: ({ url }) => url, log });
}

type Log = (line: string) => void;

async function keptServer<C extends Child>(options: {
  readonly name: string;
  readonly start: () => Promise<C>;
  readonly addressOf: (child: C) => string;
  readonly log: Log;
}): Promise<Server> {
  const kept = await keepRunning(options);
  return {
    address: options.addressOf(kept.current),
    pid: () => kept.current.pid,
    kill: async (signal) => {
      await kept.kill(signal);
    },
    start: async () => {
      await kept.start();
    },
    stop: kept.stop,
  };
}

async function externalServer(name: string, address: string): Promise<Server> {
  const refuse = (): never => {
    throw new StartFailure(`${name} was not started here, so it cannot be ended or restarted here.`);
  };
  return { address, pid: refuse, kill: async () => refuse(), start: async () => refuse(), stop: async () => {} };
}

function takeLock(dataDir: string): { release(): void } {
  try {
    mkdirSync(dataDir, { recursive: true });
    const lock = lockDirectory(dataDir);
    if (lock !== undefined) return lock;
  } catch (error) {
    throw explainFileError(error, dataDir);
  }
  throw new StartFailure(
    `Gongji already runs on ${dataDir} (process ${lastLockTaker(dataDir)}). Stop it, or choose another directory with GONGJI_DATA_DIR.`,
  );
}

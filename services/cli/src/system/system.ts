import { resolve } from 'node:path';
import { choosePort, HOST, type Servers, startServers } from '@repo/embedded';
import { kafkaSettings, withAbsoluteFiles } from '@repo/transport';
import type { Settings } from '../config.ts';
import { removeAddresses, writeAddresses } from './addresses.ts';
import { provideKeyFile } from './key-file.ts';
import { prepare } from './prepare.ts';
import { type RunningService, SERVICES, type ServiceName, startService, waitUntilReady } from './services.ts';

export interface SystemOptions {
  readonly settings: Settings;
  /** Progress, deaths and restarts, one line each. */
  readonly log: (line: string) => void;
  /** How many processes of each service to run; default 1. */
  readonly instances?: Partial<Record<ServiceName, number>>;
  /**
   * Additional variables for one process, such as a failpoint or another address of a server. `launch` is 1 for its first start and grows
   * with every restart, so that a process that was made to die need not die again.
   */
  readonly environment?: (process: {
    readonly name: string;
    readonly launch: number;
    readonly postgresUrl: string;
  }) => Readonly<Record<string, string>>;
  /** A second way into the embedded broker; see `KafkaOptions` of `@repo/embedded`. */
  readonly kafkaSideDoor?: { readonly port: number; readonly advertised: number } | undefined;
  readonly kafkaSettings?: Readonly<Record<string, string>>;
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

export interface RunningSystem {
  /** `host:port`, several separated by commas. */
  readonly kafka: string;
  /** `http://host:port` of query-api. */
  readonly http: string;
  readonly postgresUrl: string;
  /** The file of keys that seal messages. */
  readonly envelopeKeyFile: string;
  readonly servers: Servers;
  /** In the order in which they start. */
  readonly services: readonly RunningService[];
  /** Stops the services, which finish their current batch, then Kafka, then PostgreSQL. */
  stop(): Promise<void>;
}

/**
 * Starts the servers, brings the schema and the topics to the needed state, starts every service as a process of its own and waits until
 * all are ready. Rejects after stopping what it has started.
 */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const { settings, log } = options;
  const httpPort = await choosePort(settings.httpPort || undefined, 'GONGJI_HTTP_PORT');
  const adminPort =
    settings.adminPort === undefined
      ? undefined
      : await choosePort(settings.adminPort || undefined, 'GONGJI_ADMIN_PORT');
  const servers = await startServers({
    dataDir: settings.dataDir,
    kafkaPort: settings.kafkaPort,
    postgresPort: settings.postgresPort,
    kafkaSettings: options.kafkaSettings ?? {},
    kafkaSideDoor: options.kafkaSideDoor,
    postgresSettings: options.postgresSettings ?? {},
    external: { kafka: settings.kafkaBrokers?.join(','), postgresUrl: settings.databaseUrl },
    mode: settings.servers,
    log,
  });
  const services: RunningService[] = [];
  const http = `http://${HOST}:${httpPort}`;
  const stop = async (): Promise<void> => {
    removeAddresses(settings.dataDir);
    await Promise.all(services.map((service) => service.process.stop()));
    await servers.stop();
  };
  let envelopeKeyFile: string;
  try {
    envelopeKeyFile = provideKeyFile(settings);
    // Servers that run here ask for nothing, however one's own brokers are reached.
    const kafkaAccess = (settings.kafkaBrokers && settings.kafkaAccess) ?? {};
    await prepare({ ...settings, kafkaAccess, databaseUrl: servers.postgresUrl, brokers: servers.kafka });
    for (const [name, service, instance] of plan(options.instances ?? {})) {
      const environment = (launch: number): NodeJS.ProcessEnv => ({
        ...environmentFor(settings, servers),
        GONGJI_ENVELOPE_KEY_FILE: envelopeKeyFile,
        // For the console's board. query-api starts last, when the other services have their ports.
        ...(service === 'query-api' ? { GONGJI_WORKER_METRICS: metricsOf(services) } : {}),
        ...options.environment?.({ name, launch, postgresUrl: servers.postgresUrl }),
      });
      const ports = { httpPort, adminPort: service === 'query-api' ? adminPort : undefined };
      services.push(await startService({ service, instance, ...ports, dataDir: settings.dataDir, environment, log }));
    }
    await Promise.all(services.map((service) => waitUntilReady(service)));
    const { kafka, postgresUrl } = servers;
    writeAddresses(settings.dataDir, { kafka, postgresUrl, http, topicPrefix: settings.topicPrefix });
  } catch (error) {
    await stop();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    kafka: servers.kafka,
    http,
    postgresUrl: servers.postgresUrl,
    envelopeKeyFile,
    servers,
    services,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

const metricsOf = (services: readonly RunningService[]): string =>
  services
    .filter(({ service }) => service === 'settlement-worker')
    .map(({ adminPort }) => `${HOST}:${adminPort}`)
    .join();

/** Name, service and instance number of every process to start. */
function plan(
  instances: Partial<Record<ServiceName, number>>,
): [name: string, service: ServiceName, instance: number][] {
  return SERVICES.flatMap((service) =>
    Array.from({ length: instances[service] ?? 1 }, (_, index): [string, ServiceName, number] => [
      index === 0 ? service : `${service}-${index + 1}`,
      service,
      index + 1,
    ]),
  );
}

/** What leads to servers of one's own, or says how they are reached, by the setting that says that there are any. */
const OF_OTHERS: Readonly<Record<'kafkaBrokers' | 'databaseUrl', readonly string[]>> = {
  kafkaBrokers: Object.keys(kafkaSettings),
  databaseUrl: ['GONGJI_DATABASE_URL_WORKER', 'GONGJI_DATABASE_URL_READER', 'GONGJI_DATABASE_URL_OPERATOR'],
};

/** Settings that name a file or a folder. */
const PATHS = [
  'GONGJI_POLICY_DIR',
  'GONGJI_CONSOLE_DIR',
  'GONGJI_KAFKA_TLS_CA',
  'GONGJI_KAFKA_TLS_CERT',
  'GONGJI_KAFKA_TLS_KEY',
] as const;

/** The paths among the settings as seen from this folder: the services run in another one. */
function seenFromHere(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const seen = (names: readonly string[], from: (text: string) => string) =>
    names.flatMap((name) => (environment[name] ? [[name, from(environment[name])]] : []));
  return Object.fromEntries([
    ...seen(PATHS, (path) => resolve(path)),
    ...seen(OF_OTHERS.databaseUrl, withAbsoluteFiles),
  ]);
}

/** Empty means unset, also against what a file .env says. */
const unset = (names: readonly string[]): NodeJS.ProcessEnv => Object.fromEntries(names.map((name) => [name, '']));

/** What every service is told; where nothing was set, the defaults are spelled out, so that all agree on them. */
export const environmentFor = (
  settings: Settings,
  servers: Pick<Servers, 'kafka' | 'postgresUrl'>,
): NodeJS.ProcessEnv => ({
  ...settings.environment,
  ...seenFromHere(settings.environment),
  ...(settings.kafkaBrokers === undefined && unset(OF_OTHERS.kafkaBrokers)),
  ...(settings.databaseUrl === undefined && unset(OF_OTHERS.databaseUrl)),
  GONGJI_KAFKA_BROKERS: servers.kafka,
  GONGJI_DATABASE_URL: withAbsoluteFiles(servers.postgresUrl),
  GONGJI_TOPIC_PREFIX: settings.topicPrefix,
  GONGJI_PARTITIONS: String(settings.partitions),
  GONGJI_LOG_LEVEL: settings.logLevel,
});

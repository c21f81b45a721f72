import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  findFreePort,
  HOST,
  type KeptRunning,
  keepRunning,
  StartFailure,
  startChild,
  tailOf,
  waitFor,
} from '@repo/embedded';

/** The services, in the order in which they start. Each is services/NAME/src/main.ts. */
export const SERVICES = ['settlement-worker', 'sharing-worker', 'query-api'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** How long, in ms, a service may take to become ready, and to stop before it is killed. */
export const SERVICE_LIMITS = { readyMs: 60_000, stopMs: 20_000 } as const;
/** A service that has died this often before it was ever ready will not become ready. */
const EARLY_DEATHS_MAX = 3;
/**
 * How Node runs a service; deploy/Dockerfile and test/bench use the same. Large semi-spaces hold a batch's short-lived objects in the young
 * generation, whose collection took a sixth of the settlement worker's time. Without pretenuring none are allocated in the old generation
 * because others of their kind lived long (a seventh). The old generation is collected after it has grown by 100 %, which determines the
 * memory of a worker at full load.
 */
export const NODE_FLAGS = [
  '--min-semi-space-size=32',
  '--max-semi-space-size=32',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=100',
] as const;
/**
 * Makes the C library return large buffers when they are freed, and limits the arenas in which it keeps free ones. With a limit of 32 KiB
 * each compressed block paid for fresh pages, a tenth of the settlement worker's time; a higher one keeps more memory.
 */
export const MALLOC_SETTINGS = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '49152' } as const;
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

export interface RunningService {
  /** `settlement-worker`; a second instance is `settlement-worker-2`. */
  readonly name: string;
  readonly service: ServiceName;
  readonly process: KeptRunning;
  readonly pid: number;
  readonly logFile: string;
  /** The port of `/health/ready` and `/metrics`. */
  readonly adminPort: number;
  /** What must answer before the service is ready: with ports of its own for each, query-api says that it is before it serves. */
  readonly ports: readonly number[];
}

export interface ServiceOptions {
  readonly service: ServiceName;
  /** 1 for the first instance. */
  readonly instance: number;
  readonly dataDir: string;
  /** The port of query-api. */
  readonly httpPort: number;
  /** The port of health and metrics. Default: a free one; query-api serves them on its HTTP port. */
  readonly adminPort?: number | undefined;
  /** The environment of a launch: 1 for the first, 2 after the first restart. */
  readonly environment: (launch: number) => NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** The directory that holds services/; default: this repository. */
  readonly root?: string;
  /** Default: that of `SERVICE_LIMITS`. */
  readonly stopMs?: number;
}

/** Starts a service as a process of its own and restarts it when it dies. Does not wait until it is ready. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { service, instance, httpPort, log } = options;
  const name = instance === 1 ? service : `${service}-${instance}`;
  const dataDir = resolve(options.dataDir);
  const logFile = join(dataDir, 'logs', `${name}.log`);
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const ownAdminPort = options.adminPort ?? (service === 'query-api' ? undefined : await findFreePort());
  const ports = {
    GONGJI_ADMIN_PORT: String(ownAdminPort ?? ''),
    ...(service === 'query-api' && { GONGJI_HTTP_PORT: String(httpPort) }),
  };
  // Node's compile cache, written when a service stops: the next start takes half the time and reaches full speed sooner.
  const compiled = join(dataDir, 'compiled', service);
  let launches = 0;
  const start = () => {
    launches += 1;
    return startChild({
      name,
      command: process.execPath,
      args: [...NODE_FLAGS, `services/${service}/src/main.ts`],
      cwd: options.root ?? ROOT,
      env: { ...MALLOC_SETTINGS, NODE_COMPILE_CACHE: compiled, ...options.environment(launches), ...ports },
      runDir: join(dataDir, 'run'),
      logFile,
      ipc: true,
      stopSteps: [{ signal: 'SIGTERM', withinMs: options.stopMs ?? SERVICE_LIMITS.stopMs }],
    });
  };
  const kept = await keepRunning({ name, start, log });
  return {
    name,
    service,
    process: kept,
    get pid() {
      return kept.current.pid;
    },
    logFile,
    adminPort: ownAdminPort ?? httpPort,
    ports: service === 'query-api' ? [httpPort] : [],
  };
}

/** Waits until the service reports that it is ready, and serves. Throws a `StartFailure` with the end of its log. */
export async function waitUntilReady(
  { name, process, adminPort, ports, logFile }: RunningService,
  { withinMs = SERVICE_LIMITS.readyMs }: { readonly withinMs?: number } = {},
): Promise<void> {
  const probe = async (): Promise<boolean> => {
    if (process.deaths >= EARLY_DEATHS_MAX)
      throw new StartFailure(`${name} ends as soon as it starts. The end of ${logFile}:\n${tailOf(logFile)}`);
    if ((await statusOf(adminPort)) !== 200) return false;
    return (await Promise.all(ports.map(statusOf))).every((status) => status !== undefined);
  };
  if (await waitFor(probe, withinMs, 100)) return;
  throw new StartFailure(
    `${name} was not ready within ${withinMs / 1000} s. The end of ${logFile}:\n${tailOf(logFile)}`,
  );
}

const statusOf = (port: number): Promise<number | undefined> =>
  new Promise((done) => {
    const request = get({ host: HOST, port, path: '/health/ready', timeout: 5_000, agent: false }, (response) => {
      response.resume();
      done(response.statusCode);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => done(undefined));
  });

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningSystem, startSystem } from '@repo/cli/system';
import { CANARY } from './hostile.ts';

export interface SystemOptions {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Servers that are there already, and a prefix for the topics; absent: they are started. */
  readonly at?: { readonly kafka: string; readonly databaseUrl: string; readonly prefix: string };
}

export const PREFIX = 'gongji';
const PARTITIONS = 2;
/** pino's number for lines that a person must act on. */
const ERROR_LEVEL = 50;

/** The whole system, each part a process, in a directory of its own. */
export function openSystem({ dataDir, log, at }: SystemOptions): Promise<RunningSystem> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GONGJI_') || name === 'GONGJI_CACHE_DIR',
  );
  return startSystem({
    log,
    settings: {
      kafkaBrokers: at?.kafka.split(','),
      databaseUrl: at?.databaseUrl,
      servers: 'embedded',
      kafkaPort: undefined,
      postgresPort: undefined,
      httpPort: 0,
      dataDir: join(dataDir, 'data'),
      policyDir: undefined,
      topicPrefix: at?.prefix ?? PREFIX,
      partitions: PARTITIONS,
      futureDaysMax: 400,
      logLevel: 'info',
      environment: Object.fromEntries(inherited),
    },
  });
}

/** What a service's log says that no input may cause: a start beyond the first, a line that a person must act on, a line with what was sent. */
export function complaints(system: RunningSystem): string[] {
  return system.services.flatMap(({ name, logFile }) => {
    const lines = readFileSync(logFile, 'utf8').split('\n').filter(Boolean);
    const starts = lines.filter((line) => line.includes('"message":"settings"')).length;
    const errors = lines.filter((line) => levelOf(line) >= ERROR_LEVEL);
    const told = lines.filter((line) => line.includes(CANARY));
    return [
      ...(starts > 1 ? [`${name} was started ${starts} times`] : []),
      ...errors.slice(0, 3).map((line) => `${name} logs an error: ${line.slice(0, 400)}`),
      ...told.slice(0, 3).map((line) => `${name} logs what was sent: ${line.slice(0, 400)}`),
    ];
  });
}

function levelOf(line: string): number {
  try {
    const { level } = JSON.parse(line) as { level?: unknown };
    return { error: ERROR_LEVEL, fatal: 60 }[String(level)] ?? Number(level);
  } catch {
    // A line that is none of the logger's is an error's own cry.
    return ERROR_LEVEL;
  }
}

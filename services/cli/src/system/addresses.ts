import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Settings } from '../config.ts';

const schema = z.object({ kafka: z.string(), postgresUrl: z.string(), http: z.string(), topicPrefix: z.string() });

/** Where a running system can be reached, for commands in another terminal. */
export type Addresses = z.infer<typeof schema>;

const fileOf = (dataDir: string): string => join(dataDir, 'addresses.json');

/** Writes the addresses to the data directory, readable by their owner alone, since the URL contains the password. */
export function writeAddresses(dataDir: string, addresses: Addresses): void {
  writeFileSync(fileOf(dataDir), `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
}

export function removeAddresses(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

/** The addresses of the system that runs on this directory, or was killed there; undefined where there are none. */
function readAddresses(dataDir: string): Addresses | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * The servers that a command works on: those in the settings, else those of the system that runs on the data directory; null where there
 * are none.
 */
export function runningServers(settings: Settings) {
  const running = readAddresses(settings.dataDir);
  const databaseUrl = settings.databaseUrl ?? running?.postgresUrl;
  const brokers = settings.kafkaBrokers ?? running?.kafka.split(',');
  // Servers that run here need no access settings.
  const kafkaAccess = (settings.kafkaBrokers && settings.kafkaAccess) ?? {};
  const topicPrefix = settings.databaseUrl === undefined && running ? running.topicPrefix : settings.topicPrefix;
  return databaseUrl === undefined || brokers === undefined ? null : { databaseUrl, brokers, kafkaAccess, topicPrefix };
}

/** Like `runningServers`, for a command that needs Kafka alone. */
export function runningBrokers(settings: Settings) {
  const running = readAddresses(settings.dataDir);
  const brokers = settings.kafkaBrokers ?? running?.kafka.split(',');
  const topicPrefix = settings.kafkaBrokers === undefined && running ? running.topicPrefix : settings.topicPrefix;
  const kafkaAccess = (settings.kafkaBrokers && settings.kafkaAccess) ?? {};
  return brokers === undefined ? null : { brokers, kafkaAccess, topicPrefix };
}

/** The address of the API: the one in the settings, else that of the running system. */
export const runningHttp = (settings: Settings): string | undefined =>
  settings.httpUrl ?? readAddresses(settings.dataDir)?.http;

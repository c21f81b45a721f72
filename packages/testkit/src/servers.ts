import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory, startServers, stopLeftovers } from '@repo/embedded';

/** The servers a test run works on. */
export interface TestServers {
  /** An owner's URL; tests make databases of their own beside the one it names. */
  readonly databaseUrl: string;
  /** `host:port`, or several separated by commas. */
  readonly brokers: string;
  stop(): Promise<void>;
}

const PREFIX = 'gongji-test-';
/**
 * Nothing waits for the disk here: these servers lose their data at the end anyway, a killed process loses nothing by it, and what a
 * power cut would take no test looks at. Tests that kill servers start their own (`test/faults`, `packages/embedded`), which do wait.
 */
const FORGETFUL = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * The servers named by `TEST_DATABASE_URL` and `TEST_KAFKA_BROKERS` when both are set, else embedded ones in a directory
 * that goes away with them (`TEST_SERVERS=containers`: in containers).
 */
export async function provideServers(
  environment: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<TestServers> {
  const { TEST_DATABASE_URL: databaseUrl, TEST_KAFKA_BROKERS: brokers, TEST_SERVERS: kind } = environment;
  if (databaseUrl && brokers) return { databaseUrl, brokers, stop: async () => {} };
  await removeAbandoned(log);
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX));
  const mode = kind === 'containers' ? 'containers' : 'embedded';
  const servers = await startServers({ dataDir, log, mode, postgresSettings: FORGETFUL });
  return {
    databaseUrl: databaseUrl || servers.postgresUrl,
    brokers: brokers || servers.kafka,
    stop: async () => {
      await servers.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A test run that was killed leaves its servers and directory behind; the next run clears them away. */
async function removeAbandoned(log: (line: string) => void): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const directory = join(tmpdir(), name);
    const lock = lockDirectory(directory);
    if (lock === undefined) continue;
    for (const server of await stopLeftovers(join(directory, 'run')))
      log(`ended ${server}, left running by an earlier test run`);
    rmSync(directory, { recursive: true, force: true });
    lock.release();
  }
}
